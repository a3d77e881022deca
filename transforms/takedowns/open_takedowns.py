"""Open takedowns: what `takedowns` in the config names, checked against the settings of this run."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import ConfigError, InputError
from transforms.batches import hex_digests
from transforms.decide.earlier_stores import check_fingerprints
from transforms.measure.fingerprint import fingerprint
from transforms.part_store import file_facts, open_input
from transforms.takedowns.match_selectors import Asked
from transforms.takedowns.read_takedown import Takedown, read_takedown

FINGERPRINT = b"fingerprint"
"""Key of the metadata of a table `TAKEN`: JSON of the `fingerprint_facts` by which it was made."""


def open_takedowns(paths: Sequence[str], ours: Mapping[str, Any]) -> tuple[Takedown, ...]:
    """The takedowns at the paths, in order; `ours` is what this run's documents are found by (`fingerprint_facts`).

    Raises ConfigError, with a letter for each that cannot be read and each that is another one once more; InputError
    for certificates whose evidence has other fingerprints, so that copies of it would not be found.
    """
    takedowns: list[Takedown] = []
    letters, misfits = [], []
    first: dict[str, str] = {}
    for path in paths:
        try:
            takedown = read_takedown(path)
            if takedown.evidence:
                _check(path, takedown.evidence, ours)
        except ConfigError as error:
            letters.append(str(error))
        except InputError as error:
            misfits.append(str(error))
        else:
            takedowns.append(takedown)
            earlier = first.setdefault(takedown.id, path)
            if earlier != path:
                letters.append(f"`takedowns` names one request twice, {earlier} and {path}; name one of them.")
    if letters:
        raise ConfigError("\n".join(letters))
    if misfits:
        raise InputError("\n".join(misfits))
    return tuple(takedowns)


def asked_by(takedown: Takedown, threshold: float) -> Asked:
    """What a takedown asks for; `threshold` is the similarity of copies where its request names none."""
    request = takedown.request
    limit = None if request.scope == "named" else request.similarity or threshold
    digests, names = _texts(takedown)
    return Asked(takedown.id, takedown.sha256, request.selectors, limit, digests, names, _content(takedown))


def refer(takedowns: Iterable[Takedown]) -> list[dict[str, Any]]:
    """What the manifest says of each request."""
    names = ("reference", "requested_by", "requested_on", "scope", "similarity", "witnesses")
    return [{"id": one.id, "sha256": one.sha256, **{n: getattr(one.request, n) for n in names}} for one in takedowns]


def _content(takedown: Takedown) -> str:
    if takedown.evidence is None:
        return takedown.sha256
    evidence = file_facts(takedown.evidence)["sha256"]
    return hashlib.sha256(f"{takedown.sha256}\n{evidence}".encode()).hexdigest()


def _texts(takedown: Takedown) -> tuple[pa.Array, tuple[str, ...]]:
    """`text_digest` and name of each text; in evidence a text stands under its digest in place of a `doc_id`."""
    if takedown.evidence is None:
        digests = fingerprint(takedown.texts, None)["text_digest"]
        named = digests.is_valid()
        return digests.filter(named), tuple(pa.array(takedown.text_names, pa.string()).filter(named).to_pylist())
    with open_input(takedown.evidence) as stream:
        table = pq.read_table(stream, columns=["doc_id", "text_digest"])
    is_text = pc.fill_null(pc.equal(table["doc_id"], table["text_digest"]), False)
    digests = table["text_digest"].filter(is_text).combine_chunks()
    return digests, tuple(f"text_digest:{one}" for one in hex_digests(digests).to_pylist())


def _check(path: str, evidence: str, ours: Mapping[str, Any]) -> None:
    """Raise InputError if the evidence of a certificate has other fingerprints than this run."""
    with open_input(evidence) as stream:
        metadata = pq.read_schema(stream).metadata or {}
    try:
        check_fingerprints("a certificate", {"fingerprint": json.loads(metadata.get(FINGERPRINT, b"null"))}, ours)
    except InputError as error:
        raise InputError(f"`takedowns` names {path}, {error}") from error
