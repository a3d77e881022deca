"""Files on S3: one by one and by thousands, with odd names, through faults, and the letters for what cannot work."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import UsageError
from tests.s3_server import CUT, Fault, S3Server, make_bucket, objects, s3_service, unfinished_uploads
from transforms import part_store as store
from transforms.measure.list_files import list_files
from transforms.part_store import Stage
from transforms.ranges import BLOCK_BYTES, MOST_AHEAD, Ranges
from transforms.remote_files import match_remote, remote_checksum

LARGE = bytes(range(251)) * (17 * 4200)
"""Three pieces of an upload, and not a multiple of any of them."""
ODD_NAMES = ("a b", "50%", "50%25", "größe", "本", "a+b&c=d", "it's", "#1", "[x]", "x", "~")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A service with some buckets."""
    with s3_service() as server:
        make_bucket("some", {"a/1": b"one", "a/b/2": b"two", "ab/3": b"three", "c": b""})
        make_bucket("other", {"a/1": b"elsewhere"})
        make_bucket("folders", {"out/": b"", "out/in/": b"", "out/in/x": b"1", "out/y": b"2"})
        make_bucket("odd", {f"in/{name}": name.encode() for name in ODD_NAMES})
        make_bucket("many", {f"all/{number:05}": b"" for number in range(1001)})
        make_bucket("large", {"file": LARGE})
        make_bucket("written")
        yield server


@pytest.fixture(autouse=True)
def fresh(s3: S3Server) -> None:
    """No request is known, and no option is set."""
    s3.requests.clear()
    FileSystems.set_options(None)


def read(path: str) -> bytes:
    with store.open_input(path) as stream:
        return stream.read()


def write(path: str, content: bytes) -> None:
    with store.write_file(path) as file:
        file.write(content)


def letter(path: str) -> str:
    """What a user is told who lists the path."""
    with pytest.raises(UsageError) as refusal:
        store.list_names(path)
    return str(refusal.value)


def test_small_file_is_read_by_one_request(s3: S3Server) -> None:
    """And without the size being asked for."""
    assert read("s3://some/a/1") == b"one"
    assert s3.counts() == {"GET": 1}


def test_empty_file_is_read_and_written(s3: S3Server) -> None:
    """Though it has no range that could be asked for."""
    assert read("s3://some/c") == b""
    write("s3://written/empty", b"")
    assert (objects("written", "empty"), store.file_size("s3://written/empty")) == ({"": b""}, 0)


def test_footer_costs_a_footer(s3: S3Server) -> None:
    """The end comes with the first request, whatever the file is."""
    with store.open_input("s3://large/file") as stream:
        assert stream.seek(-10, io.SEEK_END) == len(LARGE) - 10
        assert stream.read() == LARGE[-10:]
    assert (s3.counts(), s3.bytes()) == ({"GET": 1}, BLOCK_BYTES)


def test_large_file_is_sent_in_pieces_and_read_back_equal(s3: S3Server, tmp_path: Path) -> None:
    """Three pieces, with what begins and ends an upload; reading on takes more by each request."""
    write("s3://written/large", LARGE)
    assert objects("written", "large") == {"": LARGE}
    assert s3.counts() == {"PUT": 5}
    s3.requests.clear()
    store.copy_file("s3://written/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == LARGE
    assert s3.counts()["GET"] < 12
    assert unfinished_uploads("written") == 0


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=60),
    st.lists(st.tuples(st.integers(0, 70), st.integers(-1, 70) | st.none()), max_size=8),
    st.integers(0, 60),
)
def test_ranges_read_as_a_file_in_memory_does(content: bytes, reads: list[tuple[int, int]], tail: int) -> None:
    """Any seeks and reads, with any part of the end known before; what is fetched lies inside of the file."""

    def fetch(start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(content)
        return content[start:stop]

    known = content[max(0, len(content) - tail) :]
    plain, ranges = io.BytesIO(content), io.BufferedReader(Ranges(len(content), fetch, known), 4)
    for at, size in reads:
        assert (plain.seek(at), plain.read(size)) == (ranges.seek(at), ranges.read(size))
        assert plain.tell() == ranges.tell()


def test_reading_on_fetches_twice_as_much_by_each_request_up_to_a_limit() -> None:
    """So a crawl file of any size takes few requests, and a seek begins small again."""
    asked: list[int] = []

    def fetch(start: int, stop: int) -> bytes:
        asked.append(stop - start)
        return bytes(stop - start)

    stream = io.BufferedReader(Ranges(100 << 20, fetch))
    for _ in range(800):
        stream.read(1 << 16)
    assert asked[:3] == [BLOCK_BYTES, 2 * BLOCK_BYTES, 4 * BLOCK_BYTES]
    assert max(asked) == MOST_AHEAD
    stream.seek(90 << 20)
    stream.read(1)
    assert asked[-1] == BLOCK_BYTES


def test_names_in_a_directory_cost_one_request_however_much_lies_below(s3: S3Server) -> None:
    """Files and folders, each once; a directory whose name is longer is another one."""
    assert store.list_names("s3://some/a") == ["1", "b"]
    assert store.list_file_names("s3://some/a/") == ["1"]
    assert store.list_names("s3://some") == ["a", "ab", "c"]
    assert store.list_names("s3://some/none") == []
    assert store.list_names("s3://many") == ["all"]
    assert s3.counts() == {"LIST": 5}


def test_more_files_than_one_listing_holds_are_all_found(s3: S3Server) -> None:
    """A listing gives a thousand at a time."""
    expected = [f"s3://many/all/{number:05}" for number in range(1001)]
    assert match_remote("s3://many/all/*") == expected
    assert len(store.list_file_names("s3://many/all")) == 1001
    assert s3.counts() == {"LIST": 4}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_names_like_any_other(s3: S3Server, name: str) -> None:
    """Spaces, percent signs, Unicode, and what is a wildcard in patterns."""
    path = f"s3://odd/in/{name}"
    assert (read(path), store.exists(path), store.file_size(path)) == (name.encode(), True, len(name.encode()))
    assert name in store.list_names("s3://odd/in")
    write(f"s3://odd/new/{name}/x", b"1")
    store.remove_tree(f"s3://odd/new/{name}")
    assert objects("odd", "new/") == {}
    assert len(objects("odd", "in/")) == len(ODD_NAMES)


def test_patterns_mean_what_they_mean_to_beam(s3: S3Server) -> None:
    """Against its own file system; what the pattern says literally is not a pattern."""
    for pattern in ("s3://odd/*/50%*", "s3://some/a/"):
        FileSystems.set_options(PipelineOptions([]))
        theirs = [found.path for found in FileSystems.match([pattern])[0].metadata_list]
        assert match_remote(pattern) == theirs, pattern
    assert match_remote("s3://odd/in/[[]x]") == ["s3://odd/in/[x]"]
    assert match_remote("s3://odd/in/none*") == []


def test_keys_that_stand_for_folders_are_no_files(s3: S3Server) -> None:
    """Consoles make them; a directory with nothing else in it is empty, and removing a directory takes them along."""
    assert store.list_names("s3://folders/out") == ["in", "y"]
    assert store.list_file_names("s3://folders/out/in") == ["x"]
    assert match_remote("s3://folders/**") == ["s3://folders/out/in/x", "s3://folders/out/y"]
    store.remove_tree("s3://folders/out/in/x")
    assert store.list_names("s3://folders/out/in") == []
    store.remove_tree("s3://folders/out")
    assert objects("folders") == {}


def test_removed_tree_takes_thousands_and_nothing_beside_it(s3: S3Server) -> None:
    """A request deletes a thousand keys; a neighbour whose name begins with its name stays, and is not even listed."""
    make_bucket("gone", {f"x/{number}": b"" for number in range(1001)} | {"x": b"", "xy": b"", "x-/1": b""})
    store.remove_tree("s3://gone/x")
    assert objects("gone") == {"xy": b"", "x-/1": b""}
    assert s3.counts() == {"DELETE": 2, "HEAD": 1, "LIST": 2}


def test_buckets_are_apart_and_files_are_copied_between_them_in_the_service(s3: S3Server) -> None:
    """No byte of the file comes here."""
    assert (read("s3://some/a/1"), read("s3://other/a/1")) == (b"one", b"elsewhere")
    s3.requests.clear()
    store.link_or_copy("s3://large/file", "s3://written/copied")
    assert objects("written", "copied") == {"": LARGE}
    assert s3.bytes() < 10_000


def test_etag_stands_for_the_content(s3: S3Server) -> None:
    """A crawl on S3 is listed without being read, so its digests are not those of files on a disk."""
    (file,) = list_files(["s3://large/file"], None, "jsonl")
    assert (file.digest, file.bytes, file.name) == (remote_checksum("s3://large/file"), len(LARGE), "file")
    assert s3.bytes() < 3 * BLOCK_BYTES
    with pytest.raises(FileNotFoundError, match=r"^there is no s3://some/none$"):
        remote_checksum("s3://some/none")


def test_finished_parts_are_found_by_two_listings_and_a_request_for_each(s3: S3Server) -> None:
    """Sizes of their files come with the listing; one that is gone or cut is not done."""
    stage = Stage("s3://written/stage", "d")
    for number in range(20):
        write(stage.path(number), b"content")
        stage.finish(number, {"records": number}, ["parquet"])
    write(stage.path(3), b"cut")
    store.remove_tree(stage.path(4))
    s3.requests.clear()
    assert stage.done() == set(range(20)) - {3, 4}
    assert s3.counts() == {"GET": 20, "LIST": 2}
    assert [marker and marker["records"] for marker in stage.markers([2, 3, 99])] == [2, None, None]
    s3.requests.clear()
    assert (stage.marker(2) or {})["records"] == 2
    assert (stage.marker(99), stage.begun_for()) == (None, None)
    assert s3.counts() == {"GET": 3, "HEAD": 1}


@pytest.mark.parametrize("fault", [Fault("GET", CUT, every=2), Fault("GET", 500, every=2), Fault("GET", 503, every=3)])
def test_file_is_read_through_answers_that_fail_or_break_off(s3: S3Server, fault: Fault) -> None:
    """Each is asked for again, and no byte is lost or doubled."""
    with s3.failing(fault):
        assert read("s3://large/file") == LARGE
    assert fault.met > 1


def test_file_that_always_breaks_off_is_an_error_that_names_it(s3: S3Server) -> None:
    """After a few attempts, and never a short file."""
    with (
        s3.failing(Fault("GET", CUT)),
        pytest.raises(OSError, match=r"^s3://large/file: the service cannot be reached"),
    ):
        read("s3://large/file")
    with (
        s3.failing(Fault("GET", 503)),
        pytest.raises(OSError, match=r"^s3://large/file: S3 answered SlowDown: told to$"),
    ):
        read("s3://large/file")


def test_file_that_is_replaced_while_it_is_read_is_an_error(s3: S3Server) -> None:
    """A file is never read half from one and half from another."""
    make_bucket("replaced", {"file": LARGE})
    with store.open_input("s3://replaced/file") as stream:
        write("s3://replaced/file", LARGE[::-1])
        with pytest.raises(OSError, match=r"^s3://replaced/file: it was replaced while it was being read$"):
            stream.read()


@pytest.mark.parametrize("content", [b"small", LARGE])
def test_upload_that_fails_at_times_arrives_whole(s3: S3Server, content: bytes) -> None:
    """Pieces too are sent again; who sends several at a time may meet both failures with one of them."""
    fault = Fault("PUT", 500, times=2)
    with s3.failing(fault):
        write("s3://written/through", content)
    assert fault.failed == 2
    assert objects("written", "through") == {"": content}


@pytest.mark.parametrize(("content", "after"), [(b"small", 0), (LARGE, 0), (LARGE, 2), (LARGE, 4)])
def test_upload_that_dies_leaves_the_earlier_file_and_nothing_unfinished(
    s3: S3Server, content: bytes, after: int
) -> None:
    """At its beginning, after a piece, or at its end; pieces that arrived are given up, so that they cost no rent."""
    write("s3://written/kept", b"earlier")
    with s3.failing(Fault("PUT", 503, after=after)), pytest.raises(OSError, match=r"^s3://written/kept: S3 answered"):
        write("s3://written/kept", content)
    assert (objects("written", "kept"), unfinished_uploads("written")) == ({"": b"earlier"}, 0)


def test_key_that_cannot_be_deleted_is_an_error_that_names_it(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service answers 200 then, and says so inside."""
    answer = (
        b"<DeleteResult><Error><Key>a/1</Key><Code>AccessDenied</Code><Message>held</Message></Error></DeleteResult>"
    )
    monkeypatch.setattr("moto.s3.responses.S3Response._bucket_response_delete_keys", lambda *_: (200, {}, answer))
    with pytest.raises(OSError, match=r"^s3://some/a: a/1 cannot be deleted: held$"):
        store.remove_tree("s3://some/a")


def test_missing_file_is_a_file_that_was_not_found(s3: S3Server) -> None:
    """As on a disk."""
    with pytest.raises(FileNotFoundError, match=r"^there is no s3://some/none$"):
        read("s3://some/none")
    assert (store.exists("s3://some/none"), store.file_size("s3://some/none")) == (False, None)


def test_bucket_that_does_not_exist_is_named(s3: S3Server) -> None:
    """Whether it is listed, read or written to."""
    told = "there is no bucket `nobody`. Correct the name, or make the bucket first."
    assert letter("s3://nobody/out") == f"s3://nobody/out: {told}"
    with pytest.raises(UsageError, match="there is no bucket `nobody`"):
        read("s3://nobody/x")
    with pytest.raises(UsageError, match="there is no bucket `nobody`"):
        write("s3://nobody/x", b"1")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "Unable to locate credentials"),
        ({"AWS_SECRET_ACCESS_KEY": None}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        ({"AWS_DEFAULT_REGION": "no where"}, "Provided region_name 'no where' doesn't match a supported format."),
        ({"AWS_ENDPOINT_URL": "nowhere"}, "Invalid endpoint: nowhere"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_sent(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str | None], words: str
) -> None:
    """The letter says what is wrong, and where it is set."""
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    told = letter("s3://some/a")
    assert told.startswith(f"s3://some/a: {words}")
    assert told.endswith("(--s3_endpoint_url and others). See docs/object_stores.md.")
    assert s3.requests == []


def test_no_region_is_needed(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a service that lies at an endpoint of its own."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert read("s3://some/a/1") == b"one"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "InvalidAccessKeyId", "S3 does not accept the credentials (InvalidAccessKeyId: told to)."),
        (403, "SignatureDoesNotMatch", "S3 does not accept the credentials (SignatureDoesNotMatch: told to)."),
        (403, "AccessDenied", "S3 denies access to the bucket `some` (AccessDenied: told to)."),
        (400, "AuthorizationHeaderMalformed", "the bucket `some` lies in another region"),
    ],
)
def test_refusal_by_the_service_is_a_letter(s3: S3Server, status: int, code: str, words: str) -> None:
    """Short, with what the service said, and never a traceback."""
    with s3.failing(Fault("LIST", status, code)):
        assert letter("s3://some/a").startswith(f"s3://some/a: {words}")


def test_denied_object_and_expired_credentials_are_errors_of_the_work(s3: S3Server) -> None:
    """The first may be one file of many; the second befalls a run that was right when it began."""
    with s3.failing(Fault("GET", 403, "AccessDenied")), pytest.raises(OSError, match="s3://some/a/1: S3 denies access"):
        read("s3://some/a/1")
    with s3.failing(Fault("HEAD", 403)), pytest.raises(OSError, match="without s3:ListBucket also for what is not"):
        store.exists("s3://some/a/1")
    with (
        s3.failing(Fault("GET", 400, "ExpiredToken")),
        pytest.raises(OSError, match="Renew them, and go on with --res"),
    ):
        read("s3://some/a/1")


def test_service_that_cannot_be_reached_is_an_error_of_the_work(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds later, not minutes."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r'^s3://some/a: the service cannot be reached.*"http://127.0.0.1:9/'):
        store.list_names("s3://some/a")


def test_missing_library_is_named(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.delitem(sys.modules, "transforms.s3_files", raising=False)
    monkeypatch.delattr("transforms.s3_files", raising=False)
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    assert letter("s3://some/a") == "For files on s3:// boto3 must be installed: pip install 'cleartitle[aws]'."


def test_endpoint_is_taken_from_beam_s_options_before_the_environment(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker gets options as a dict on some runners."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for options in (PipelineOptions([f"--s3_endpoint_url={s3.address}"]), {"s3_endpoint_url": s3.address}):
        FileSystems.set_options(options)
        assert read("s3://some/a/1") == b"one"
