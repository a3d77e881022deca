"""Weighing: what lists, markers, register and policy together say of a document, and what is written of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from configs.policy import Policy
from configs.register import Source
from tests.tables import Row, measured
from transforms.decide.all_parts import AllParts, EarlierStore
from transforms.decide.lists.load_lists import SourceLists
from transforms.decide.markers import MarkerList, MarkerLists
from transforms.decide.marks import FLAT
from transforms.decide.publishers import PublisherLists
from transforms.decide.sources_register import Register
from transforms.decide.weigh_sources import (
    WEIGHED,
    SourceRules,
    WeighSources,
    needed_columns,
    read_marks,
    read_weighed,
)
from transforms.part_store import Stage, write_file
from transforms.spread_parts import SpreadParts

STAMPS = MarkerList("stamps", "piracy", "0" * 64, ("stolen copy",), (3,))
TOOLS = MarkerList("tools", "converter", "1" * 64, ("made by tool",), (1,))
NOAI = {"reservations": [{"signal": "noai", "value": None, "agent": None, "source": "meta:robots"}]}


def rules(
    sources: Sequence[Source] = (), markers: Sequence[MarkerList] = (STAMPS, TOOLS), **policy: Any
) -> SourceRules:
    return SourceRules(
        SourceLists.read([], ["unused.example"]),
        MarkerLists(tuple(markers)),
        PublisherLists(()),
        Register.of(tuple(sources)),
        Policy.model_validate(policy),
    )


def weighed(rows: list[Row], given: SourceRules, pieces: int = 1) -> tuple[list[Row], list[Row]]:
    """Standing and marks of some documents, whose texts come in so many pieces."""
    table = measured(rows)
    texts = table["text"].combine_chunks()
    size = -(-len(rows) // pieces)
    standing, marks = given.weigh(
        table.select(needed_columns()), (texts[start : start + size] for start in range(0, len(rows), size))
    )
    assert (standing.schema, marks.schema) == (WEIGHED, FLAT)
    told = [{name: value for name, value in mark.items() if value is not None} for mark in marks.to_pylist()]
    return standing.to_pylist(), told


def test_document_of_which_nothing_is_said_is_of_the_crawl() -> None:
    """No priority, no mark, and it may survive."""
    (standing,), marks = weighed([{"url_host_name": "a.example"}], rules())
    assert marks == []
    assert standing == {
        "rights_basis": "crawl",
        "rights_reference": None,
        "priority": 0,
        "excluded": False,
        "tainting": False,
        "takedown": -1,
    }


@pytest.mark.parametrize(
    ("action", "excluded"), [("keep", False), ("flag", False), ("quarantine", True), ("drop", True)]
)
def test_pirated_text_is_excluded_and_taints_if_it_goes(action: str, excluded: bool) -> None:
    """Whether to quarantine or out; one that is only flagged is as good as others."""
    (standing,), marks = weighed([{"text": "a stolen copy"}], rules(categories={"piracy": action}))
    assert (standing["excluded"], standing["tainting"]) == (excluded, excluded)
    assert [mark["action"] for mark in marks] == ([] if action == "keep" else [action])


@pytest.mark.parametrize("action", ["quarantine", "drop"])
def test_reserved_document_is_excluded_and_taints_nothing(action: str) -> None:
    """That its own page says no is nothing against another page."""
    (standing,), _ = weighed([NOAI], rules(signals={"noai": action}))
    assert (standing["excluded"], standing["tainting"]) == (True, False)


@pytest.mark.parametrize("pieces", [1, 2, 3, 5])
def test_phrases_are_those_of_their_rows_however_texts_come(pieces: int) -> None:
    """Rows are counted through all pieces; places are bytes of the text, and the mark names list and line."""
    rows: list[Row] = [{"text": text} for text in ("clean", "é stolen copy", "", "made by tool, stolen copy", "last")]
    _, marks = weighed(rows, rules(categories={"converter": "flag"}), pieces)
    one = {"rule": "pirated_marker", "source": "text"}
    stamp = {**one, "action": "flag", "list": "stamps", "list_sha256": "0" * 64, "category": "piracy", "line": 3}
    tool = {**one, "action": "flag", "list": "tools", "list_sha256": "1" * 64, "category": "converter", "line": 1}
    assert marks == [
        {"row": 1, **stamp, "matched": "stolen copy", "start": 3, "end": 14},
        {"row": 3, **stamp, "matched": "stolen copy", "start": 14, "end": 25},
        {"row": 3, **tool, "matched": "made by tool", "start": 0, "end": 12},
    ]


def test_texts_are_not_read_where_no_marker_could_leave_a_mark() -> None:
    """Reading them is what costs."""

    def refuse() -> Any:
        raise AssertionError("a text was asked for")
        yield

    table = measured([{}]).select(needed_columns())
    for given in (rules(markers=()), rules(categories={"piracy": "keep", "converter": "keep"})):
        assert len(given.weigh(table, refuse())[1]) == 0


def test_register_gives_basis_reference_and_priority() -> None:
    """By host, and by input file before it."""
    sources = [
        Source(host="a.example", basis="licensed", contract="K-1", priority=7),
        Source(input="books/*", basis="public_domain", priority=-3),
    ]
    rows: list[Row] = [
        {"url": "http://www.a.example/", "url_host_name": "www.a.example"},
        {"url": "http://a.example/", "url_host_name": "a.example", "source_file": "books/1.jsonl"},
        {"url": "http://b.example/", "url_host_name": "b.example"},
    ]
    standing, _ = weighed(rows, rules(sources))
    found = [tuple(row[name] for name in ("rights_basis", "rights_reference", "priority")) for row in standing]
    assert found == [("licensed", "K-1", 7), ("public_domain", None, -3), ("crawl", None, 0)]


def test_every_part_has_its_files_and_earlier_texts_are_not_searched(tmp_path: Path) -> None:
    """The crawl's own texts come row group by row group; an earlier store is weighed by its columns."""
    stage, earlier = Stage(str(tmp_path / "measured"), "m"), tmp_path / "earlier"
    rows: list[Row] = [{"text": "a stolen copy"}, {"text": "clean"}, {"text": "again a stolen copy"}]
    paths = [stage.path(0), str(earlier / "part-00000.parquet")]
    for path in paths:
        with write_file(path) as file:
            pq.write_table(measured(rows), file, row_group_size=2)
    store = EarlierStore("b", str(earlier), (0,), 3, False, "e")
    target = Stage(str(tmp_path / "sources"), "d")
    step = WeighSources(AllParts(stage, 1, (store,)), target, rules(categories={"piracy": "drop"}))
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as root:
        root | SpreadParts([0, 1]) | "Weigh" >> step
    assert target.done() == {0, 1}
    assert read_weighed(target, 0, ["tainting"])["tainting"].to_pylist() == [True, False, True]
    assert read_marks(target, 0)["row"].to_pylist() == [0, 2]
    assert read_weighed(target, 1, ["tainting"])["tainting"].to_pylist() == [False] * 3
    assert read_marks(target, 1).equals(FLAT.empty_table())


def test_digests_and_facts_name_every_list_once() -> None:
    """`allow` stands in the config as it is, so only lists in files have a digest there."""
    given = rules([Source(host="a.example", basis="crawl")])
    assert given.digests() == {"stamps": "0" * 64, "tools": "1" * 64}
    assert [(one["kind"], one["name"], one["entries"]) for one in given.facts()] == [
        ("allowlist", "allow", 1),
        ("markers", "stamps", 1),
        ("markers", "tools", 1),
    ]
