"""docs/lineage.md is true: its commands and its Python run as they stand, on datasets of these names."""

import re
import shlex
from pathlib import Path

import pytest

import lineage
from tests.jobs import run, write_config, write_jsonl

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crawls with the book of the page on them, curated, and the files that the page names."""
    place = tmp_path_factory.mktemp("docs")
    book = " ".join(f"word{i}" for i in range(200))
    pages = [(f"https://host{i}.example/", " ".join(f"w{i}x{j}" for j in range(50))) for i in range(20)]
    pirate = ("https://pirate.example/copy", book.replace("word100", "other"))
    for year, some in (("2025", pages), ("2026", [*pages, ("https://a.example/book", book), pirate])):
        (place / year).mkdir()
        write_jsonl(place / year / "crawl.jsonl", [{"id": url, "url": url, "text": text} for url, text in some])
        write_config(place / f"{year}.yaml", {"crawl": {"name": "c", "files": [f"{year}/crawl.jsonl"], "root": year}})
        options = ("--output", place / f"dataset-{year}", "--quiet")
        assert run("curate", place / f"{year}.yaml", *options) == 0
    (place / "dataset").symlink_to("dataset-2026")
    (place / "book.txt").write_text(book)
    (place / "request.yaml").write_text(next(b for b in blocks("yaml") if "requested_by" in b))
    (place / "questions.jsonl").write_text('{"url": "https://a.example/book"}\n{"text_file": "book.txt"}\n')
    return place


def test_page_has_commands_and_python() -> None:
    """So that the tests below cannot pass by finding none."""
    assert (len(blocks("sh")), len(blocks("python"))) == (5, 2)


def test_commands_run_in_the_order_of_the_page(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each exits with 0; the `doc_id` of the page is that of the demo."""
    monkeypatch.chdir(place)
    known = lineage.lookup("dataset", url="https://a.example/book")["doc_id"][0].as_py()
    for command in "".join(blocks("sh")).splitlines():
        program, *arguments = shlex.split(re.sub(r"\b[0-9a-f]{32}\b", known, command))
        assert program == "cleartitle"
        assert run(*arguments) == 0, command


def test_python_runs(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And what it prints of the book is what is true of it."""
    monkeypatch.chdir(place)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    printed = capsys.readouterr().out
    assert "https://pirate.example/copy" in printed
    assert "{'change': 'added', 'count_all': 2}" in printed
    assert "near_duplicate" in printed
    assert len(lineage.lookup("dataset-3", domain="pirate.example")["takedown_id"].drop_null()) == 1


def test_every_verb_is_there_and_nothing_else() -> None:
    """A verb that is misspelt is said to be none."""
    assert [getattr(lineage, name).__name__ for name in lineage.__all__] == lineage.__all__
    with pytest.raises(AttributeError, match="has no attribute 'look'"):
        lineage.look  # noqa: B018
