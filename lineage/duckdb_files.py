"""DuckDB over files wherever they lie: those elsewhere are read by ranges, through the same door as all others."""

import datetime
import os
import re
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

import duckdb
import pyarrow as pa

from transforms.part_store import file_size, is_local, open_input

SCHEME: Final = "cleartitle"


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that fetches nothing by itself, keeps footers, and reads `location`s."""
    # An extension that it lacks would be fetched from the network.
    settings: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    connection = duckdb.connect(config=settings)
    connection.execute("SET parquet_metadata_cache = true")
    connection.register_filesystem(_door()())
    return connection


def location(path: str) -> str:
    """How DuckDB is told of a file: by its path, no part of which counts as a glob; elsewhere, by our scheme.

    >>> location("/data/a[1]*.parquet"), location("gs://bucket/a.parquet")
    ('/data/a[[]1][*].parquet', 'cleartitle://gs://bucket/a.parquet')
    """
    if not is_local(path) or ("\\" in path and re.search(r"[*?\[]", path)):  # DuckDB cannot be told of both
        return f"{SCHEME}://{path}"
    return re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", os.path.abspath(path))


def read_parquet(paths: Sequence[str], more: str = "") -> str:
    """The call, in SQL, that reads files; a view takes no parameters, so a quote in a path is written twice.

    No column comes from a name such as `decision=keep` of a directory.
    """
    listed = ", ".join("'" + location(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false{more})"


def _door() -> Any:
    from fsspec.spec import AbstractFileSystem

    class Door(AbstractFileSystem):
        """What DuckDB needs of a file system: files behind our scheme, to be read."""

        protocol = SCHEME
        cachable = False

        def info(self, path: str, **_: Any) -> dict[str, Any]:
            return {"name": path, "size": file_size(_inner(path)), "type": "file"}

        def glob(self, path: str, **_: Any) -> list[str]:
            return [path]

        def modified(self, _: str) -> datetime.datetime:
            return datetime.datetime.fromtimestamp(0, datetime.UTC)  # files of a dataset never change

        def _open(self, path: str, **_: Any) -> BinaryIO:
            inner = _inner(path)
            # DuckDB lets go of files without closing them, of which Python would warn.
            return pa.OSFile(inner) if is_local(inner) else open_input(inner)

    return Door


def _inner(path: str) -> str:
    return path.partition("://")[2] if path.startswith(f"{SCHEME}://") else path
