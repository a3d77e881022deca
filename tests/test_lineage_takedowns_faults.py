"""Takedowns of datasets that were damaged, on disks without links, and of crawls that knew the request."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from lineage.takedowns import take_out, takedown
from schemas.errors import InputError
from tests.jobs import digests, manifest
from tests.takedown_data import files, inodes, shared_dataset
from transforms.publish.manifest import write_sealed_manifest
from transforms.takedowns.read_takedown import read_takedown

PIRATE = {"domains": ["pirate.example"]}
LATER = {"domains": ["later.example"]}
NOON = "2026-11-02T12:00:00+00:00"


@pytest.fixture(scope="module")
def old() -> Path:
    return shared_dataset()


@pytest.fixture
def own(old: Path, tmp_path: Path) -> Path:
    """A copy of the dataset that a test may damage."""
    return Path(shutil.copytree(old, tmp_path / "own"))


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("rejected/part-00001.parquet", lambda path: path.unlink(), " is gone"),
        ("fingerprints/part-00001.parquet", lambda path: path.write_bytes(b"short"), " has 5 bytes, not "),
        ("documents/part-00000.parquet", damage, " has other bytes"),
    ],
)
def test_dataset_that_was_changed_has_no_new_version(
    own: Path, tmp_path: Path, request_of: Any, name: str, change: Any, fault: str
) -> None:
    """A file that is gone or cut, or one to write again that has other bytes: it would get a digest that fits."""
    change(own / name)
    with pytest.raises(InputError) as error:
        takedown(str(own), request_of(PIRATE, scope="named"), str(tmp_path / "new"))
    first, second = str(error.value).splitlines()
    assert first.startswith(f"{own}/{name}{fault}")
    assert first.endswith(": the dataset was changed after it was written, so no new version is made of it.")
    assert second == f"`cleartitle verify {own}` says what else is damaged."
    assert list(files(tmp_path / "new")) == ["_work/takedown.json", "_work/lock"] or not digests(tmp_path / "new")


def test_dataset_that_cannot_be_read_is_answered_with_why(own: Path, tmp_path: Path, request_of: Any) -> None:
    """As soon as something damaged is looked at, before anything is written."""
    damage(own / "documents" / "part-00000.parquet")
    with pytest.raises(InputError) as error:
        takedown(str(own), request_of(PIRATE), str(tmp_path / "new"))
    assert str(error.value).startswith(f"{own} cannot be read: ")
    assert str(error.value).endswith(f"`cleartitle verify {own}` says what is damaged.")
    assert not (tmp_path / "new").exists()


def test_files_are_copied_where_the_disk_has_no_links(
    old: Path, tmp_path: Path, request_of: Any, monkeypatch: Any
) -> None:
    """With the same bytes."""

    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(take_out, "now", lambda: NOON)
    path = request_of(LATER)
    takedown(str(old), path, str(tmp_path / "linked"))
    monkeypatch.setattr(os, "link", refuse)
    takedown(str(old), path, str(tmp_path / "copied"))
    assert files(tmp_path / "copied") == files(tmp_path / "linked")
    assert not set(inodes(tmp_path / "copied").values()) & set(inodes(old).values())


def test_request_that_the_crawl_was_decided_by_is_no_second_entry(own: Path, tmp_path: Path, request_of: Any) -> None:
    """`takedowns` of a config leaves an entry without a certificate; if more is found, that entry gets one."""
    path = request_of(LATER)
    asked, said = read_takedown(path), manifest(own)
    entry = {"id": asked.id, "sha256": asked.sha256, "certificate": None, "records": 0}
    write_sealed_manifest(str(own), {**said, "takedowns": [entry]})
    found = takedown(str(own), path, str(tmp_path / "new"))
    (after,) = manifest(tmp_path / "new")["takedowns"]
    assert (after["id"], after["records"]) == (asked.id, len(found))
    assert after["certificate"] == f"takedowns/{asked.id}.json"
