"""Whole commands on S3: the same bytes as on a local disk, through faults and breaks, and letters before any work."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from apache_beam.io.filesystems import FileSystems

from lineage.takedowns import take_out
from tests.crawl_of_all_formats import similar, words, write_crawl
from tests.jobs import digests, manifest, run, write_config, write_jsonl
from tests.s3_server import CUT, Fault, S3Server, make_bucket, objects, s3_service
from tests.takedown_data import write_request
from transforms.part_store import open_input, remove_tree, write_file

TIMES = ("finished", "resumed", "seconds", "seal", "config")
"""What a manifest says of a run, and the config with the places of the files."""
BEAM = ("--", "--direct_num_workers=1")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A service with empty buckets."""
    with s3_service() as server:
        for name in ("crawl", "data", "work", "lists"):
            make_bucket(name)
        yield server


@pytest.fixture(scope="module", autouse=True)
def digests_of_content() -> Iterator[None]:
    """Digests of crawl files on S3 as they are on a local disk: with etags the build would have another id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("transforms.measure.list_files.remote_checksum", digest_of)
        yield


def digest_of(path: str) -> str:
    with open_input(path) as stream:
        return str(xxhash.xxh3_128(stream.read()).hexdigest())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crawl of all formats in several parts, with a JSONL and a Parquet file that are cut, and its local dataset."""
    place = tmp_path_factory.mktemp("object store")
    write_crawl(place / "crawl")
    rows = [{"id": n, "url": f"https://g.example/{n}", "text": similar(f"g{n % 190}")} for n in range(200)]
    write_jsonl(place / "crawl" / "large é.jsonl", rows)
    table = pa.table({"id": range(200), "url": ["x.example/h"] * 200, "text": [words(f"h{n}") for n in range(200)]})
    pq.write_table(table, place / "crawl/large.parquet", row_group_size=40, compression="none", use_dictionary=False)
    (place / "blocked.txt").write_text("a.example\n")
    local = config(place, "local", str(place / "crawl"), str(place / "blocked.txt"))
    assert run("curate", local, "--output", place / "dataset", "--quiet") == 0
    return place


def config(place: Path, name: str, crawl: str, blocked: str) -> Path:
    blocklist = {"name": "blocked", "path": blocked, "format": "domains", "category": "piracy"}
    return write_config(
        place / f"{name}.yaml",
        {
            "crawl": {"name": "all", "root": crawl, "files": [f"{crawl}/*.*"]},
            "plan": {"part_size": "64 KiB"},
            "sources": {"blocklists": [blocklist]},
        },
    )


@pytest.fixture(scope="module")
def on_s3(s3: S3Server, place: Path) -> Path:
    """The config of the same crawl and list on S3."""
    for path in sorted((place / "crawl").iterdir()):
        make_object("crawl", f"cc/{path.name}", path.read_bytes())
    make_object("lists", "blocked.txt", (place / "blocked.txt").read_bytes())
    return config(place, "s3", "s3://crawl/cc", "s3://lists/blocked.txt")


def make_object(bucket: str, key: str, content: bytes) -> None:
    with write_file(f"s3://{bucket}/{key}") as file:
        file.write(content)


def curate(config: Path, *arguments: object) -> int:
    return run("curate", config, *arguments, "--quiet", *BEAM)


@pytest.fixture(scope="module")
def dataset(s3: S3Server, on_s3: Path) -> list[Any]:
    """The requests that made `s3://data/one`."""
    s3.requests.clear()
    assert curate(on_s3, "--output", "s3://data/one") == 0
    return list(s3.requests)


def stored(prefix: str) -> dict[str, str]:
    """SHA-256 of the files of a dataset in the bucket `data`, by name, without its manifest."""
    found = objects("data", f"{prefix}/")
    return {name: sha256(content).hexdigest() for name, content in found.items() if name != "manifest.json"}


def facts(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name not in TIMES}


def test_dataset_on_s3_is_byte_for_byte_that_on_a_local_disk(dataset: list[Any], place: Path) -> None:
    """Crawl, list and dataset in three buckets; several parts; nothing is left beside the files of the dataset."""
    assert stored("one") == digests(place / "dataset")
    there = json.loads(objects("data", "one/")["manifest.json"])
    assert facts(there) == facts(manifest(place / "dataset"))
    assert there["config"]["crawl"]["files"] == ["s3://crawl/cc/*.*"]
    assert len(there["plan"]["parts"]) == 4


def test_manifest_is_one_upload_after_all_others(dataset: list[Any]) -> None:
    """That is the instant at which the dataset is there; after it only the work is removed."""
    writes = [request for request in dataset if request.kind in ("PUT", "DELETE")]
    (at,) = [number for number, request in enumerate(writes) if request.path == "/data/one/manifest.json"]
    assert {request.kind for request in writes[at + 1 :]} == {"DELETE"}
    assert writes[at].kind == "PUT"


def test_run_through_faults_ends_in_the_same_bytes(s3: S3Server, on_s3: Path, place: Path) -> None:
    """Uploads refused, reads refused and broken off, listings refused; `--work` lies in a bucket of its own."""
    faults = [
        Fault("PUT", 503, every=5),
        Fault("GET", 500, every=7),
        Fault("GET", CUT, every=11),
        Fault("LIST", 503, every=3),
        Fault("HEAD", 500, every=13),
        Fault("DELETE", 503, every=2),
    ]
    with s3.failing(*faults):
        assert curate(on_s3, "--output", "s3://data/through", "--work", "s3://work/w") == 0
    assert min(fault.met // fault.every for fault in faults[:-1]) > 0
    assert stored("through") == digests(place / "dataset")
    assert {name.split("/")[0] for name in objects("work", "w/")} == {"measured", "decided"}


def test_run_that_dies_leaves_no_dataset_and_goes_on(
    s3: S3Server, on_s3: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """First in publish, then at the manifest itself. What was done is not done again, nor read, as listings have its
    size; of what is gone or cut since, the part is written again; then the same bytes.
    """
    output = "s3://data/broken"
    for part, begun in (("documents/part-00001", []), ("broken/manifest", ["--resume"])):
        with s3.failing(Fault("PUT", 503, within=part)):
            assert curate(on_s3, "--output", output, *begun) == 1
        assert "S3 answered SlowDown: told to" in capsys.readouterr().err
        assert run("report", output) == 2
        assert f"{output} holds a dataset that is not finished: its run was interrupted" in capsys.readouterr().err
    remove_tree(f"{output}/ledger/part-00001.parquet")
    make_object("data", "broken/documents/part-00002.parquet", b"cut")
    make_object("data", "broken/index_keys/part-00000.parquet", b"cut")
    s3.requests.clear()
    assert curate(on_s3, "--output", output, "--resume") == 0
    asked = {kind: {one.path for one in s3.requests if one.kind == kind} for kind in ("PUT", "GET", "HEAD")}
    files = {f"/data/broken/{name}" for name in json.loads(objects("data", "broken/")["manifest.json"])["files"]}
    again = {path for path in files if re.search(r"/(?!index)\w+/part-0000[12]|index_keys/part-00000", path)}
    assert asked["PUT"] & files == asked["GET"] & files == again
    assert asked["HEAD"] & files == set()
    done = ("/data/broken/_work/measured/part", "/data/broken/_work/decided")
    assert not [path for path in asked["PUT"] if path.startswith(done)]
    assert stored("broken") == digests(place / "dataset")
    assert curate(on_s3, "--output", output, "--resume") == 0  # it is there, so nothing is done


def test_finished_dataset_is_checked_by_one_listing_of_each_folder(
    s3: S3Server, on_s3: Path, dataset: list[Any]
) -> None:
    """What is whole is left alone; where a file is cut, the manifest goes first."""
    for name, content in objects("data", "one/").items():
        make_object("data", f"checked/{name}", content)
    s3.requests.clear()
    assert curate(on_s3, "--output", "s3://data/checked", "--resume") == 0
    folders = {name.split("/")[0] for name in objects("data", "checked/")} - {"manifest.json"}
    here = [(one.kind, one.path) for one in s3.requests if one.path.startswith("/data")]
    assert not [path for kind, path in here if path.endswith(".parquet")]
    assert here.count(("LIST", "/data")) == len(folders) + 2  # the claim lists the root, and `_work` is looked for
    make_object("data", "checked/ledger/part-00003.parquet", b"cut")
    with s3.failing(Fault("PUT", 503)):
        assert curate(on_s3, "--output", "s3://data/checked", "--resume") == 1
    assert "manifest.json" not in objects("data", "checked/")


def test_resumed_publish_reads_what_lies_on_a_local_disk(place: Path, tmp_path: Path) -> None:
    """There a file can have its size and other bytes: that part and that index are written again, and no others."""
    local, out = config(place, "local", str(place / "crawl"), str(place / "blocked.txt")), tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("beam_jobs.publish.write_sealed_manifest", refuse)
        assert run("curate", local, "--output", out, "--quiet") == 1
    paths = sorted(out.glob("[!_]*/*.parquet"))
    before = {path: path.stat().st_ino for path in paths}
    for path in (out / "ledger" / "part-00001.parquet", out / "index_keys" / "part-00000.parquet"):
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    assert run("curate", local, "--output", out, "--quiet", "--resume") == 0
    again = {str(path.relative_to(out)) for path in paths if path.stat().st_ino != before[path]}
    assert {name.rpartition("/")[2] for name in again if not name.startswith("index")} == {"part-00001.parquet"}
    assert {name for name in again if name.startswith("index")} == {"index_keys/part-00000.parquet"}
    assert digests(out) == digests(place / "dataset")


def refuse(*_: object) -> None:
    raise OSError("the disk is gone")


def test_dataset_may_be_the_whole_of_a_bucket(
    s3: S3Server, on_s3: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is made, asked, refused a second time, and replaced there, as anywhere; a stranger's bucket is left alone."""
    make_bucket("whole")
    assert curate(on_s3, "--output", "s3://whole") == 0
    made = {name: sha256(content).hexdigest() for name, content in objects("whole").items()}
    assert {name: digest for name, digest in made.items() if name != "manifest.json"} == digests(place / "dataset")
    assert run("lookup", "s3://whole", "--url", "https://g.example/7") == 0
    assert curate(on_s3, "--output", "s3://whole/") == 2
    assert "s3://whole/ is not empty. Add\n" in capsys.readouterr().err
    with s3.failing(Fault("PUT", 503)):
        assert curate(on_s3, "--output", "s3://whole", "--overwrite") == 1
    assert objects("whole") == {}
    make_object("whole", "strange", b"")
    assert curate(on_s3, "--output", "s3://whole", "--overwrite") == 2
    assert list(objects("whole")) == ["strange"]
    assert curate(on_s3, "--output", "s3://crawl", "--resume") == 2
    assert "s3://crawl holds 8 of the input files" in capsys.readouterr().err


def test_started_directory_is_refused_and_overwritten_only_when_asked(
    s3: S3Server, on_s3: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And never where a stranger's files lie."""
    make_object("data", "measured/stage.json", b'{"digest": "of something else"}')
    make_object("data", "measured/part-00099.json", b"{}")
    measure = ("measure", on_s3, "--output", "s3://data/measured", "--quiet")
    assert run(*measure) == 2
    assert "s3://data/measured is not empty. Add\n" in capsys.readouterr().err
    assert run(*measure, "--overwrite") == 0
    assert "part-00099.json" not in objects("data", "measured/")
    make_object("data", "strange/x", b"")
    assert run("measure", on_s3, "--output", "s3://data/strange", "--overwrite", "--quiet") == 2
    assert "s3://data/strange holds x, but no run" in capsys.readouterr().err


def said(capsys: pytest.CaptureFixture[str], place: Path, *arguments: object) -> list[str]:
    """What a command prints of the dataset on S3; it prints the same of the local one, times of day aside."""
    printed = []
    for dataset in (str(place / "dataset"), "s3://data/one"):
        assert run(*(dataset if word == "DATASET" else word for word in arguments)) == 0
        printed.append(re.sub(r"T[\d:]{8}\+", "T+", capsys.readouterr().out.replace(dataset, "DATASET")))
    assert printed[0] == printed[1]
    return printed[1].splitlines()


def test_questions_have_the_same_answers_on_s3(
    s3: S3Server, dataset: list[Any], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By key, in SQL and by reading everything; no Beam option is known to them."""
    FileSystems.set_options(None)
    (line,) = said(capsys, place, "lookup", "DATASET", "--url", "g.example/7", "--format", "json")
    doc_id = json.loads(line)["doc_id"]
    assert "g.example/7" in "".join(said(capsys, place, "explain", "DATASET", doc_id))
    assert said(capsys, place, "verify", "DATASET")[-1] == "whole: no fault was found"
    assert run("diff", place / "dataset", "s3://data/one") == 0
    assert "\nno document differs\n" in capsys.readouterr().out


def test_lookup_takes_few_requests_and_bytes(
    s3: S3Server, dataset: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest, a row group of an index and one of the ledger: not more with more parts."""
    s3.requests.clear()
    assert run("lookup", "s3://data/one", "--url", "https://g.example/7") == 0
    assert "g.example/7" in capsys.readouterr().out
    assert s3.counts() == {"GET": 3, "HEAD": 1}


def test_takedown_makes_the_same_version_on_s3(
    s3: S3Server, dataset: list[Any], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From bucket to bucket; files that do not change are copied in the service."""
    monkeypatch.setattr(take_out, "now", lambda: "2026-11-02T12:00:00+00:00")
    request = write_request(place / "request.yaml", {"domains": ["g.example"]})
    assert run("takedown", place / "dataset", "--request", request, "--output", place / "new") == 0
    assert run("takedown", "s3://data/one", "--request", request, "--output", "s3://data/new") == 0
    local = {
        str(path.relative_to(place / "new")): sha256(path.read_bytes()).hexdigest()
        for path in (place / "new").rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert stored("new") == local


def test_endpoint_may_be_an_option_of_beam(
    s3: S3Server, on_s3: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For jobs; whatever is asked of a dataset knows the environment only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    endpoint = ("--", f"--s3_endpoint_url={s3.address}", "--direct_num_workers=1")
    assert run("measure", on_s3, "--output", "s3://data/by-option", "--quiet", *endpoint) == 0
    FileSystems.set_options(None)
    assert run("report", "s3://data/by-option") == 2
    assert "the service cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "files", "words"),
    [
        ("s3://nobody/out", "s3://crawl/cc/*", "s3://nobody/out: there is no bucket `nobody`."),
        ("s3://data/never", "s3://nobody/*", "s3://nobody/: there is no bucket `nobody`."),
        ("s3://data/never", "s3://crawl/none/*", "No file matches\n  s3://crawl/none/*\n"),
    ],
)
def test_bucket_that_does_not_exist_is_told_before_any_work(
    s3: S3Server, on_s3: Path, capsys: pytest.CaptureFixture[str], output: str, files: str, words: str
) -> None:
    """Exit code 2, and nothing is written."""
    s3.requests.clear()
    assert curate(on_s3, "--output", output, "--set", f'crawl.files=["{files}"]') == 2
    assert capsys.readouterr().err.startswith(f"cleartitle: {words}")
    assert "PUT" not in s3.counts()


def test_missing_credentials_are_told_before_any_work(
    s3: S3Server, on_s3: Path, dataset: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By jobs and by questions, in a moment, with exit code 2."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    question = ("lookup", "s3://data/one", "--url", "a.example")
    for arguments in (("curate", on_s3, "--output", "s3://data/never"), question):
        assert run(*arguments) == 2
        assert ": Unable to locate credentials\nS3 is set up by the environment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("PUT", 403, "AccessDenied"), "S3 denies access to the bucket `data`"),
        (Fault("LIST", 403, "SignatureDoesNotMatch"), "S3 does not accept the credentials"),
        (Fault("GET", 403, "AccessDenied", within="/crawl/"), "8 of 8 input files cannot be opened:\n"),
    ],
)
def test_refused_access_is_told_before_any_work(
    s3: S3Server, on_s3: Path, capsys: pytest.CaptureFixture[str], fault: Fault, words: str
) -> None:
    """A bucket that may be read and not written to is found out by the first write, which claims the output."""
    with s3.failing(fault):
        assert curate(on_s3, "--output", "s3://data/denied") == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert objects("data", "denied/") == {}
