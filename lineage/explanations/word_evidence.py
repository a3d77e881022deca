"""The evidence of an explanation in words: every mark with what it rests on, and what page and text say of rights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from lineage.explanations.quote import at_least, quoted, shown
from schemas import reasons
from schemas.columns import TEXT

Fields = Mapping[str, Any]

MOST_SHOWN: Final = 10
"""Entries of a list of evidence that a page shows; all of them are in the JSON."""
TAKEN: Final = "takedown-"
"""How builds begin that stand for the certificates of takedowns."""
_ACTIONS: Final = {
    reasons.MARK_DROP: "drops it",
    reasons.MARK_QUARANTINE: "quarantines it",
    reasons.MARK_FLAG: "only flags it",
}
_METHODS: Final = {
    reasons.JACCARD: "true Jaccard similarity",
    reasons.SIGNATURE: "similarity as their signatures estimate it",
}
_FINDINGS: Final = {
    "rights_reserved": "Statement that all rights are reserved, in the language",
    "isbns": "ISBN",
    "issns": "ISSN",
    "dois": "DOI",
    "arxiv_ids": "arXiv identifier",
    "licences": "Licence",
}


def mark_words(marks: Sequence[Fields], named: Mapping[str, Fields]) -> Iterator[str]:
    """The marks of a document: a statement for each rule and action, and beneath it one for each mark's evidence.

    `named` are the ledger rows of documents that marks point to, by `doc_id`.
    """
    for (rule, action), group in groupby(marks, lambda mark: (mark["rule"], mark["action"])):
        found = list(group)
        yield f"`{rule}` {_ACTIONS[action]}. {reasons.RULES[rule]}"
        yield from _some([f"- {words}" for mark in found if (words := "; ".join(_evidence(mark, named)))])


def document_words(doc_id: str, build: str | None, named: Mapping[str, Fields]) -> str:
    """A document by its id, with the URL that the ledger gives it, or with what else holds it."""
    if build and build.startswith(TAKEN):
        return f"{doc_id}, which the certificate of takedown {quoted(build.removeprefix(TAKEN))} holds"
    if build:
        return f"{doc_id} of the earlier build {quoted(build)}"
    url = named[doc_id]["url"] if doc_id in named else None
    return f"{doc_id} ({shown(url)})" if url else doc_id


def similarity_words(value: float, method: str | None) -> str:
    """A similarity and how it was measured."""
    return f"{_METHODS[method] if method else 'similarity'} {at_least(value)}"


def rights_words(row: Fields) -> Iterator[str]:
    """What a ledger row says of rights: its basis, then every signal."""
    basis, reference = row["rights_basis"], row["rights_reference"]
    said = f"the register names {quoted(reference)}" if reference else "no contract and no licence is named"
    yield f"Basis `{basis}`: {said}."
    yield from _listed("Copyright notice", row["copyright_notices"], _notice)
    for column, name in _FINDINGS.items():
        yield from _listed(name, row[column], lambda one: f"{quoted(one['value'])}{_place(one)}")
    if row["reservations"] is None:
        yield "Reservations: the input holds neither HTTP header nor HTML that could say any."
    yield from _listed("Reservation", row["reservations"] or [], _reservation)
    for column, name in (("page_authors", "Author"), ("page_publishers", "Publisher")):
        yield from _listed(f"{name} named by the page", row[column] or [], quoted)


def _evidence(mark: Fields, named: Mapping[str, Fields]) -> Iterator[str]:
    """What one mark rests on, piece by piece."""
    if mark["rule"] == reasons.TAKEDOWN:
        yield f"takedown {quoted(mark['list'])}, selected by `{mark['category']}`"
    elif mark["list"] is not None:
        yield _entry(mark)
    if mark["matched"] is not None:
        yield f"matched {quoted(mark['matched'])}{_place(mark)}"
    if mark["list_sha256"] is not None:
        yield f"SHA-256 of {'the request' if mark['rule'] == reasons.TAKEDOWN else 'the list'} {mark['list_sha256']}"
    if mark["evidence"] is not None:
        yield f"points to {document_words(mark['evidence'], mark['evidence_build'], named)}"
    if mark["value"] is not None:
        limit = "" if mark["limit"] is None else f", the limit is {mark['limit']:g}"
        yield f"{similarity_words(mark['value'], mark['method'])}{limit}"


def _entry(mark: Fields) -> str:
    file = f", file {quoted(mark['file'])}" if mark["file"] is not None else ""
    line = f", line {mark['line']}" if mark["line"] is not None else ""
    category = f", category {quoted(mark['category'])}" if mark["category"] is not None else ""
    return f"list {quoted(mark['list'])}{file}{line}{category}"


def _place(found: Fields) -> str:
    """Where a signal stands, with a blank before; nothing where it is not said."""
    if found["source"] is None:
        return ""
    if found["start"] is None:
        return f" in {quoted(found['source'])}"
    where = "the text" if found["source"] == TEXT.name else quoted(found["source"])
    return f" in {where}, bytes {found['start']} to {found['end']}"


def _notice(notice: Fields) -> str:
    years = ", ".join(map(str, notice["years"])) or "none"
    holder = quoted(notice["holder"]) if notice["holder"] else "none"
    return f"{quoted(notice['statement'])}{_place(notice)} (years: {years}; holder: {holder})"


def _reservation(said: Fields) -> str:
    value = f" = {quoted(said['value'])}" if said["value"] is not None else ""
    agent = f" to the crawler {quoted(said['agent'])}" if said["agent"] else ""
    return f"{quoted(said['signal'])}{value}{agent} in {quoted(said['source'])}"


def _listed(name: str, found: Sequence[Any], words: Callable[[Any], str]) -> Iterator[str]:
    """A statement for each thing that was found."""
    yield from _some([f"{name}: {words(one)}." for one in found])


def _some(statements: Sequence[str]) -> Iterator[str]:
    yield from statements[:MOST_SHOWN]
    if len(statements) > MOST_SHOWN:
        yield f"And {len(statements) - MOST_SHOWN:,} more, which `--format json` prints."
