"""Files that lie elsewhere: on S3, on any other file system that Beam knows, or, to be read only, behind http(s).

Beam, boto3 and fsspec are imported when the first such path is met: whoever asks a dataset on the own disk waits for
none of them.
"""

import glob
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast

from schemas.errors import UsageError
from transforms.ranges import Ranges

HTTP: Final = ("http://", "https://")
S3: Final = "s3://"
AS_STORED: Final = "uncompressed"
"""What Beam calls files that it shall not unpack (`CompressionTypes.UNCOMPRESSED`)."""
_GONE: Final = (404, 410)


def is_http(path: str) -> bool:
    """Whether the path can only be read, by requests for ranges of bytes."""
    return path.startswith(HTTP)


def is_s3(path: str) -> bool:
    """Whether the path is that of an object of an S3 service."""
    return path.startswith(S3)


def open_remote(path: str) -> BinaryIO:
    """Open a file for reading, bytes as stored; it can seek. Raises OSError, FileNotFoundError where there is none."""
    if is_http(path):
        return _open_web(path)
    if is_s3(path):
        return _s3().open_object(path)
    with _letters(path):
        # Some file systems look at a file only when it is first read, and each has an error of its own then.
        if not _beam().exists(path):
            raise FileNotFoundError(f"there is no {path}")
        return cast(BinaryIO, _beam().open(path, compression_type=AS_STORED))


def send_remote(source: str, path: str) -> None:
    """Send a local file, which shows under its name when all is sent. Raises OSError."""
    if is_http(path):
        raise OSError(f"{path}: what lies behind http(s) can be read only")
    if is_s3(path):
        _s3().send_object(source, path)
        return
    with _letters(path), open(source, "rb") as stream, _beam().create(path, compression_type=AS_STORED) as file:
        shutil.copyfileobj(stream, file, 1 << 20)


def copy_in_place(source: str, path: str) -> bool:
    """Copy a file where it lies, if its file system can do so without the bytes coming here; whether it was done."""
    both = is_s3(source) and is_s3(path)
    if both:
        _s3().copy_object(source, path)
    return both


def remote_size(path: str) -> int | None:
    """Size of a file in bytes; None if there is none."""
    if is_http(path):
        return _web_size(path)
    if is_s3(path):
        return _s3().object_size(path)
    with _letters(path):
        return int(_beam().get_filesystem(path).size(path)) if _beam().exists(path) else None


def remote_exists(path: str) -> bool:
    if is_http(path) or is_s3(path):
        return remote_size(path) is not None
    with _letters(path):
        return bool(_beam().exists(path))


def match_remote(pattern: str) -> list[str]:
    """Paths that fit a glob; behind http(s) nothing can be listed, so there it is empty."""
    if is_http(pattern):
        return []
    if is_s3(pattern):
        return _s3().match_objects(pattern)
    return [found.path for found in _match(pattern)]


def remote_names(directory: str) -> list[str]:
    """Sorted names of the files and folders directly in a directory."""
    if is_s3(directory):
        return _s3().names_in(directory)
    return sorted({name.split("/")[0] for name in _below(directory, "**")})


def remote_sizes(directory: str) -> dict[str, int]:
    """Bytes of the files directly in a directory, by name; none of what lies deeper."""
    return _s3().sizes_in(directory) if is_s3(directory) else _below(directory, "*")


def remote_checksum(path: str) -> str:
    """What the file system itself says of the content of a file."""
    if is_s3(path):
        return _s3().object_etag(path)
    with _letters(path):
        return str(_beam().checksum(path))


def delete_remote(path: str) -> None:
    """Delete a file, or all that lie below it as if it were a directory, if there are any; never a whole bucket."""
    if "/" not in path.partition("://")[2].strip("/"):
        raise UsageError(f"{path} is a whole bucket, which is never removed. Name a directory in it.")
    if is_s3(path):
        _s3().delete_tree(path)
        return
    plain = glob.escape(path.rstrip("/"))
    if found := [one.path for pattern in (plain, f"{plain}/**") for one in _match(pattern)]:
        with _letters(path):
            _beam().delete(found)


def _below(directory: str, pattern: str) -> dict[str, int]:
    """Bytes of the files below a directory that a pattern takes, by their names there."""
    if is_http(directory):
        return {}
    prefix = f"{directory.rstrip('/')}/"
    return {one.path[len(prefix) :]: int(one.size_in_bytes) for one in _match(glob.escape(prefix) + pattern)}


def _match(pattern: str) -> list[Any]:
    with _letters(pattern):
        return list(_beam().match([pattern])[0].metadata_list)


@contextmanager
def _letters(path: str) -> Iterator[None]:
    """Beam reports by path what went wrong, in an error whose text is a dict."""
    try:
        yield
    except OSError as error:
        details = getattr(error, "exception_details", None)
        if not details:
            raise
        raise OSError(f"{path}: {next(iter(details.values()))}") from error


def _open_web(path: str) -> BinaryIO:
    size = remote_size(path)
    if size is None:
        raise FileNotFoundError(f"{path}: there is no such file")

    def fetch(start: int, stop: int) -> bytes:
        try:
            data: bytes = _web().cat_file(path, start=start, end=stop)
        except Exception as error:  # aiohttp has errors of many kinds
            raise OSError(f"{path}: {_words(error.__cause__ or error)}") from error
        if len(data) > stop - start:
            raise OSError(f"{path}: the server gives no ranges of files, so it cannot be asked")
        if len(data) != stop - start:
            raise OSError(f"{path}: the server gave {len(data)} bytes for a range of {stop - start}")
        return data

    return cast(BinaryIO, io.BufferedReader(Ranges(size, fetch)))


def _web_size(path: str) -> int | None:
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


def _words(error: BaseException) -> str:
    if status := getattr(error, "status", None):
        return f"the server answered {status}"
    return f"the server cannot be reached: {error or type(error).__name__}"


def _web() -> Any:
    import fsspec

    return fsspec.filesystem("https")


def _s3() -> Any:
    from transforms import s3_files

    return s3_files


def _beam() -> Any:
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
