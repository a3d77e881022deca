"""The measure of notices: what counts as found, and labels that can be what they say."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from benchmarks import notices
from benchmarks.notices import HERE, Passage, Statement, compare, count, find, reported, show_errors

LABELLED = Statement(10, 30, 14, (2019,), (20, 30))
DOCUMENTS: list[dict[str, Any]] = [
    json.loads(line) for line in (HERE / "labels.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("found", "senses"),
    [
        (LABELLED, ("found", "agrees", "strict")),
        (LABELLED._replace(start=12), ("found", "agrees")),
        (LABELLED._replace(end=33), ("found", "agrees")),
        (LABELLED._replace(holder=(20, 29)), ("found", "agrees")),
        (LABELLED._replace(end=34), ("found",)),
        (LABELLED._replace(years=()), ("found",)),
        (LABELLED._replace(start=15), ()),
        (LABELLED._replace(start=0, end=14), ()),
    ],
)
def test_statement_is_compared_in_three_senses(found: Statement, senses: tuple[str, ...]) -> None:
    """It holds the marker; it ends within 3 bytes and has the same years; all of it is the same."""
    assert compare(LABELLED, found) == senses


def passage(start: int, end: int, *statements: Statement) -> Passage:
    return Passage("development", "web", 0, start, end, list(statements))


def test_statement_is_reported_once_and_only_where_it_was_looked_for() -> None:
    """Passages may overlap, and a text has more than was read."""
    here, far = LABELLED._replace(marker=-1), Statement(500, 520, -1, (), (None, None))
    passages = [passage(10, 18, LABELLED), passage(20, 25)]
    assert reported(passages, {0: [here, far]}) == [(0, here)]


def test_counts_are_of_labels_and_reports() -> None:
    """A label that is met by nothing counts as labelled only."""
    passages = [passage(10, 18, LABELLED), passage(100, 110, Statement(100, 120, 100, (), (None, None)))]
    counts = count(passages, {0: [LABELLED._replace(end=40)], 1: []})
    assert counts == Counter(passages=2, labelled=2, reported=1, found=1)


def test_notices_are_found_by_text() -> None:
    """In bytes of each text, with the marker unknown."""
    assert find(["none", "é © 2019 Foo"]) == {1: [Statement(3, 14, -1, (2019,), (11, 14))]}


def test_errors_are_shown_with_what_stands_round_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Missed and unlabelled statements, in the order of the text; what agrees is not shown."""
    text = "© 2019 Foo\n© 2020 Bar"
    good, bad = Statement(0, 11, 0, (2019,), (8, 11)), Statement(12, 23, 12, (1999,), (None, None))
    show_errors([passage(0, 23, good, bad)], [text], find([text]))
    assert [line[:16] for line in capsys.readouterr().out.splitlines()] == ["- '© 2020 Bar' (", "+ '© 2020 Bar' ("]


def test_labels_are_places_in_order() -> None:
    """Passages do not run backwards; a statement holds its marker and its holder, and does not overlap the next."""
    for document in DOCUMENTS:
        for start, end, labels in document["passages"]:
            assert 0 <= start < end
            for first, last, marker, years, *holder in labels:
                assert first <= marker < last
                assert years == sorted(set(years))
                assert holder == [None, None] or first <= holder[0] < holder[1] <= last
            assert all(one[1] <= other[0] for one, other in pairwise(labels))


def test_labels_are_as_many_as_described() -> None:
    """The figures of the description beside them."""
    passages = [entry for document in DOCUMENTS for entry in document["passages"]]
    assert (len(passages), sum(len(labels) for *_, labels in passages)) == (678, 353)
    description = (HERE / "README.md").read_text(encoding="utf-8")
    assert "678 passages" in description
    assert "353 statements" in description


def test_every_labelled_file_is_pinned() -> None:
    """By version and digest; the pages of WARC files are beside the project."""
    pinned = [line.split() for line in (HERE / "files.txt").read_text().splitlines()]
    assert {document["file"] for document in DOCUMENTS if not document["file"].startswith("warc/")} == set(
        notices.archives()
    )
    assert all(kind in ("wheel", "sdist") and "==" in name and len(digest) == 64 for kind, name, _, digest in pinned)


def test_file_with_another_digest_is_refused(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels would be of another text."""
    monkeypatch.setattr(notices, "FETCHED", tmp_path)
    name = notices.archives()[0]
    (tmp_path / name).write_bytes(b"other")
    with pytest.raises(SystemExit, match="is not the file that was labelled"):
        notices.fetch()
