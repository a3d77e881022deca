"""Places on S3: what a path names, which of two is at fault, buckets that are not there, and one client for all."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from apache_beam.io.filesystems import FileSystems

from schemas.errors import UsageError
from tests.jobs import run
from tests.s3_server import Fault, S3Server, make_bucket, objects, s3_service
from transforms import part_store as store
from transforms import s3_files
from transforms.part_store import Stage
from transforms.remote_files import match_remote

THREADS = 16


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A service with two buckets."""
    with s3_service() as server:
        make_bucket("some", {"a/1": b"one", "b/1": b"two", "c": b"three"})
        make_bucket("written")
        yield server


@pytest.fixture(autouse=True)
def fresh(s3: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No request is known, and the client is a new one, which knows no bucket."""
    s3.requests.clear()
    FileSystems.set_options(None)
    monkeypatch.setenv("AWS_OF_THIS_TEST", request.node.name)


def test_threads_that_begin_together_share_one_client(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client takes long to make, and what it is made from is not for several threads at once."""
    made: list[str] = []
    together = threading.Barrier(THREADS)

    def make(options: dict[str, Any], kind: Any = s3_files.Client) -> Any:
        made.append(threading.current_thread().name)
        return kind(options)

    def ask(_: int) -> bool:
        together.wait()
        return store.exists("s3://some/a/1")

    monkeypatch.setattr(s3_files, "Client", make)
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(ask, range(THREADS))) == [True] * THREADS
    assert len(made) == 1


@pytest.mark.parametrize(
    ("source", "target", "error", "words"),
    [
        ("s3://some/none", "s3://written/x", FileNotFoundError, "there is no s3://some/none"),
        ("s3://nobody/x", "s3://written/x", UsageError, "s3://nobody/x: there is no bucket `nobody`. "),
        ("s3://some/c", "s3://nobody/x", UsageError, "s3://nobody/x: there is no bucket `nobody`. "),
        ("s3://some", "s3://written/x", UsageError, "s3://some names no object"),
    ],
)
def test_copy_that_fails_names_the_one_at_fault(
    s3: S3Server, source: str, target: str, error: type[Exception], words: str
) -> None:
    """Whether it is what is copied or where to."""
    with pytest.raises(error) as failure:
        store.copy_file(source, target)
    assert str(failure.value).startswith(words)
    assert objects("written") == {}


def test_copy_that_is_denied_names_the_one_that_is(s3: S3Server) -> None:
    """The first may not be read; the second may not be written."""
    with s3.failing(Fault("HEAD", 403)), pytest.raises(OSError, match=r"^s3://some/c: S3 denies access"):
        store.copy_file("s3://some/c", "s3://written/x")
    with (
        s3.failing(Fault("PUT", 403, "AccessDenied")),
        pytest.raises(UsageError, match=r"^s3://written/x: S3 denies access to the bucket `written`"),
    ):
        store.copy_file("s3://some/c", "s3://written/x")


def test_bucket_that_does_not_exist_is_told_whatever_is_asked(s3: S3Server) -> None:
    """A file that is missing there is not a file that is missing."""
    for ask in (store.exists, store.file_size, store.remove_tree, store.list_names, store.read_json):
        with pytest.raises(
            UsageError, match=r"^s3://nobody/x.*: there is no bucket `nobody`\. Correct the name, or make"
        ):
            ask("s3://nobody/x")


def test_question_to_a_bucket_that_does_not_exist_says_so(s3: S3Server, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not said that the dataset is missing; exit code 2."""
    for arguments in (("lookup", "s3://nobody/d", "--url", "a.example"), ("report", "s3://nobody/d")):
        assert run(*arguments) == 2
        told = capsys.readouterr().err
        assert told.startswith("cleartitle: s3://nobody/d/manifest.json: there is no bucket `nobody`."), told


def test_bucket_is_asked_for_once(s3: S3Server) -> None:
    """And only if something is missing there."""
    assert store.exists("s3://some/a/1")
    assert s3.counts() == {"HEAD": 1}
    assert not store.exists("s3://some/none")
    assert s3.counts() == {"HEAD": 3}
    assert not store.exists("s3://some/a/none")
    assert s3.counts() == {"HEAD": 4}


def test_bucket_that_is_made_later_is_seen(s3: S3Server) -> None:
    """Only what is there is remembered."""
    with pytest.raises(UsageError, match="there is no bucket `later`"):
        store.exists("s3://later/x")
    make_bucket("later", {"x": b"1"})
    assert (store.exists("s3://later/x"), store.exists("s3://later/y")) == (True, False)


def test_bucket_that_may_not_be_asked_for_is_there(s3: S3Server) -> None:
    """The answer for the object was that it is missing. What else goes wrong is told."""
    with s3.failing(Fault("HEAD", 403, after=1)):
        assert not store.exists("s3://some/none")
    make_bucket("third")
    with s3.failing(Fault("HEAD", 400, after=1)), pytest.raises(OSError, match=r"^s3://third/none: S3 answered 400"):
        store.exists("s3://third/none")


@pytest.mark.parametrize("path", ["s3://some", "s3://some/"])
def test_path_of_a_bucket_names_no_object(s3: S3Server, path: str) -> None:
    """It can be listed, and that is all."""
    for ask in (store.open_input, store.exists, store.file_size, store.read_json):
        with pytest.raises(UsageError) as refusal:
            ask(path)
        assert str(refusal.value) == f"{path} names no object, only a bucket. Write s3://BUCKET/PATH."
    assert store.list_names(path) == ["a", "b", "c"]
    assert store.list_file_names(path) == ["c"]
    assert {request.kind for request in s3.requests} == {"LIST"}


@pytest.mark.parametrize("path", ["s3://", "s3:///", "s3:///a"])
def test_path_without_a_bucket_is_refused(s3: S3Server, path: str) -> None:
    """Before anything is asked; no word of settings, which are not at fault."""
    for ask in (store.open_input, store.exists, store.list_names, match_remote):
        with pytest.raises(UsageError) as refusal:
            ask(path)
        assert str(refusal.value) == f"{path} names no bucket. Write s3://BUCKET/PATH."
    assert s3.requests == []


def test_what_is_joined_to_a_path_without_a_bucket_stays_remote(
    s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """No directory `s3:` is made on the local disk, or asked."""
    with pytest.raises(UsageError, match=r"^s3:///stage\.json names no bucket\."):
        Stage("s3://", "d").begin({})
    assert run("report", "s3://") == 2
    assert capsys.readouterr().err == "cleartitle: s3:///manifest.json names no bucket. Write s3://BUCKET/PATH.\n"


@pytest.mark.parametrize("bucket", ["a b", "so*", "x?y"])
def test_name_that_no_bucket_can_have_is_told(s3: S3Server, bucket: str) -> None:
    """Nor can a pattern stand for buckets; what its beginning names is not listed."""
    for ask in (store.exists, match_remote):
        with pytest.raises(UsageError, match=f": no bucket can have the name `{re.escape(bucket)}`"):
            ask(f"s3://{bucket}/a/1")
    assert s3.requests == []


@pytest.mark.parametrize("path", ["s3://some", "s3://some/", "s3://some//", "memory://bucket"])
def test_whole_bucket_is_never_removed(s3: S3Server, path: str) -> None:
    """Whoever means all of it must do so by other means."""
    with pytest.raises(UsageError) as refusal:
        store.remove_tree(path)
    assert str(refusal.value) == f"{path} is a whole bucket, which is never removed. Name a directory in it."
    assert sorted(objects("some")) == ["a/1", "b/1", "c"]


def test_markers_that_are_not_there_are_not_asked_for(s3: S3Server) -> None:
    """The listing that has the sizes has their names too."""
    stage = Stage("s3://written/stage", "d")
    stage.finish(3, {"records": 1})
    s3.requests.clear()
    assert [marker and marker["records"] for marker in stage.markers(range(5))] == [None, None, None, 1, None]
    assert s3.counts() == {"GET": 1, "LIST": 1}


def test_sizes_come_from_one_listing_of_each_folder(s3: S3Server) -> None:
    """Of files that are asked for and are there, and of no others."""
    names = ["a/1", "a/2", "b/1", "c", "d/1"]
    assert store.file_sizes("s3://some", names) == {"a/1": 3, "b/1": 3, "c": 5}
    assert s3.counts() == {"LIST": 4}


def test_intact_file_is_one_of_its_size_and_on_a_disk_also_of_its_bytes(s3: S3Server, tmp_path: Path) -> None:
    """An object is whole or absent, so its size tells which; a file on a disk is read."""
    contents = {"a/1": b"one", "a/2": b"two", "3": b"three"}
    for directory in (str(tmp_path), "s3://written/facts"):
        for name, content in contents.items():
            with store.write_file(store.join(directory, name)) as file:
                file.write(content)
    files = {name: store.file_facts(str(tmp_path / name)) for name in contents} | {"4": {"bytes": 1, "sha256": ""}}
    for directory, other in ((str(tmp_path), set()), ("s3://written/facts", {"a/2"})):
        assert store.intact_files(directory, files) == {"a/1", "a/2", "3"}
        for name, content in (("a/1", b"cut"[:1]), ("a/2", b"owt")):
            with store.write_file(store.join(directory, name)) as file:
                file.write(content)
        s3.requests.clear()
        assert store.intact_files(directory, files) == {"3"} | other
    assert s3.counts() == {"LIST": 2}
