"""An earlier store is read, never written over: outputs that touch one are refused before anything is done."""

from pathlib import Path

import pytest

from beam_jobs.output_dir import refuse_stores
from schemas.errors import OutputError
from tests.jobs import digests, letter, run, write_config, write_jsonl


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A crawl, its measured store in `work/measured`, and its dataset."""
    words = (" ".join(f"w{number}x{i}" for i in range(40)) for number in range(20))
    write_jsonl(tmp_path / "crawl.jsonl", [{"id": f"{i}", "text": text} for i, text in enumerate(words)])
    write_config(tmp_path / "old.yaml", {"crawl": {"name": "c", "files": ["crawl.jsonl"]}})
    options = ("--output", tmp_path / "dataset", "--work", tmp_path / "work", "--quiet")
    assert run("curate", tmp_path / "old.yaml", *options) == 0
    return tmp_path


def config_against(place: Path, store: str) -> Path:
    crawl = {"name": "c", "files": ["crawl.jsonl"]}
    return write_config(place / "new.yaml", {"crawl": crawl, "dedup": {"against": [store]}})


@pytest.mark.parametrize("inside", ["", "/inner"])
@pytest.mark.parametrize("store", ["work/measured", "dataset"])
def test_output_in_an_earlier_store_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str], store: str, inside: str
) -> None:
    """Exit 2, with both paths, and the dataset is as it was; --overwrite changes nothing of it."""
    before = digests(place / "dataset")
    config, output = config_against(place, store), f"{place / store}{inside}"
    assert run("curate", config, "--output", output, "--overwrite", "--quiet") == 2
    assert letter(capsys).startswith(
        f"{output} and {place / store}, which `dedup.against` names, lie one in the other."
    )
    assert digests(place / "dataset") == before
    assert (place / "work" / "measured" / "part-00000.parquet").exists()


def test_work_that_holds_an_earlier_store_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The new crawl would be measured over the old one, and then be compared with itself."""
    config = config_against(place, "work/measured")
    options = ("--output", place / "other", "--work", place / "work", "--overwrite", "--quiet")
    assert run("curate", config, *options) == 2
    assert "lie one in the other" in letter(capsys)
    assert not (place / "other").exists()


def test_store_may_be_read_beside_itself(place: Path) -> None:
    """The store that is decided on may be named in `against` too: it is only read."""
    config = config_against(place, "work/measured")
    options = ("--measured", place / "work" / "measured", "--output", place / "decided", "--quiet")
    assert run("decide", config, *options) == 0


def test_neighbours_with_a_common_beginning_are_apart() -> None:
    """`store-2` is not inside `store`, on a disk or in a bucket."""
    refuse_stores("/a/store-2", ["/a/store", "gs://b/store"])
    refuse_stores("gs://b/store-2", ["gs://b/store"])
    with pytest.raises(OutputError, match="gs://b"):
        refuse_stores("gs://b", ["gs://b/store/"])
