"""The explanation of a document in words, section by section, from its facts."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lineage.explanations.find_loss import EARLIER, EXCLUDED, SOURCE_PRIORITY, Loss
from lineage.explanations.gather_facts import Facts, Members, Witness
from lineage.explanations.quote import at_least, one_of, quoted, shown
from lineage.explanations.word_evidence import document_words, mark_words, rights_words, similarity_words
from lineage.explanations.word_outlook import outlook_words
from schemas import reasons

_DECISIONS: Final = {
    reasons.KEEP: "Kept: its text is in `documents/`.",
    reasons.QUARANTINED: "Quarantined: its text is in `quarantine/`, not in `documents/`.",
    reasons.DROP: "Dropped: its text is not in the dataset.",
}
_KINDS: Final = {reasons.URL: "the same URL", reasons.EXACT: "the same text", reasons.NEAR: "similar"}
MEASURED: Final = "measured-"
"""How the builds of measured stores begin."""
_UNITS: Final = {"longest": "bytes of text", "shortest": "bytes of text", "url_shortest": "bytes of URL"}


def page(facts: Facts) -> list[tuple[str, str]]:
    """Section and text of every statement, in order; a statement that begins with `- ` belongs to the one before."""
    return [(name, text) for name, statements in _SECTIONS.items() for text in statements(facts)]


def _decision(facts: Facts) -> Iterator[str]:
    row = facts.document
    yield _DECISIONS[row["decision"]]
    if row["reason"]:
        yield f"Reason `{row['reason']}`: {reasons.RULES[row['reason']]}"
    for entry in facts.takedowns:
        yield f"Takedown {entry['id']}, reference {quoted(entry['reference'])}, scope `{entry['scope']}`."
        yield f"Asked for by {shown(entry['requested_by'])} on {shown(entry['requested_on'])}."


def _origin(facts: Facts) -> Iterator[str]:
    row = facts.document
    yield f"doc_id {row['doc_id']}, row {facts.row:,} of ledger part {facts.part}."
    if row["warc_filename"] == row["source_file"]:
        yield f"{_record(row)}."
    else:
        place = f"position {row['source_position']:,} (JSON Lines: byte of the unpacked text; Parquet: row from 0)"
        yield f"File {quoted(row['source_file'])}, {place}."
        if row["warc_filename"] is not None:
            yield f"Said to be taken from {_record(row)}."
    for name in ("url", "fetch_time", "content_digest", "record_id", "warc_record_id"):
        if row[name] is not None:
            value = row[name].isoformat() if name == "fetch_time" else quoted(row[name])
            yield f"{name} {value}"
    digest = row["text_digest"] or "none, as it is empty"
    yield f"Text: {row['text_bytes']:,} bytes of UTF-8, text_digest {digest}."
    if facts.others:
        yield f"{len(facts.others) + 1:,} ledger rows have this doc_id; this page is of the first. The others:"
    for other in facts.others:
        where = f"part {other['part']}, row {other['row']:,}: {quoted(other['source_file'])}"
        yield f"- {where}, position {other['source_position']:,}, {other['decision']}"


def _record(row: Mapping[str, Any]) -> str:
    """Where a record lies in a WARC file, as far as it is known."""
    numbers = [(name, row[f"warc_record_{name}"]) for name in ("offset", "length")]
    known = "".join(f", {name} {number:,}" for name, number in numbers if number is not None)
    return f"WARC file {quoted(row['warc_filename'])}{known}"


def _marks(facts: Facts) -> Iterator[str]:
    if not facts.document["marks"]:
        yield "None: no rule fired."
    yield from mark_words(facts.document["marks"], facts.named)


def _rights(facts: Facts) -> Iterator[str]:
    yield from rights_words(facts.document)


def _witness(facts: Facts) -> Iterator[str]:
    witness = facts.witness
    if witness is None:
        yield "None: it repeats no document that survives."
        return
    how = _KINDS[witness.kind]
    if witness.kind == reasons.NEAR and witness.similarity is not None:
        how = similarity_words(witness.similarity, witness.method)
    yield f"It repeats {document_words(witness.doc_id, witness.build, facts.named)}: {how}."
    yield _survival(witness, facts.named)
    if witness.loss:
        yield _loss(witness.loss)


def _survival(witness: Witness, named: Mapping[str, Mapping[str, Any]]) -> str:
    if witness.build:
        where = f" {quoted(witness.store)}, which `dedup.against` names" if witness.store else ""
        if witness.build.startswith(MEASURED):
            return f"That document is in the measured store{where}: nothing was decided on it there."
        command = f"`cleartitle lookup` there with `--doc-id {witness.doc_id}` answers"
        return f"That document is in the dataset{where or ' of that build'}: {command}."
    if witness.survives:
        return "That document survives: it is kept in this dataset."
    row = named.get(witness.doc_id)
    if row is None:
        return "That document is not in the ledger; `cleartitle verify` says what else is missing."
    takedown = f", by takedown {row['takedown_id']}" if row["takedown_id"] else ""
    return f"That document does not survive itself: {row['decision']}, reason `{row['reason']}`{takedown}."


def _loss(loss: Loss) -> str:
    if loss.by == EARLIER:
        return "Documents of earlier stores come before all of this crawl (`dedup.overlap` is `old_stays`)."
    if loss.by == EXCLUDED:
        rules = one_of([f"`{rule}`" for rule in loss.own], "and")
        return (
            f"It came after every document that may stay, since {rules} took it out: it could not be the one to stay."
        )
    if loss.by == "none":
        return "Under the survivor policy `none` no document that has a duplicate stays."
    if loss.by == SOURCE_PRIORITY:
        return "It lost by `source_priority`: the register gives its source less. The ledger does not hold priorities."
    unless = "by `source_priority`, which the ledger does not hold, or else " if loss.or_priority else ""
    if loss.by == "doc_id":
        return f"It lost {unless}by the larger doc_id, which breaks ties."
    return f"It lost {unless}by `{loss.by}`: {_value(loss.by, loss.own)} against {_value(loss.by, loss.its)}."


def _value(rule: str, value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:,} {_UNITS[rule]}" if rule in _UNITS else value.isoformat()


def _cluster(facts: Facts) -> Iterator[str]:
    row, cluster = facts.document, facts.cluster
    if row["cluster_id"] is None:
        yield "None: it was a candidate for no other document."
        return
    here = sum(cluster.counts.values())
    earlier = row["cluster_size"] - here
    elsewhere = f", and {earlier:,} of earlier stores" if earlier else ""
    decisions = ", ".join(f"{decision} {count:,}" for decision, count in cluster.counts.items())
    yield f"Cluster {row['cluster_id']} of {row['cluster_size']:,} documents: {decisions}{elsewhere}."
    yield from _members(cluster, here)


def _followers(facts: Facts) -> Iterator[str]:
    followers = facts.followers
    if not followers.counts:
        yield "No document names it as the one that it repeats."
    else:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in followers.counts.items())
        yield f"It is the witness for {sum(followers.counts.values()):,}: {kinds}."
        yield from _members(followers, sum(followers.counts.values()))
    if facts.replaces:
        yield "It replaces documents of earlier stores, as `replaced/` says; the first of them:"
    for one in facts.replaces:
        yield f"- {one['doc_id']} of build {quoted(one['build'])}, {one['duplicate_kind']}"


def _members(members: Members, count: int) -> Iterator[str]:
    for one in members.first:
        similarity = one.get("similarity")
        how = f", {one['duplicate_kind']}" if "duplicate_kind" in one else ""
        near = "" if similarity is None else f" {at_least(similarity)}"
        url = f" ({shown(one['url'])})" if one["url"] else ""
        yield f"- {one['doc_id']}{url}{how}{near}, {one['decision']}"
    if count > len(members.first):
        yield f"- and {count - len(members.first):,} more"


def _decided_by(facts: Facts) -> Iterator[str]:
    build = facts.build
    yield f"Build {build['build_id']} of the crawl {quoted(build['crawl'])}, finished {build['finished']}."
    if build["version_id"] != build["build_id"]:
        yield f"Version {build['version_id']} of it, which takedowns made."
    yield f"Config digest {build['config_digest']}, by cleartitle {build['version']}."
    yield f"Survivor policy: {build['survivor_policy']}."
    if build["bands"] is None:
        yield "Near duplicates were not looked for."
    else:
        bands = f"{build['bands']} bands of {build['rows']} rows of {build['ngram']}-grams"
        yield f"Near duplicates: from {build['threshold']} on by {build['verify']}, candidates by {bands}."


_SECTIONS: Final[dict[str, Callable[[Facts], Iterator[str]]]] = {
    "decision": _decision,
    "origin": _origin,
    "marks": _marks,
    "rights": _rights,
    "witness": _witness,
    "cluster": _cluster,
    "witness for": _followers,
    "decided by": _decided_by,
    "another decision": outlook_words,
}
