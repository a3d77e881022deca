"""Raising alarms: a number above its limit, said in one sentence; and what refuses to publish."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.model import Alarms
from schemas.errors import AlarmError
from transforms.printable import printable
from transforms.publish.raise_alarms import Raised, raise_alarms, refuse

QUIET: dict[str, Any] = {"records": 100, "dropped": 10, "above": 0, "sources": []}


def group(documents: int, url: str | None = "https://a.example/p") -> dict[str, Any]:
    sample = {"doc_id": "d0c", "url": url, "build": None}
    return {"id": "0123abcd", "documents": documents, "samples": [sample]}


def raised(alarms: Alarms, **found: Any) -> list[Raised]:
    return raise_alarms(alarms, found.get("clusters", []), found.get("texts", []), QUIET | found.get("sources", {}))


def test_quiet_build_raises_nothing() -> None:
    """Without a group, without a loss, and with nothing at all."""
    assert raised(Alarms()) == []
    assert raised(Alarms(), sources={"records": 0, "dropped": 0}) == []


@pytest.mark.parametrize(
    ("kind", "whose", "column"),
    [
        ("clusters", "The largest cluster", "cluster_id"),
        ("texts", "The largest group of equal texts", "text_digest"),
    ],
)
def test_largest_group_above_the_limit_is_an_alarm(kind: str, whose: str, column: str) -> None:
    """A cluster, or documents with one text; the message says where to look."""
    groups = {kind: [group(1235), group(1234)]}
    assert raised(Alarms(cluster_size=1234), **groups) == [
        {
            "alarm": "cluster_size",
            "value": 1235,
            "limit": 1234,
            "message": f"{whose} has 1,235 documents, above the limit of 1,234: look at https://a.example/p "
            f"({column} 0123abcd).",
        }
    ]
    assert raised(Alarms(cluster_size=1235), **groups) == []


def test_group_whose_sample_has_no_url_is_named_by_doc_id() -> None:
    """So that there is always something to look at."""
    (alarm,) = raised(Alarms(cluster_size=1), clusters=[group(2, None)])
    assert "look at d0c (cluster_id 0123abcd)." in alarm["message"]


@pytest.mark.parametrize(("above", "sources"), [(1, "1 source"), (1200, "1,200 sources")])
def test_sources_above_the_limit_are_one_alarm_with_the_worst(above: int, sources: str) -> None:
    """The value is the highest share; how many there are is exact."""
    worst = {"source": "spam.example", "records": 2000, "dropped": 1996, "share": 0.998}
    found = {"above": above, "sources": [worst, worst | {"source": "other.example", "share": 0.95}]}
    assert raised(Alarms(source_loss=0.9, source_records=1500), sources=found) == [
        {
            "alarm": "source_loss",
            "value": 0.998,
            "limit": 0.9,
            "message": f"{sources} of 1,500 or more documents lost more than the limit of 90.00% of them: "
            "look at spam.example, which lost 1,996 of 2,000, 99.80%.",
        }
    ]


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
def test_removal_rate_is_an_alarm_only_above_its_limit(kept: int, dropped: int, limit: float) -> None:
    """The share of the documents that could be read."""
    sources = {"records": kept + dropped, "dropped": dropped}
    rate = dropped / (kept + dropped) if dropped else 0.0
    found = raised(Alarms(removal_rate=limit), sources=sources)
    assert [(a["alarm"], a["value"], a["limit"]) for a in found] == [("removal_rate", rate, limit)] * (rate > limit)


def test_message_of_the_removal_rate_has_both_counts() -> None:
    """And points to the reasons."""
    (alarm,) = raised(Alarms(removal_rate=0.5), sources={"records": 2000, "dropped": 1500})
    assert alarm["message"] == (
        "1,500 of 2,000 documents were dropped, 75.00%, above the limit of 50.00%: look at the reasons in the ledger."
    )


LOUD: dict[str, Any] = {
    "clusters": [group(50)],
    "texts": [group(40)],
    "sources": {
        "records": 100,
        "dropped": 99,
        "above": 1,
        "sources": [{"source": "a.example", "records": 50, "dropped": 50, "share": 1.0}],
    },
}
LOW: dict[str, Any] = {"cluster_size": 1, "source_loss": 0.1, "removal_rate": 0.1}
NAMES = ["cluster_size", "cluster_size", "source_loss", "removal_rate"]


def test_alarms_come_in_the_order_of_the_config() -> None:
    """Clusters before texts."""
    assert [alarm["alarm"] for alarm in raised(Alarms(**LOW), **LOUD)] == NAMES


@pytest.mark.parametrize("off", LOW)
def test_null_turns_one_alarm_off(off: str) -> None:
    """And no other."""
    found = raised(Alarms(**(LOW | {off: None})), **LOUD)
    assert [alarm["alarm"] for alarm in found] == [name for name in NAMES if name != off]


def test_alarm_that_may_fail_refuses_with_its_way_out() -> None:
    """The letter has the alarm, where the decisions lie, and what to do."""
    found = raised(Alarms(**LOW), **LOUD)
    with pytest.raises(AlarmError) as refusal:
        refuse(found, ["removal_rate"], "/data/work/decided")
    assert str(refusal.value) == (
        "Nothing is published, as `alarms.fail_on` names removal_rate:\n"
        "  removal_rate: 99 of 100 documents were dropped, 99.00%, above the limit of 10.00%: "
        "look at the reasons in the ledger.\n"
        "The decisions lie in /data/work/decided, where the ledger is.\n"
        "If they are right, raise `alarms.removal_rate`, or take it out of `alarms.fail_on`; "
        "the same command with --resume then decides nothing again."
    )
    assert refusal.value.exit_code == 1


def test_refusal_names_every_alarm_that_may_fail_and_no_other() -> None:
    """One that is raised twice has two lines and one name."""
    with pytest.raises(AlarmError) as refusal:
        refuse(raised(Alarms(**LOW), **LOUD), ["source_loss", "cluster_size"], "d")
    lines = str(refusal.value).splitlines()
    assert lines[0] == "Nothing is published, as `alarms.fail_on` names cluster_size, source_loss:"
    assert [line.split(":")[0].strip() for line in lines[1:4]] == ["cluster_size", "cluster_size", "source_loss"]
    assert "raise `alarms.cluster_size`, `alarms.source_loss`, or take them out of `alarms.fail_on`" in lines[-1]
    assert "removal_rate" not in str(refusal.value)


def test_nothing_is_refused_without_cause() -> None:
    """Neither for alarms that may not fail, nor for those that may and are not raised."""
    refuse(raised(Alarms(**LOW), **LOUD), [], "d")
    refuse([], ["cluster_size", "source_loss", "removal_rate"], "d")


@given(st.text())
def test_printable_text_is_one_line_without_control_characters(text: str) -> None:
    """A URL of a crawl must not move the cursor of who reads about it."""
    assert printable(text).isprintable()
    if text.isprintable():
        assert printable(text) == text


def test_messages_are_printable() -> None:
    """URLs and sources come from the crawl."""
    evil = "https://a.example/\x1b[2J\n"
    source = {"source": evil, "records": 10, "dropped": 10, "share": 1.0}
    found = raised(Alarms(**LOW), clusters=[group(9, evil)], sources={"above": 1, "sources": [source]})
    assert all(alarm["message"].isprintable() for alarm in found)
