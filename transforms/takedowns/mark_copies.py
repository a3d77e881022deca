"""Mark copies: what repeats something that a takedown took out, from the verdicts on duplicates."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import reasons
from transforms.batches import hex_digests
from transforms.decide.all_parts import OWN
from transforms.decide.marks import Marks
from transforms.takedowns.match_selectors import Asked

COPIES: Final = "near_duplicates"
"""Category of these marks, where those of selectors have the kind of the selector."""
_NOTHING: Final = pa.scalar(None, pa.string())


def mark_copies(verdicts: pa.Table, takedowns: Sequence[Asked], stores: Sequence[str], signature: bool) -> Marks:
    """The marks on copies.

    `verdicts` is of the schema `VERDICTS`, and `stores` are the names of the earlier stores; `signature` says that all
    similarities are estimates. Evidence is the document that a copy repeats. A text of a request is none: `matched`
    names it. What is known from a certificate is of the build `takedown-` and the takedown's id.
    """
    verdicts = verdicts.filter(verdicts["taken"].is_valid()).combine_chunks()
    names = ("takedown", "taken", "taken_store", "taken_text", "taken_similarity", "estimated")
    number, taken, store, is_text, similarity, estimated = (verdicts[name].combine_chunks() for name in names)
    ids = pa.array([one.id for one in takedowns], pa.string()).take(number)
    held = np.asarray(store)
    # Of documents of this crawl the build is null; behind the earlier stores comes that of what takedowns stored.
    build = pa.array(stores, pa.string()).take(pa.array(held, mask=(held == OWN) | (held == len(stores))))
    certificate = pc.binary_join_element_wise("takedown-", ids, "")
    build = pc.if_else(pc.equal(store, len(stores)), certificate, build)
    fields = {
        "list": ids,
        "list_sha256": pa.array([one.sha256 for one in takedowns], pa.string()).take(number),
        "category": COPIES,
        "matched": _text_names(number, taken, is_text, takedowns),
        "value": similarity,
        "limit": pa.array([one.limit for one in takedowns], pa.float64()).take(number),
        "method": pc.if_else(pc.or_(estimated, signature), reasons.SIGNATURE, reasons.JACCARD),
        "evidence": pc.if_else(is_text, _NOTHING, hex_digests(taken)),
        "evidence_build": pc.if_else(is_text, _NOTHING, build),
    }
    return Marks(reasons.TAKEDOWN, reasons.MARK_DROP, np.asarray(verdicts["row"]).astype(np.int64), fields)


def _text_names(number: pa.Array, digest: pa.Array, is_text: pa.Array, takedowns: Sequence[Asked]) -> pa.Array:
    """Names of the texts of requests that were repeated; null where it was a document."""
    texts = {
        (at, text): name
        for at in pc.unique(number.filter(is_text)).to_pylist()
        for text, name in zip(takedowns[at].text_digests.to_pylist(), takedowns[at].text_names, strict=True)
    }
    repeated = zip(number.to_pylist(), digest.to_pylist(), is_text.to_pylist(), strict=True)
    return pa.array([texts[at, text] if named else None for at, text, named in repeated], pa.string())
