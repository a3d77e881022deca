"""Objects of an S3 service, or one that speaks its language, by the client that Beam's options for S3 describe.

Requests are made here and not by Beam's file system, which makes a client for each of them (70 ms of a core), reads
16 MiB at least, sends the smallest file in three requests, and tries for minutes where credentials are missing.
docs/object_stores.md has the figures.
"""

import io
import os
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, BinaryIO, Final, cast

from apache_beam.io.filesystem import FileSystem
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, S3Options

from schemas.errors import UsageError
from transforms.ranges import BLOCK_BYTES, Ranges

try:
    from apache_beam.io.aws.clients.s3.boto3_client import Client
    from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

    from transforms.s3_letters import (
        DENIED,
        MISSING,
        NO_BUCKET,
        S3,
        ObjectError,
        error_code,
        letters,
        place_of,
        split_path,
    )
except ImportError as error:
    raise UsageError("For files on s3:// boto3 must be installed: pip install 'cleartitle[aws]'.") from error

_TRIES: Final = 5
"""A body that breaks off is asked for again; what fails before a body begins is tried again by boto3 itself."""
_MOST_DELETED: Final = 1000
"""Keys that one request may delete."""
_EMPTY: Final = ("416", "InvalidRange")
_MAKING: Final = threading.Lock()
"""Held while a client is made: many threads ask first at the same moment, and a cache alone lets each make its own."""


def open_object(path: str) -> BinaryIO:
    """Open an object for reading; it can seek. The first request fetches its end: a footer, or all of a small file."""
    with letters(path):
        try:
            answer, tail = _get(path, f"bytes=-{BLOCK_BYTES}")
        except ClientError as error:
            if error_code(error) not in _EMPTY:
                raise
            return io.BytesIO()
    size = int(answer.get("ContentRange", f"/{len(tail)}").rpartition("/")[2])

    def fetch(start: int, stop: int) -> bytes:
        with letters(path):
            return _get(path, f"bytes={start}-{stop - 1}", IfMatch=answer["ETag"])[1]

    return cast(BinaryIO, io.BufferedReader(Ranges(size, fetch, tail)))


def object_size(path: str) -> int | None:
    """Size in bytes; None if there is no such object."""
    head = _head(path)
    return None if head is None else int(head["ContentLength"])


def object_etag(path: str) -> str:
    """What the service says of the content: for an object sent in one piece, most often its MD5."""
    return str(_existing(path)["ETag"])


def send_object(source: str, path: str) -> None:
    """Send a local file; it shows whole, under its name, at the end. A larger one goes in pieces of 8 MiB."""
    with letters(path, of_bucket=True), open(source, "rb") as stream:
        _client().upload_fileobj(stream, **place_of(path))


def copy_object(source: str, path: str) -> None:
    """Copy an object inside of the service."""
    with letters(path, of_bucket=True):
        try:
            _client().copy(place_of(source), **place_of(path))
        except ClientError:
            _existing(source)  # which of the two is at fault the answer does not say; this has letters of its own
            raise


def match_objects(pattern: str) -> list[str]:
    """Paths that fit a glob as Beam understands it; keys that end with a slash only stand for a folder."""
    bucket, key = split_path(pattern)
    root = f"{S3}{bucket}/"
    if pattern.endswith("/"):
        pattern += "*"
    # Python warns of a bracket in brackets, by which patterns escape it.
    fits = re.compile(FileSystem.translate_pattern(pattern).replace("[[]", r"\[")).match
    stem = re.split(r"[*?\[]", key, maxsplit=1)[0]
    return [path for key, _ in _list(root + stem) if fits(path := root + key) and not key.endswith("/")]


def sizes_in(directory: str) -> dict[str, int]:
    """Bytes of the objects directly in a directory, by their names there."""
    prefix = _folder(directory)
    found = {key[len(prefix) :]: size for key, size in _list(directory, folder=True)}
    return {name: size for name, size in found.items() if name and not name.endswith("/")}


def names_in(directory: str) -> list[str]:
    """Names of objects and folders directly in a directory."""
    prefix = _folder(directory)
    return sorted({key[len(prefix) :].rstrip("/") for key, _ in _list(directory, folder=True)} - {""})


def delete_tree(path: str) -> None:
    """Delete an object, and all that lie below it as if it were a directory."""
    place = place_of(path)
    keys = [key for key, _ in _list(f"{path.rstrip('/')}/")]
    if _head(path):
        keys.append(place["Key"])
    for start in range(0, len(keys), _MOST_DELETED):
        batch = {"Objects": [{"Key": key} for key in keys[start : start + _MOST_DELETED]], "Quiet": True}
        with letters(path, of_bucket=True):
            failed = _client().delete_objects(Bucket=place["Bucket"], Delete=batch).get("Errors", [])
        if failed:
            raise ObjectError(None, f"{failed[0]['Key']} cannot be deleted: {failed[0].get('Message')}", path)


def _list(path: str, *, folder: bool = False) -> Iterator[tuple[str, int]]:
    """Key and size of what begins with a path; of a `folder` only what is directly in it, folders with a slash."""
    bucket, key = split_path(path)
    more = {"Prefix": _folder(path), "Delimiter": "/"} if folder else {"Prefix": key}
    with letters(path, of_bucket=True):
        for page in _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, **more):
            yield from ((found["Key"], found["Size"]) for found in page.get("Contents", ()))
            yield from ((found["Prefix"], 0) for found in page.get("CommonPrefixes", ()))


def _get(path: str, span: str, **more: str) -> tuple[dict[str, Any], bytes]:
    """The answer to a request for a range, and its body."""
    tries = 0
    while True:
        answer = _client().get_object(**place_of(path), Range=span, **more)
        try:
            return answer, answer["Body"].read()
        except (HTTPClientError, IncompleteReadError):
            tries += 1
            if tries == _TRIES:
                raise


def _existing(path: str) -> dict[str, Any]:
    head = _head(path)
    if head is None:
        raise FileNotFoundError(f"there is no {path}")
    return head


def _head(path: str) -> dict[str, Any] | None:
    with letters(path):
        client, place = _client(), place_of(path)
        try:
            return cast(dict[str, Any], client.head_object(**place))
        except ClientError as error:
            if error_code(error) not in MISSING:
                raise
            _ask_for_bucket(client, place["Bucket"])
            return None


@lru_cache
def _ask_for_bucket(client: Any, bucket: str) -> None:
    """Raise the error that GET has where there is no bucket; the answer to HEAD has no body to tell it in.

    Buckets that are there are remembered. Who may not ask is told nothing, and may be right to look for objects.
    """
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error_code(error) in MISSING:
            raise ClientError({"Error": {"Code": NO_BUCKET}}, "HeadBucket") from error
        if error_code(error) not in DENIED:
            raise


def _folder(path: str) -> str:
    """What the keys in a directory begin with."""
    key = split_path(path)[1].rstrip("/")
    return f"{key}/" if key else ""


def _client() -> Any:
    """The client of this process, made anew where options or environment changed."""
    options = FileSystems.get_filesystem(S3)._options or {}
    if isinstance(options, PipelineOptions):
        options = options.view_as(S3Options).get_all_options(current_only=True)
    said = {name: value for name, value in options.items() if name.startswith("s3_")}
    around = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with _MAKING:
        return _made(tuple(sorted(said.items())), tuple(sorted(around.items())))


@lru_cache(4)
def _made(options: tuple[tuple[str, Any], ...], _: tuple[tuple[str, str], ...]) -> Any:
    return Client(dict(options)).client
