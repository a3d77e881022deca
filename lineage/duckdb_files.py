"""DuckDB over files wherever they lie: those elsewhere are read by ranges, through the same door as all others."""

import datetime
import os
from typing import Any, BinaryIO, Final

import duckdb

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
    """How DuckDB is told of a file: by our scheme, unless it is local and no part of its path looks like a glob."""
    plain = is_local(path) and not any(letter in path for letter in "*?[")
    return os.path.abspath(path) if plain else f"{SCHEME}://{path}"


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
            return open_input(_inner(path))

    return Door


def _inner(path: str) -> str:
    return path.partition("://")[2] if path.startswith(f"{SCHEME}://") else path
