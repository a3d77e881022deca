"""Files that lie elsewhere: on any file system that Beam knows, or, to be read only, behind http(s).

Beam and fsspec are imported when the first such path is met: whoever asks a dataset on the own disk waits for neither.
"""

import io
from typing import Any, BinaryIO, Final, cast

HTTP: Final = ("http://", "https://")
AS_STORED: Final = "uncompressed"
"""What Beam calls files that it shall not unpack (`CompressionTypes.UNCOMPRESSED`)."""
_GONE: Final = (404, 410)
BLOCK_BYTES: Final = 256 << 10
"""What one request behind http(s) fetches at least: a footer, or the columns of a small row group."""


def is_http(path: str) -> bool:
    """Whether the path can only be read, by requests for ranges of bytes."""
    return path.startswith(HTTP)


def open_remote(path: str) -> BinaryIO:
    """Open a file for reading, bytes as stored; it can seek. Raises OSError, FileNotFoundError where there is none."""
    if is_http(path):
        size = remote_size(path)
        if size is None:
            raise FileNotFoundError(f"{path}: there is no such file")
        return cast(BinaryIO, io.BufferedReader(_Ranges(path, size), BLOCK_BYTES))
    return cast(BinaryIO, _beam().open(path, compression_type=AS_STORED))


def create_remote(path: str) -> BinaryIO:
    """Open a file for writing, which shows under its name when it is closed. Raises OSError."""
    if is_http(path):
        raise OSError(f"{path}: what lies behind http(s) can be read only")
    return cast(BinaryIO, _beam().create(path, compression_type=AS_STORED))


def remote_size(path: str) -> int | None:
    """Size of a file in bytes; None if there is none."""
    if not is_http(path):
        found = _beam().match([path])[0].metadata_list
        return int(found[0].size_in_bytes) if found else None
    try:
        return int(_web().size(path))
    except FileNotFoundError as error:
        # Whatever went wrong comes as this; only these two answers mean that there is no such file.
        cause = error.__cause__
        if getattr(cause, "status", 404 if cause is None else None) in _GONE:
            return None
        raise OSError(f"{path}: {_words(cause or error)}") from error
    except (TypeError, ValueError) as error:
        raise OSError(f"{path}: the server says not how large it is") from error


def remote_exists(path: str) -> bool:
    return remote_size(path) is not None if is_http(path) else bool(_beam().exists(path))


def match_remote(pattern: str) -> list[str]:
    """Paths that fit a glob; behind http(s) nothing can be listed, so there it is empty."""
    return [] if is_http(pattern) else [m.path for m in _beam().match([pattern])[0].metadata_list]


def remote_checksum(path: str) -> str:
    """What the file system itself says of the content of a file."""
    return str(_beam().checksum(path))


def delete_remote(paths: list[str]) -> None:
    if paths:
        _beam().delete(paths)


class _Ranges(io.RawIOBase):
    """A file behind http(s), of which each read asks for one range of bytes."""

    def __init__(self, path: str, size: int):
        super().__init__()
        self.path, self.size, self.at = path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def readinto(self, room: Any) -> int:
        stop = min(self.at + len(room), self.size)
        if stop <= self.at:
            return 0
        try:
            data = _web().cat_file(self.path, start=self.at, end=stop)
        except Exception as error:  # aiohttp has errors of many kinds
            raise OSError(f"{self.path}: {_words(error.__cause__ or error)}") from error
        if len(data) > stop - self.at:
            raise OSError(f"{self.path}: the server gives no ranges of files, so it cannot be asked")
        if len(data) != stop - self.at:
            raise OSError(f"{self.path}: the server gave {len(data)} bytes for a range of {stop - self.at}")
        room[: len(data)] = data
        self.at = stop
        return len(data)


def _words(error: BaseException) -> str:
    if status := getattr(error, "status", None):
        return f"the server answered {status}"
    return f"the server cannot be reached: {error or type(error).__name__}"


def _web() -> Any:
    import fsspec

    return fsspec.filesystem("https")


def _beam() -> Any:
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
