"""The benchmark of lists: what it measures with, on a list of a few lines."""

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmarks import lists as under_test
from benchmarks.lists import cut_archive, every_hundredth, fetch_archive, make_urls, make_words, share_bytes
from tests.listed import pages
from transforms.decide.lists.load_lists import SourceLists
from transforms.urls import url_columns


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive as that of datatrove is: two files in no folder."""
    path = tmp_path / "archive.tar.gz"
    contents = {"urls": "a.example/x\n", "domains": "".join(f"listed-{number}.example\n" for number in range(300))}
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return path


def test_archive_is_taken_out_of_the_wheel_that_pip_downloads(tmp_path: Path) -> None:
    """Once, and from whatever package index pip is told to use."""
    commands = []

    def download(command: list[str], check: bool) -> None:
        commands.append(command)
        with zipfile.ZipFile(tmp_path / "build" / "datatrove-0.10.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(under_test.MEMBER, b"archive")

    with mock.patch.object(subprocess, "run", download):
        paths = [fetch_archive(tmp_path / "build") for _ in range(2)]
    assert [path.read_bytes() for path in paths] == [b"archive"] * 2
    assert len(commands) == 1
    assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert commands[0][-1] == "datatrove==0.10.1"
    assert not any("://" in word for word in commands[0])


def test_archive_is_cut_to_a_list_of_each_kind(archive: Path, tmp_path: Path) -> None:
    """Every line of the patterns is one."""
    blocklists = cut_archive(archive, tmp_path / "cut")
    found = SourceLists.read(blocklists)
    assert [one["blocks"] for one in found.facts()] == [
        {"domains": 300, "prefixes": 0, "patterns": 0},
        {"domains": 0, "prefixes": 1, "patterns": 0},
        {"domains": 0, "prefixes": 0, "patterns": 1_000},
    ]
    assert every_hundredth(tmp_path / "cut" / "domains") == [f"listed-{number}.example" for number in (0, 100, 200)]


def test_urls_are_the_same_every_time_and_mostly_of_distinct_hosts() -> None:
    """Two in a hundred are of listed domains, one of a listed prefix, and all can be read."""
    urls = make_urls(3_000, ["listed.example"], ["a.example/x"])
    assert urls.equals(make_urls(3_000, ["listed.example"], ["a.example/x"]))
    hosts = url_columns(urls)["url_host_name"]
    assert (hosts.null_count, len(hosts.unique()) > 2_800) == (0, True)
    names = hosts.to_pylist()
    assert sum(name.endswith("listed.example") for name in names) == 60
    assert sum(url.endswith("://a.example/x") for url in urls.to_pylist()) == 30


def test_words_depend_on_the_seed_alone() -> None:
    """So the patterns are the same on every machine."""
    first, again = (make_words(np.random.default_rng(1), 50) for _ in range(2))
    assert first == again
    assert all(4 <= len(word) <= 12 for word in first)


def test_share_of_memory_is_that_of_a_living_process() -> None:
    """From Linux's /proc, in bytes."""
    assert share_bytes(under_test.os.getpid()) > 10 << 20


def test_time_of_a_core_counts_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first once more, beforehand."""
    monkeypatch.setattr(under_test, "BATCH", 2)
    seen: list[list[str]] = []
    seconds = under_test.core_seconds(
        lambda _, batch: seen.append(batch.to_pylist()), *pages("a.com", "b.com", "c.com")
    )
    assert seen == [["a.com", "b.com"], ["a.com", "b.com"], ["c.com"]]
    assert seconds >= 0


def test_command_prints_what_it_measured(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loading, memory of all processes, and a line for each kind of matching."""
    words = ["lists", "--archive", str(archive), "--urls", "500"]
    with mock.patch.object(sys, "argv", words), mock.patch.object(under_test, "DATA", tmp_path):
        under_test.main()
    said = capsys.readouterr().out
    assert "301 entries" in said
    assert "with 2 workers that match" in said
    rates = [line for line in said.splitlines() if line.startswith(("parse", "match", "the same"))]
    assert [line.split("  ")[0] for line in rates] == [
        "parse the URLs", "match domains", "match domains and prefixes", "the same and 1,000 patterns"
    ]  # fmt: skip
