"""A Beam file system in memory, for `memory://` paths: it behaves like an object store."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

import xxhash
from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem


class _Upload(io.BytesIO):
    """A file that shows under its name, whole, when it is closed; until then there is none."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def close(self) -> None:
        if not self.closed:
            MemoryFiles.files[self.path] = self.getvalue()
        super().close()


class MemoryFiles(FileSystem):  # type: ignore[misc]
    """Files by their whole path. There are no directories, only names with slashes in them."""

    files: ClassVar[dict[str, bytes]] = {}

    @classmethod
    def scheme(cls) -> str:
        return "memory"

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        return (self.metadata(path) for path in sorted(self.files) if path.startswith(dir_or_prefix))

    def create(self, path: str, *_: object, **__: object) -> BinaryIO:
        return _Upload(path)

    def open(self, path: str, *_: object, **__: object) -> BinaryIO:
        if path not in self.files:
            raise BeamIOError(f"there is no {path}")
        return io.BytesIO(self.files[path])

    def exists(self, path: str) -> bool:
        return path in self.files

    def checksum(self, path: str) -> str:
        return str(xxhash.xxh3_128_hexdigest(self.files[path]))

    def size(self, path: str) -> int:
        return len(self.files[path])

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, self.size(path))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            del self.files[path]

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def _not_there(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("an object store has no such operation that a run may count on")

    mkdirs = copy = rename = last_updated = _not_there
