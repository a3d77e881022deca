"""Evidence in words: each kind of mark, each signal of rights; what others wrote is harmless and bearable."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.explanations.quote import MOST_CHARACTERS, at_least, at_most, quoted, shown
from lineage.explanations.word_evidence import MOST_SHOWN, document_words, mark_words, rights_words, similarity_words
from schemas.reasons import RULES
from tests.explained import ledger_row, mark

EVIDENCE = "b" * 32
NAMED = {EVIDENCE: {"url": "https://b.example/"}}
IN_TEXT = {"source": "text", "start": 3, "end": 9}
IN_HEADER = {"source": "http:x-robots-tag", "start": None, "end": None}
MARKS: dict[str, tuple[dict[str, Any], str]] = {
    "list": (
        mark("blocklist", list="shadow", list_sha256="00ff", category="piracy", line=3, matched="x.example"),
        "- list `shadow`, line 3, category `piracy`; matched `x.example`; SHA-256 of the list 00ff",
    ),
    "file of a list": (
        mark("blocklist", list="ut1", list_sha256="00", category="warez", file="warez/urls", line=1, matched="x/y"),
        "- list `ut1`, file `warez/urls`, line 1, category `warez`; matched `x/y`; SHA-256 of the list 00",
    ),
    "phrase": (
        mark("pirated_marker", list="s", list_sha256="00", category="c", line=1, matched="stolen", **IN_TEXT),
        "- list `s`, line 1, category `c`; matched `stolen` in the text, bytes 3 to 9; SHA-256 of the list 00",
    ),
    "signal of the page": (
        mark("noai", matched="ccbot: noai", **IN_HEADER),
        "- matched `ccbot: noai` in `http:x-robots-tag`",
    ),
    "duplicate": (
        mark("near_duplicate", value=5 / 6, limit=0.7, method="jaccard", evidence=EVIDENCE),
        f"- points to {EVIDENCE} (https://b.example/); true Jaccard similarity 0.8333, the limit is 0.7",
    ),
    "estimate": (
        mark("near_duplicate", value=0.75, limit=0.7, method="signature", evidence="c" * 32),
        f"- points to {'c' * 32}; similarity as their signatures estimate it 0.75, the limit is 0.7",
    ),
    "equal URL of an earlier build": (
        mark("same_url", evidence=EVIDENCE, evidence_build="old"),
        f"- points to {EVIDENCE} of the earlier build `old`",
    ),
    "equal text": (
        mark("exact_duplicate", value=1.0, evidence=EVIDENCE),
        f"- points to {EVIDENCE} (https://b.example/); similarity 1",
    ),
    "takedown": (
        mark("takedown", list="req", list_sha256="00", category="domains", matched="x.example"),
        "- takedown `req`, selected by `domains`; matched `x.example`; SHA-256 of the request 00",
    ),
    "copy of what was taken out": (
        mark(
            "takedown",
            list="req",
            category="texts",
            value=0.9,
            limit=0.7,
            method="jaccard",
            evidence="c" * 32,
        ),
        f"- takedown `req`, selected by `texts`; points to {'c' * 32}; true Jaccard similarity 0.9, the limit is 0.7",
    ),
}


@pytest.mark.parametrize("kind", MARKS)
def test_mark_says_its_rule_and_then_its_evidence(kind: str) -> None:
    """The rule in the words of the vocabulary; then all that the mark holds, and nothing of what it does not."""
    one, evidence = MARKS[kind]
    assert list(mark_words([one], NAMED)) == [f"`{one['rule']}` drops it. {RULES[one['rule']]}", evidence]


def test_marks_of_one_rule_and_action_stand_together() -> None:
    """The rule is said once; a mark without evidence has no line of its own; actions are told apart."""
    marks = [
        mark("empty_text"),
        mark("noai", "quarantine", matched="noai", **IN_HEADER),
        mark("noai", "quarantine", matched="ccbot: noai", **IN_HEADER),
        mark("noai", "flag", matched="noai", **IN_HEADER),
        mark("comparison_bound", "flag"),
    ]
    assert list(mark_words(marks, {})) == [
        f"`empty_text` drops it. {RULES['empty_text']}",
        f"`noai` quarantines it. {RULES['noai']}",
        "- matched `noai` in `http:x-robots-tag`",
        "- matched `ccbot: noai` in `http:x-robots-tag`",
        f"`noai` only flags it. {RULES['noai']}",
        "- matched `noai` in `http:x-robots-tag`",
        f"`comparison_bound` only flags it. {RULES['comparison_bound']}",
    ]


@pytest.mark.parametrize("count", [MOST_SHOWN, MOST_SHOWN + 1, 5000])
def test_many_marks_are_counted_after_the_first(count: int) -> None:
    """A page stays a page."""
    words = list(mark_words([mark("isbn", "flag", matched=str(n)) for n in range(count)], {}))
    assert words[1 : MOST_SHOWN + 1] == [f"- matched `{n}`" for n in range(MOST_SHOWN)]
    more = [f"And {count - MOST_SHOWN:,} more, which `--format json` prints."] if count > MOST_SHOWN else []
    assert words[MOST_SHOWN + 1 :] == more


def test_rights_say_every_signal_with_its_place() -> None:
    """Statements word for word, with years and holder; identifiers; what the page says to crawlers, and its names."""
    row = ledger_row(
        rights_basis="licensed",
        rights_reference="2026-017",
        copyright_notices=[
            {"statement": "© 2019-2021 Doe", "years": [2019, 2021], "holder": "Doe", **IN_TEXT},
            {"statement": "© Doe", "years": [], "holder": None, **IN_HEADER},
        ],
        rights_reserved=[{"value": "en", **IN_TEXT}],
        isbns=[{"value": "9780131103627", **IN_TEXT}],
        issns=[{"value": "1234-5679", **IN_TEXT}],
        dois=[{"value": "10.1/x", **IN_TEXT}],
        arxiv_ids=[{"value": "2101.00001", **IN_TEXT}],
        licences=[{"value": "CC-BY-4.0", "source": "link:license", "start": None, "end": None}],
        reservations=[
            {"signal": "noai", "value": None, "agent": "ccbot", "source": "http:x-robots-tag"},
            {"signal": "tdm-reservation", "value": "1", "agent": None, "source": "meta:tdm-reservation"},
        ],
        page_authors=["Jane Doe"],
        page_publishers=["Doe Books"],
    )
    assert list(rights_words(row)) == [
        "Basis `licensed`: the register names `2026-017`.",
        "Copyright notice: `© 2019-2021 Doe` in the text, bytes 3 to 9 (years: 2019, 2021; holder: `Doe`).",
        "Copyright notice: `© Doe` in `http:x-robots-tag` (years: none; holder: none).",
        "Statement that all rights are reserved, in the language: `en` in the text, bytes 3 to 9.",
        "ISBN: `9780131103627` in the text, bytes 3 to 9.",
        "ISSN: `1234-5679` in the text, bytes 3 to 9.",
        "DOI: `10.1/x` in the text, bytes 3 to 9.",
        "arXiv identifier: `2101.00001` in the text, bytes 3 to 9.",
        "Licence: `CC-BY-4.0` in `link:license`.",
        "Reservation: `noai` to the crawler `ccbot` in `http:x-robots-tag`.",
        "Reservation: `tdm-reservation` = `1` in `meta:tdm-reservation`.",
        "Author named by the page: `Jane Doe`.",
        "Publisher named by the page: `Doe Books`.",
    ]


def test_silence_of_a_page_is_told_from_that_of_its_format() -> None:
    """JSON Lines hold no header that could reserve anything; a page that says nothing has an empty list."""
    basis = "Basis `crawl`: no contract and no licence is named."
    silent = "Reservations: the input holds neither HTTP header nor HTML that could say any."
    assert list(rights_words(ledger_row())) == [basis, silent]
    assert list(rights_words(ledger_row(reservations=[]))) == [basis]


def test_document_is_named_with_its_url_or_its_build() -> None:
    """Only what is in this ledger has a URL; a document without one stands alone."""
    assert document_words(EVIDENCE, None, NAMED) == f"{EVIDENCE} (https://b.example/)"
    assert document_words(EVIDENCE, None, {EVIDENCE: {"url": None}}) == EVIDENCE
    taken = document_words(EVIDENCE, "takedown-00ff", NAMED)
    assert taken == f"{EVIDENCE}, which the certificate of takedown `00ff` holds"
    assert document_words(EVIDENCE, "old", NAMED) == f"{EVIDENCE} of the earlier build `old`"


def test_similarity_says_how_it_was_measured() -> None:
    """An estimate is not a true similarity."""
    assert similarity_words(0.5, "jaccard") == "true Jaccard similarity 0.5"
    assert similarity_words(0.5, "signature") == "similarity as their signatures estimate it 0.5"
    assert similarity_words(1.0, None) == "similarity 1"


HOSTILE = "\x1b]0;title\x07\x1b[2J\r\n\u202egnp.exe\u200b\x9b31m" + "x" * 5000


def test_hostile_values_do_nothing_to_a_terminal() -> None:
    """In marks and in rights, wherever a value of the crawl or of a list goes."""
    finding = {"value": HOSTILE, "source": HOSTILE, "start": None, "end": None}
    row = ledger_row(
        mark("blocklist", list=HOSTILE, category=HOSTILE, file=HOSTILE, line=1, matched=HOSTILE, source=HOSTILE),
        mark("taint", evidence=EVIDENCE),
        mark("taint", evidence=EVIDENCE, evidence_build=HOSTILE),
        rights_reference=HOSTILE,
        copyright_notices=[{"statement": HOSTILE, "years": [], "holder": HOSTILE, **IN_TEXT}],
        licences=[finding],
        reservations=[{"signal": HOSTILE, "value": HOSTILE, "agent": HOSTILE, "source": HOSTILE}],
        page_authors=[HOSTILE],
        page_publishers=[HOSTILE],
    )
    words = [*mark_words(row["marks"], {EVIDENCE: {"url": HOSTILE}}), *rights_words(row)]
    assert all(text.isprintable() for text in words)
    assert max(map(len, words)) < 6 * MOST_CHARACTERS


@given(st.text(max_size=400))
@settings(max_examples=200)
def test_shown_text_is_one_printable_line_of_bearable_length(text: str) -> None:
    """What was cut ends in `…`; what is printable and short stays as it is."""
    line = shown(text)
    assert line.isprintable()
    assert len(line) <= MOST_CHARACTERS
    if text.isprintable() and len(text) <= MOST_CHARACTERS:
        assert line == text
    if len(text) > MOST_CHARACTERS:
        assert line.endswith("…")
    assert quoted(text) == f"`{line}`"


@given(st.floats(0, 1))
def test_rounded_similarity_encloses_the_true_one(value: float) -> None:
    """Down and up, to four decimals, so that neither crosses a threshold that the true one does not."""
    below, above = float(at_least(value)), float(at_most(value))
    assert below <= value <= above
    assert above - below <= 1.0001e-4
    assert len(at_least(value)) <= len("0.0000")
