"""Comparing two datasets by their ledgers: what came, went and was decided otherwise, in rows, words and numbers."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.comparison import compare as comparing
from lineage.comparison.compare import DIFFERENCES, compare, diff
from schemas.errors import InputError
from tests.ledger_datasets import dataset
from tests.range_server import serve
from tests.tables import Row, hex_of

DROPPED: Row = {"decision": "drop", "reason": "near_duplicate", "duplicate_of": hex_of(9), "duplicate_kind": "near"}
COMPARED = ("decision", "reason", "duplicate_of", "duplicate_build", "duplicate_kind", "takedown_id")


@pytest.fixture
def pair(tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Two datasets of one part each; `old` and `new` go to their manifests."""

    def make(before: Sequence[Row], after: Sequence[Row], old: Row | None = None, new: Row | None = None) -> Any:
        return dataset(tmp_path / "old", before, **(old or {})), dataset(tmp_path / "new", after, **(new or {}))

    return make


Pair = Callable[..., tuple[str, str]]


def mark(rule: str, action: str = "drop", **fields: Any) -> Row:
    return {"rule": rule, "action": action, **fields}


def totals(old: str, new: str) -> dict[str, Any]:
    with compare(old, new) as comparison:
        return comparison.totals()


# What differs


def test_dataset_does_not_differ_from_itself(tmp_path: Path) -> None:
    """No row, and only zeros and empty lists in the totals."""
    one = dataset(tmp_path / "one", [{}, DROPPED], [{"doc_id": hex_of(7)}])
    assert diff(one, one).equals(DIFFERENCES.empty_table())
    found = totals(one, one)
    assert (found["in_both"], found["changes"]) == (3, {"added": 0, "removed": 0, "changed": 0})
    assert found["other_domains"] == {"domains": 0, "lost": 0, "gained": 0}
    lists = ("decisions", "reasons", "domains", "config", "lists", "versions")
    assert [found[name] for name in lists] == [[]] * len(lists)
    assert found["takedowns"] == {"old": [], "new": []}


def test_rows_say_what_came_went_and_changed(pair: Pair) -> None:
    """Whole rows, sorted by doc_id; what is equal in both is not among them."""
    page = {"record_id": "r", "url": "https://a.example/1", "url_host_registered_domain": "a.example"}
    before = [{"doc_id": hex_of(3), **page}, {"doc_id": hex_of(1), **page}, {"doc_id": hex_of(2), **DROPPED}]
    after = [{"doc_id": hex_of(2), **DROPPED}, {"doc_id": hex_of(4)}, {"doc_id": hex_of(3), **page, **DROPPED}]
    nothing = dict.fromkeys(DIFFERENCES.names)
    assert diff(*pair(before, after)).to_pylist() == [
        {
            **nothing,
            **page,
            "change": "removed",
            "doc_id": hex_of(1),
            "old_decision": "keep",
            "why": "the new build finds no such record in its file",
        },
        {
            **nothing,
            **page,
            "change": "changed",
            "doc_id": hex_of(3),
            "old_decision": "keep",
            "new_decision": "drop",
            "new_reason": "near_duplicate",
            "new_duplicate_of": hex_of(9),
            "why": f"keep -> drop by near_duplicate; witness none -> {hex_of(9)} by near",
        },
        {
            **nothing,
            "change": "added",
            "doc_id": hex_of(4),
            "new_decision": "keep",
            "why": "the old build found no such record in its file",
        },
    ]


def test_table_has_the_stated_schema(pair: Pair) -> None:
    """Also with rows in it."""
    assert diff(*pair([{}], [DROPPED])).schema == DIFFERENCES


@pytest.mark.parametrize("column", COMPARED)
def test_change_of_each_compared_column_is_a_difference(pair: Pair, column: str) -> None:
    """Null and a value differ, in both directions."""
    one = {**DROPPED, "duplicate_build": "store", "takedown_id": "t"}
    other = {**one, column: "keep" if column == "decision" else None}
    old, new = pair([one], [other])
    assert diff(old, new)["change"].to_pylist() == diff(new, old)["change"].to_pylist() == ["changed"]


def test_other_columns_are_no_difference(pair: Pair) -> None:
    """Flags, clusters, texts and the build itself may change without another decision."""
    after = {"marks": [mark("isbn", "flag")], "cluster_id": hex_of(5), "text_bytes": 7, "build_id": "another"}
    assert len(diff(*pair([{}], [after]))) == 0


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({}, {"decision": "quarantine", "reason": "noai"}, "keep -> quarantine by noai"),
        (DROPPED, {}, f"drop by near_duplicate -> keep; witness {hex_of(9)} by near -> none"),
        (
            DROPPED,
            {**DROPPED, "duplicate_of": hex_of(8), "duplicate_build": "store"},
            f"witness {hex_of(9)} by near -> {hex_of(8)} of build store by near",
        ),
        (DROPPED, {**DROPPED, "duplicate_kind": "exact"}, f"witness {hex_of(9)} by near -> {hex_of(9)} by exact"),
        (
            {},
            {"decision": "drop", "reason": "takedown", "takedown_id": "abc", "marks": [mark("takedown", list="abc")]},
            "keep -> drop by takedown; takedown none -> abc; came: takedown (drop) of abc",
        ),
        (
            {"marks": [mark("blocklist", list="pirates", matched="'; DROP"), mark("isbn", "flag", matched="1")]},
            {"marks": [mark("isbn", "flag", matched="1")], "takedown_id": "x"},
            "takedown none -> x; went: blocklist (drop) of pirates: '; DROP",
        ),
        (
            {"marks": [mark("noai", "flag"), mark("isbn", "flag", value=1.0)]},
            {"marks": [mark("noai"), mark("isbn", "flag", value=2.0)], "decision": "drop", "reason": "noai"},
            "keep -> drop by noai; came: noai (drop); went: noai (flag)",
        ),
    ],
)
def test_change_is_told_in_words(pair: Pair, before: Row, after: Row, why: str) -> None:
    """Decision, takedown, witness, and marks by rule, action, list and match; their other fields do not count."""
    assert diff(*pair([before], [after]))["why"].to_pylist() == [why]


@pytest.mark.parametrize(
    ("old", "new", "whys"),
    [
        (
            {"plan": {"files": [{"name": "other.jsonl"}]}},
            {"plan": {"files": []}},
            ["its file is no input of the new build", "its file was no input of the old build"],
        ),
        ({"crawl": "a"}, {"crawl": "b"}, ["the builds are of different crawls, a and b"] * 2),
    ],
)
def test_why_a_document_is_not_there(pair: Pair, old: Row, new: Row, whys: list[str]) -> None:
    """Another crawl, or an input that was not there; else the record itself."""
    found = diff(*pair([{}], [{"doc_id": hex_of(9)}], old, new))
    assert list(zip(found["change"].to_pylist(), found["why"].to_pylist(), strict=True)) == [
        ("removed", whys[0]),
        ("added", whys[1]),
    ]


def test_repeated_doc_ids_are_paired_in_their_order(pair: Pair) -> None:
    """The second of three changed, and the third went."""
    same = {"doc_id": hex_of(5)}
    old, new = pair(
        [{**same, "record_id": "a"}, {}, {**same, "record_id": "b"}, {**same, "record_id": "c"}],
        [{**same, "record_id": "a"}, {"doc_id": hex_of(1)}, {**same, "record_id": "b", **DROPPED}],
    )
    found = diff(old, new).select(["change", "record_id"]).to_pylist()
    assert found == [{"change": "changed", "record_id": "b"}, {"change": "removed", "record_id": "c"}]


def test_parts_may_be_cut_otherwise(tmp_path: Path) -> None:
    """A document is the same in another file and at another place."""
    rows = [{"doc_id": hex_of(number)} for number in range(6)]
    old = dataset(tmp_path / "old", rows[:2], rows[2:])
    assert len(diff(old, dataset(tmp_path / "new", rows[::-1]))) == 0


def test_files_that_both_share_are_not_opened(tmp_path: Path) -> None:
    """After a takedown all parts but a few are the same bytes, and of these not even the ids are read."""
    old = dataset(tmp_path / "old", [{}], [{"doc_id": hex_of(7)}])
    new = dataset(tmp_path / "new", [{}], [{"doc_id": hex_of(7), **DROPPED}])
    for directory in (old, new):
        (Path(directory) / "ledger" / "part-00000.parquet").unlink()
    assert diff(old, new)["doc_id"].to_pylist() == [hex_of(7)]


def test_first_rows_are_those_of_the_smallest_doc_ids(pair: Pair) -> None:
    """A limit of none is all, of 0 no row."""
    old, new = pair([{"doc_id": hex_of(n)} for n in (5, 3, 9)], [{"doc_id": hex_of(n), **DROPPED} for n in (9, 5, 3)])
    for limit, expected in ((2, [3, 5]), (0, []), (None, [3, 5, 9])):
        with compare(old, new) as comparison:
            found = pa.Table.from_batches(comparison.rows(limit), DIFFERENCES)
        assert found["doc_id"].to_pylist() == [hex_of(number) for number in expected]


def test_many_rows_come_out_in_one_order(tmp_path: Path) -> None:
    """More than a row group, and than a batch of DuckDB, in two files, twice."""
    numbers = [(number * 7919) % 9_001 for number in range(9_001)]
    old = dataset(tmp_path / "old", [{"doc_id": hex_of(n)} for n in numbers])
    new = dataset(tmp_path / "new", *([{"doc_id": hex_of(n), **DROPPED} for n in numbers[i::2]] for i in (0, 1)))
    found = diff(old, new)
    assert found["doc_id"].to_pylist() == [hex_of(number) for number in range(9_001)]
    assert found.equals(diff(old, new))


def oracle(old: Sequence[Row], new: Sequence[Row]) -> list[tuple[str, str, Any, Any]]:
    """The slow definition: the n-th row of an id beside the n-th row of it."""

    def numbered(rows: Sequence[Row]) -> dict[tuple[str, int], Row]:
        seen: defaultdict[str, int] = defaultdict(int)
        found = {}
        for row in rows:
            found[row["doc_id"], seen[row["doc_id"]]] = row
            seen[row["doc_id"]] += 1
        return found

    def said(row: Row | None) -> Any:
        return row and tuple(row.get(name) for name in COMPARED)

    a, b = numbered(old), numbered(new)
    return [
        (
            "added" if key not in a else "removed" if key not in b else "changed",
            key[0],
            said(a.get(key)),
            said(b.get(key)),
        )
        for key in sorted(a.keys() | b.keys())
        if said(a.get(key)) != said(b.get(key))
    ]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "doc_id": st.integers(0, 6).map(hex_of),
            "decision": st.sampled_from(["keep", "drop"]),
            "reason": st.sampled_from([None, "noai", "blocklist"]),
            "duplicate_of": st.sampled_from([None, hex_of(1), hex_of(2)]),
            "takedown_id": st.sampled_from([None, "t"]),
        }
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(old=ROWS, new=ROWS, cut=st.integers(0, 8))
def test_differences_are_those_of_the_slow_definition(
    tmp_path_factory: pytest.TempPathFactory, old: list[Row], new: list[Row], cut: int
) -> None:
    """Whatever repeats, and however the new one is cut into parts; and the totals count these rows."""
    place = tmp_path_factory.mktemp("pair")
    before, after = dataset(place / "old", old), dataset(place / "new", new[:cut], new[cut:])
    expected = oracle(old, new)
    with compare(before, after) as comparison:
        found = pa.Table.from_batches(comparison.rows(), DIFFERENCES).to_pylist()
        counted = comparison.totals()
    assert [(row["change"], row["doc_id"]) for row in found] == [one[:2] for one in expected]
    for row, (_, _, was, is_now) in zip(found, expected, strict=True):
        assert (row["old_decision"], row["old_reason"]) == (was[:2] if was else (None, None))
        assert (row["new_decision"], row["new_reason"]) == (is_now[:2] if is_now else (None, None))
    changes = [one[0] for one in expected]
    assert counted["changes"] == {name: changes.count(name) for name in ("added", "removed", "changed")}
    assert counted["in_both"] == len(old) - changes.count("removed")
    assert sum(one["documents"] for one in counted["decisions"]) == len(expected)


# Totals


def test_totals_count_by_decision_reason_and_domain(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost and gained are kept documents; domains beyond the largest are counted together."""
    monkeypatch.setattr(comparing, "DOMAINS", 2)

    def on(domain: str | None, number: int, **row: Any) -> Row:
        return {"doc_id": hex_of(number), "url_host_registered_domain": domain, "text_bytes": 10, **row}

    listed = {"decision": "drop", "reason": "blocklist"}
    before = [on("a", 1), on("a", 2), on("b", 3, **DROPPED), on("c", 4), on(None, 5), on("d", 6, **listed), on("e", 7)]
    after = [on("a", 1, **listed), on("b", 3), on("c", 4, **listed), on(None, 5, **listed), on("d", 6, **DROPPED)]
    found = totals(*pair(before, [*after, on("e", 7)]))
    assert found["changes"] == {"added": 0, "removed": 1, "changed": 5}
    assert found["decisions"] == [
        {"old": "keep", "new": "drop", "documents": 3},
        {"old": "drop", "new": "drop", "documents": 1},
        {"old": "drop", "new": "keep", "documents": 1},
        {"old": "keep", "new": None, "documents": 1},
    ]
    assert found["reasons"] == [
        {"reason": "blocklist", "before": 1, "after": 3},
        {"reason": "near_duplicate", "before": 1, "after": 1},
    ]
    assert found["domains"] == [{"domain": "a", "lost": 2, "gained": 0}, {"domain": "b", "lost": 0, "gained": 1}]
    assert found["other_domains"] == {"domains": 2, "lost": 2, "gained": 0}


def test_totals_say_what_the_two_are(pair: Pair) -> None:
    """Documents, kept ones and their text of the whole, also of files that both share."""
    before = [{"text_bytes": 30}, {"text_bytes": 12, "doc_id": hex_of(8)}]
    old, new = pair(before, [before[0], {**before[1], **DROPPED}], new={"version_id": "v", "crawl": "demo"})
    found = totals(old, new)
    said = {"crawl": "demo", "build_id": "b" * 16}
    assert found["old"] == {
        "dataset": old, **said, "version_id": "b" * 16, "records": 2, "kept": 2, "kept_text_bytes": 42
    }  # fmt: skip
    assert found["new"] == {"dataset": new, **said, "version_id": "v", "records": 2, "kept": 1, "kept_text_bytes": 30}


def test_crawls_without_a_common_document_have_none_in_both(pair: Pair) -> None:
    """All went, and all came."""
    found = totals(*pair([{}, {"doc_id": hex_of(4)}], [{"doc_id": hex_of(5)}]))
    assert (found["in_both"], found["changes"]) == (0, {"added": 1, "removed": 2, "changed": 0})


def test_totals_name_takedowns_that_only_one_has(pair: Pair) -> None:
    """By their ids, sorted."""
    ids = [{"takedowns": [{"id": one} for one in some]} for some in ("ba", "bdc")]
    assert totals(*pair([{}], [{}], *ids))["takedowns"] == {"old": ["a"], "new": ["c", "d"]}


# What cannot be compared


def test_directory_without_a_dataset_is_a_letter(tmp_path: Path) -> None:
    """Whichever of the two it is."""
    there = dataset(tmp_path / "there", [{}])
    for named in ((there, str(tmp_path)), (str(tmp_path), there)):
        with pytest.raises(InputError, match="holds no finished dataset"):
            diff(*named)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and no more"])
def test_damaged_ledger_is_a_letter_that_names_verify(pair: Pair, content: bytes | None) -> None:
    """Gone, cut or overwritten."""
    old, new = pair([{}], [DROPPED])
    path = Path(new) / "ledger" / "part-00000.parquet"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InputError) as error:
        diff(old, new)
    assert f"The ledgers of {old} and {new} cannot be compared: " in str(error.value)
    assert str(path) in str(error.value)
    assert "`cleartitle verify` says of each whether it is damaged" in str(error.value)


def test_doc_id_that_is_none_is_a_letter(pair: Pair) -> None:
    """Its ids are no hex digits."""
    with pytest.raises(InputError, match=r"cannot be compared(?s:.*)not-an-id"):
        diff(*pair([{}], [{"doc_id": "not-an-id"}]))


def test_dataset_behind_http_is_compared_with_a_local_one(pair: Pair, tmp_path: Path) -> None:
    """The new version is published, the old one at hand."""
    old, new = pair([{}, {"doc_id": hex_of(4)}], [DROPPED, {"doc_id": hex_of(4)}])
    with serve(tmp_path) as server:
        assert diff(old, f"{server.address}/new").equals(diff(old, new))
        assert totals(old, f"{server.address}/new")["changes"]["changed"] == 1


def test_directory_may_have_any_name(tmp_path: Path) -> None:
    """Quotes and wildcards in a path are letters as others are."""
    strange = tmp_path / "it's [a] *"
    old, new = dataset(strange / "old?", [{}]), dataset(strange / "new", [DROPPED])
    assert len(diff(old, new)) == 1
    assert totals(old, new)["old"]["records"] == 1
