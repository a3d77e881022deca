"""What would have to change for another decision: every rule has its ways, and every key they name is in the config."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.model import Config
from configs.words import keys_of
from lineage.explanations.find_changes import find_changes, settings_against
from lineage.explanations.ways import LIFTS, TAKES_OUT
from schemas import reasons
from tests.explained import ledger_row, manifest, mark, rules, ways

SECTIONS = tuple({key.split(".")[0] for key in keys_of(Config)} - {""})
NEVER_OUT = {reasons.ALLOWED, reasons.OVERLAP, reasons.COMPARISON_BOUND}
ALWAYS_OUT = {reasons.TAKEDOWN, reasons.EMPTY_TEXT}
WITNESS, STORE = "b" * 32, "fedcba9876543210"
FULL: dict[str, Any] = {
    "list": "lists",
    "list_sha256": "00",
    "category": "piracy",
    "line": 12,
    "matched": "matched.example",
    "source": "text",
    "start": 1,
    "end": 2,
    "value": 0.83,
    "limit": 0.7,
    "method": "jaccard",
    "evidence": WITNESS,
}
VARIANTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"evidence_build": STORE, "file": "domains"}, {"url_host_name": "www.a.example"}),
    ({"value": None}, {"rights_basis": "licensed"}),
    ({"value": 1.0, "list": "allow"}, {"licences": [{"value": "CC-BY-NC-4.0", "source": "meta:x"}]}),
    ({"value": 0.99999, "matched": "ccbot: noai"}, {}),
]
CONFIGS: list[dict[str, Any]] = [
    {},
    {"dedup": {"near": None, "survivor": "none"}},
    {"policy": {"categories": {"piracy": "flag"}}, "crawl": {"name": "d", "files": ["x"], "main_content": False}},
]


def dropped(rule: str, **fields: Any) -> dict[str, Any]:
    return ledger_row(mark(rule, **fields), decision="drop", reason=rule)


def flagged(rule: str, **fields: Any) -> dict[str, Any]:
    return ledger_row(mark(rule, "flag", **fields))


def keys_in(text: str) -> list[str]:
    """Words between backticks that begin as a key of the config does."""
    return [word for word in re.findall(r"`([^`]+)`", text) if word.split(".")[0] in SECTIONS]


def known(key: str) -> bool:
    return key in keys_of(Config) or re.sub(r"(?<=^policy\.categories\.).*", "*", key) in keys_of(Config)


def test_every_rule_has_its_ways() -> None:
    """A rule that is added needs them too: to be lifted if it can take out, to take out if it can flag."""
    assert LIFTS.keys() == reasons.RULES.keys() - NEVER_OUT
    assert TAKES_OUT.keys() == reasons.RULES.keys() - ALWAYS_OUT
    assert {*reasons.POLICY_RULES} <= LIFTS.keys() & TAKES_OUT.keys()


@pytest.mark.parametrize("rule", reasons.RULES)
@pytest.mark.parametrize("number", range(len(VARIANTS)))
def test_every_key_that_is_named_is_in_the_config(rule: str, number: int) -> None:
    """Under every config, with all that a mark may hold: at least one way, no empty one, no key that is not there."""
    fields, columns = VARIANTS[number]
    named = []
    for action, decision in (("drop", "drop"), ("quarantine", "quarantine"), ("flag", "keep")):
        if rule in (NEVER_OUT if action != "flag" else ALWAYS_OUT):
            continue
        row = ledger_row(mark(rule, action, **{**FULL, **fields}), decision=decision, **columns)
        for sections in CONFIGS:
            (change,) = find_changes(row, manifest(**sections))
            assert (change.rule, change.action) == (rule, action)
            assert all(change.ways)
            assert "None" not in " ".join(change.ways)
            named += [key for way in change.ways for key in keys_in(way)]
    assert named or rule == reasons.ALLOWED  # an entry of an allow list has no key
    assert [key for key in named if not known(key)] == []


def test_keys_are_told_from_other_words() -> None:
    """The test above is only as good as this."""
    assert keys_in("`dedup.near` set to `flag`, `policy.categories.x` and `sources.allow`, not dedup.url") == [
        "dedup.near",
        "policy.categories.x",
        "sources.allow",
    ]
    assert [known(key) for key in ("dedup.near", "policy.categories.any", "dedup.nearly", "policy.signals.x")] == [
        True,
        True,
        False,
        False,
    ]


def test_blocklist_is_lifted_by_its_entry_its_host_or_its_category() -> None:
    """The entry as the list writes it, with line, file and list."""
    fields = {"list": "ut1", "file": "warez/domains", "line": 12, "matched": "x.example", "category": "warez"}
    row = ledger_row(mark("blocklist", **fields), decision="drop", url_host_name="www.x.example")
    assert ways(row)["blocklist"] == [
        "the entry `x.example` taken off line 12 in `warez/domains` of list `ut1`",
        "`www.x.example` put on `sources.allow`",
        "`policy.categories.warez` set to `flag`",
    ]


@pytest.mark.parametrize(
    ("categories", "key"),
    [
        ({}, "`policy.signals.pirated_marker` (or `policy.categories.stamp`)"),
        ({"other": "drop"}, "`policy.signals.pirated_marker` (or `policy.categories.stamp`)"),
        ({"stamp": "drop"}, "`policy.categories.stamp`"),
    ],
)
def test_marker_follows_its_category_where_the_policy_names_it(categories: dict[str, str], key: str) -> None:
    """`policy.signals.pirated_marker` has no say over a category that is named."""
    fields = {"list": "stamps", "line": 3, "matched": "stolen", "category": "stamp"}
    policy = {"categories": categories}
    assert ways(dropped("pirated_marker", **fields), policy=policy)["pirated_marker"] == [
        "the phrase `stolen` taken off line 3 of list `stamps`",
        f"{key} set to `flag`",
    ]
    assert ways(flagged("pirated_marker", **fields), policy=policy)["pirated_marker"] == [
        f"{key} set to `drop` or `quarantine`"
    ]


@pytest.mark.parametrize(
    ("matched", "agents", "more"),
    [
        ("noai", ["ccbot"], []),
        ("ccbot: noai", ["ccbot"], ["`ccbot` taken out of `policy.agents`"]),
        ("CCBot: noai", ["ccbot"], ["`CCBot` taken out of `policy.agents`"]),
        ("tdm-reservation: 1", ["tdm-reservation"], []),
    ],
)
def test_reservation_to_one_crawler_is_lifted_by_not_being_it(matched: str, agents: list[str], more: list[str]) -> None:
    """What is said to everybody has no crawler's name in front."""
    assert ways(dropped("noai", matched=matched), policy={"agents": agents})["noai"] == [
        "`policy.signals.noai` set to `flag`",
        "a basis other than `crawl` for its source in `sources.register`, which leaves a mere flag",
        *more,
    ]


def test_unlicensed_names_the_licences_that_the_page_declares() -> None:
    """Those that stand in the text are no licence of the page."""
    licences = [
        {"value": "CC-BY-NC-4.0", "source": "link:license", "start": None, "end": None},
        {"value": "CC-BY-NC-4.0", "source": "meta:dc.rights", "start": None, "end": None},
        {"value": "MIT", "source": "text", "start": 0, "end": 3},
    ]
    row = ledger_row(mark("unlicensed", "quarantine"), decision="quarantine", licences=licences)
    assert ways(row)["unlicensed"] == [
        "a basis other than `crawl` for its source in `sources.register`",
        "`CC-BY-NC-4.0`, which the page declares, put on `policy.open_licences`",
        "`policy.signals.unlicensed` set to `flag`",
    ]
    assert ways(dropped("unlicensed"))["unlicensed"][1] == "an open licence that the page declares"


@pytest.mark.parametrize(
    ("value", "first"),
    [
        (0.83, "`dedup.near.threshold` above 0.83, as its similarity is 0.83"),
        (5 / 6, "`dedup.near.threshold` above 0.8334, as its similarity is 0.8333"),
        (0.99999, "`dedup.near.threshold` set to 1, as its similarity is 0.9999"),
        (1.0, "`dedup.near` set to null"),
    ],
)
def test_threshold_above_the_similarity_lifts_a_near_duplicate(value: float, first: str) -> None:
    """None is above 1, from which two texts with the same shingles are duplicates under every threshold."""
    found = ways(dropped("near_duplicate", value=value, evidence=WITNESS))["near_duplicate"]
    assert found[0] == first
    assert found[-3:] == [
        f"its witness {WITNESS} gone from the crawl, or taken out itself",
        "a `dedup.survivor` order that puts it before its witness",
        "`dedup.survivor` set to `flag`, which drops no duplicate",
    ]


@given(st.floats(0.0001, 1, exclude_max=True))
@settings(deadline=None)
def test_threshold_that_is_named_is_never_reached_by_the_similarity(value: float) -> None:
    """As it is printed: whoever sets anything above it, or 1, is not below the true value."""
    way = ways(dropped("near_duplicate", value=value, evidence=WITNESS))["near_duplicate"][0]
    number = float(re.findall(r"(?:above|set to) ([0-9.]+),", way)[0])
    assert value <= number <= 1
    assert number == pytest.approx(value, abs=1.0001e-4)
    assert "set to 1" in way or number < 1


@pytest.mark.parametrize("near", [True, False])
def test_equal_texts_are_near_duplicates_too(near: bool) -> None:
    """Turning off exact duplicates alone would lift nothing while near duplicates are looked for."""
    sections = {} if near else {"dedup": {"near": None}}
    first = ways(dropped("exact_duplicate", value=1.0, evidence=WITNESS), **sections)["exact_duplicate"][0]
    assert ("`dedup.near`" in first) == near
    assert first.startswith("`dedup.exact` set to null")


def test_duplicate_of_an_earlier_store_is_lifted_by_that_store() -> None:
    """No survivor order does: documents of earlier stores come first."""
    found = ways(dropped("same_url", evidence=WITNESS, evidence_build=STORE))["same_url"]
    assert found == [
        "`dedup.url` set to null",
        f"the store of build `{STORE}` taken out of `dedup.against`",
        "`dedup.overlap` set to `report` or `new_replaces`",
        "`dedup.survivor` set to `flag`, which drops no duplicate",
    ]


def test_survivor_policy_none_is_lifted_by_an_order() -> None:
    """Under it no order was asked, so none was lost."""
    found = ways(dropped("same_url", evidence=WITNESS), dedup={"survivor": "none"})["same_url"]
    assert "`dedup.survivor` set to a list of rules, by which it comes first" in found


def test_takedown_is_lifted_by_its_withdrawal_alone() -> None:
    """No setting brings it back."""
    (way,) = ways(dropped("takedown", list="0123456789abcdef", matched="a.example"))["takedown"]
    assert way == (
        "nothing but the withdrawal of request `0123456789abcdef`, and a build whose `takedowns` do not name it"
    )


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ({"piracy": "flag"}, "`policy.categories.piracy` set to `drop` or `quarantine`"),
        ({}, "the exception gone that beats the entry `x.example` on line 2 of list `shadow`"),
    ],
)
def test_blocklist_that_only_flags_says_why(categories: dict[str, str], expected: str) -> None:
    """By its category, or because an exception beats it."""
    row = flagged("blocklist", list="shadow", line=2, matched="x.example", category="piracy")
    assert ways(row, policy={"categories": categories})["blocklist"] == [expected]


@pytest.mark.parametrize(("name", "where"), [("allow", "`sources.allow`"), ("friends", "line 4 of list `friends`")])
def test_exception_stands_on_the_allow_key_or_on_a_list(name: str, where: str) -> None:
    """Entries of `sources.allow` are cited under the name `allow`."""
    (way,) = ways(flagged("allowed", list=name, line=4, matched="x.example"))["allowed"]
    assert way == f"the exception `x.example` taken off {where}, if no other lets it in"


@pytest.mark.parametrize("basis", ["crawl", "licensed"])
@pytest.mark.parametrize("rule", [reasons.NOAI, reasons.TAINT])
def test_entitled_source_must_lose_its_basis_too(rule: str, basis: str) -> None:
    """Taint and reservations only flag what the register entitles, whatever the policy says."""
    row = ledger_row(mark(rule, "flag"), rights_basis=basis)
    (way,) = ways(row)[rule]
    assert ("no basis `licensed` for its source in `sources.register`" in way) == (basis == "licensed")


def test_marks_that_the_same_ways_undo_are_one_change() -> None:
    """Five notices are one key; two entries of lists are two; flags of what is out anyway are none."""
    notices = [mark("copyright_notice", matched=f"© {year} X", source="text") for year in range(2000, 2005)]
    entries = [mark("blocklist", list=name, line=1, matched="x.example", category="piracy") for name in "ab"]
    row = ledger_row(*entries, *notices, mark("isbn", "flag"), mark("licence", "quarantine"), decision="drop")
    assert rules(find_changes(row, manifest())) == [
        ("blocklist", "drop"),
        ("blocklist", "drop"),
        ("copyright_notice", "drop"),
        ("licence", "quarantine"),
    ]


def test_signals_without_a_mark_are_settings_that_would_take_it_out() -> None:
    """By the rules themselves, in their order: what another crawler is told, or what has a mark, is not among them."""
    finding = {"source": "text", "start": 0, "end": 1}
    row = ledger_row(
        mark("isbn", "flag", matched="9780131103627"),
        isbns=[{"value": "9780131103627", **finding}],
        dois=[{"value": "10.1234/x", **finding}],
        reservations=[
            {"signal": "noai", "value": None, "agent": None, "source": "http:x-robots-tag"},
            {"signal": "noindex", "value": None, "agent": "otherbot", "source": "http:x-robots-tag"},
            {"signal": "tdm-reservation", "value": "0", "agent": None, "source": "http:tdm-reservation"},
        ],
    )
    assert settings_against(row, manifest()) == [
        "`policy.signals.noai`",
        "`policy.signals.doi`",
        "`policy.signals.unlicensed`",
    ]
    listening = manifest(policy={"agents": ["otherbot"]})
    assert "`policy.signals.noindex`" in settings_against(row, listening)
    assert settings_against({**row, "decision": "drop"}, manifest()) == []


def test_entitled_document_has_no_setting_against_its_reservations() -> None:
    """A basis takes back what robots are told, and is one."""
    told = [{"signal": "noai", "value": None, "agent": None, "source": "http:x-robots-tag"}]
    assert settings_against(ledger_row(reservations=told, rights_basis="licensed"), manifest()) == []


def test_open_licence_is_no_reason_to_be_unlicensed() -> None:
    """As the policy of the build lists open licences, not that of today."""
    row = ledger_row(licences=[{"value": "CC-BY-NC-4.0", "source": "link:license", "start": None, "end": None}])
    assert "`policy.signals.unlicensed`" in settings_against(row, manifest())
    lenient = manifest(policy={"open_licences": ["CC-BY-NC"]})
    assert settings_against(row, lenient) == ["`policy.signals.licence`"]
