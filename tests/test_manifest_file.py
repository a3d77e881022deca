"""The manifest as a file: sealed, and refused with a letter where it is none of a finished dataset."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InputError
from transforms.publish.manifest import FORMAT_VERSION, is_sealed, read_manifest, write_sealed_manifest

MANIFEST = {"format_version": FORMAT_VERSION, "build_id": "b", "crawl": "é", "files": {"a": {"bytes": 1}}}


def letter(dataset: Path) -> str:
    with pytest.raises(InputError) as error:
        read_manifest(str(dataset))
    return str(error.value)


def test_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With its seal."""
    write_sealed_manifest(str(tmp_path), MANIFEST)
    found = read_manifest(str(tmp_path))
    assert len(found.pop("seal")) == 64
    assert found == MANIFEST


def test_sealed_manifest_that_is_written_again_is_the_same(tmp_path: Path) -> None:
    """The old seal is no part of what is sealed."""
    write_sealed_manifest(str(tmp_path), MANIFEST)
    before = (tmp_path / "manifest.json").read_bytes()
    write_sealed_manifest(str(tmp_path), read_manifest(str(tmp_path)))
    assert (tmp_path / "manifest.json").read_bytes() == before
    assert json.loads(before)


@given(st.data())
def test_any_changed_byte_breaks_the_seal(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Also one of the seal, of a blank, of the end."""
    place = tmp_path_factory.mktemp("sealed")
    write_sealed_manifest(str(place), MANIFEST)
    content = bytearray((place / "manifest.json").read_bytes())
    assert is_sealed(bytes(content))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    assert not is_sealed(bytes(content))


@pytest.mark.parametrize("change", [b"\n", b" ", b"}"])
def test_byte_that_is_added_breaks_the_seal(tmp_path: Path, change: bytes) -> None:
    """At the end, where JSON would not notice a blank."""
    write_sealed_manifest(str(tmp_path), MANIFEST)
    assert not is_sealed((tmp_path / "manifest.json").read_bytes() + change)


def test_changed_manifest_is_refused(tmp_path: Path) -> None:
    """It is evidence: what it says must be what was written."""
    write_sealed_manifest(str(tmp_path), MANIFEST)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"build_id": "b"', '"build_id": "c"'))
    assert letter(tmp_path) == (
        f"{path} was changed after it was written: its seal does not fit its content.\n"
        "Restore it from a copy, or make the dataset again."
    )


def test_directory_without_a_manifest_is_no_dataset(tmp_path: Path) -> None:
    """The letter says what to name instead."""
    assert letter(tmp_path) == (
        f"{tmp_path} holds no finished dataset: there is no manifest.json in it.\n"
        "Name the output directory of `cleartitle curate` or `publish`; finish a broken run with --resume."
    )


@pytest.mark.parametrize("sign", ["stage.json", "takedown.json"])
def test_half_a_dataset_is_told_from_none(tmp_path: Path, sign: str) -> None:
    """A run that was killed left its work."""
    (tmp_path / "_work").mkdir()
    (tmp_path / "_work" / sign).write_text("{}")
    assert letter(tmp_path).startswith(f"{tmp_path} holds a dataset that is not finished: its run was interrupted")


def test_stage_is_told_from_a_dataset(tmp_path: Path) -> None:
    """A measured store has text, but no decisions."""
    (tmp_path / "stage.json").write_text("{}")
    assert "holds a stage of a run (measured records or decisions) and no dataset" in letter(tmp_path)


@pytest.mark.parametrize(("version", "advice"), [(3, "Read it with the version"), (99, "Install the version")])
def test_other_formats_are_refused(tmp_path: Path, version: int, advice: str) -> None:
    """Older ones were written by an older cleartitle, newer ones want a newer one."""
    write_sealed_manifest(str(tmp_path), MANIFEST | {"format_version": version})
    assert letter(tmp_path).splitlines() == [
        f"{tmp_path}/manifest.json is of format {version}; this version of cleartitle reads format {FORMAT_VERSION}.",
        f"{advice} that wrote it (`versions` in the manifest), or make the dataset again.",
    ]


@pytest.mark.parametrize("content", ["[]", "3", "{}", '"format_version"'])
def test_json_of_others_is_no_manifest(tmp_path: Path, content: str) -> None:
    """Many programs write a manifest.json."""
    (tmp_path / "manifest.json").write_text(content)
    assert "is no manifest of a dataset" in letter(tmp_path)


def test_damaged_json_is_said_to_be_damaged(tmp_path: Path) -> None:
    """With what the reader says of it."""
    (tmp_path / "manifest.json").write_bytes(b'{"format_version": \xff}')
    assert "manifest.json cannot be read" in letter(tmp_path)
