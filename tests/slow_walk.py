"""The walk in survivor order on Python sets and lists: one document after the other, true similarities as fractions."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from transforms.kernels.survivors import Limits


@dataclass(frozen=True)
class Document:
    """A row of `Members`. Equal texts have equal shingles and sketches, and URLs and texts keep to one component."""

    component: int = 0
    url: int | None = None
    text: int | None = None
    shingles: frozenset[int] = frozenset()
    """Empty where it has none: then it is not signed. In signature mode each holds its place in the upper half."""
    sketch: int = 0
    """One word of 32 cells."""
    judged: bool = True
    offers: bool = True


@dataclass(frozen=True)
class Verdict:
    """Rows of the witnesses, or None."""

    same_url: int | None = None
    exact: int | None = None
    near: int | None = None
    similarity: Fraction | None = None
    bounded: bool = False


def equal_cells(a: int, b: int) -> int:
    """Of 32 cells of two bits."""
    return sum((a ^ b) >> 2 * place & 3 == 0 for place in range(32))


def similarity(a: frozenset[int], b: frozenset[int], signature: bool = False) -> Fraction:
    """Jaccard, or the share of equal values of two signatures."""
    return Fraction(len(a & b), len(a) if signature else len(a | b))


def first_similar(
    mine: Document, pool: Sequence[int], documents: Sequence[Document], limits: Limits
) -> tuple[int | None, bool]:
    """The first of the pool that reaches the threshold, among the most that may be compared; whether some were not."""
    looked_at = pool[: limits.most_estimates]
    estimates = {row: equal_cells(mine.sketch, documents[row].sketch) for row in looked_at}
    worthy = [row for row in looked_at if estimates[row] >= limits.least_cells]
    best = sorted(worthy, key=lambda row: -estimates[row])[: limits.most_comparisons]
    threshold = Fraction(str(limits.threshold))
    for row in worthy:
        if row in best and similarity(mine.shingles, documents[row].shingles, limits.signature) >= threshold:
            return row, False
    return None, len(pool) > len(looked_at) or len(worthy) > len(best)


def slow_walk(documents: Sequence[Document], limits: Limits) -> list[Verdict]:
    """Witnesses of every document, which stand in survivor order inside their components."""
    witnesses: list[int] = []
    met: dict[int, int] = {}
    verdicts = []
    for row, mine in enumerate(documents):
        others = [w for w in witnesses if documents[w].component == mine.component]
        verdict = Verdict()
        if mine.judged:
            same_url = next((w for w in others if mine.url is not None and documents[w].url == mine.url), None)
            exact = next((w for w in others if mine.text is not None and documents[w].text == mine.text), None)
            near, bounded = None, False
            if exact is None and mine.shingles:
                texts = {w: documents[w].text for w in others if documents[w].shingles}
                # Of equal texts one stands for all.
                pool = [w for w, text in texts.items() if text is None or w == _first(texts, text)]
                near, bounded = first_similar(mine, pool, documents, limits)
                if mine.text in met:
                    near, bounded = met[mine.text], False
            share = None if near is None else similarity(mine.shingles, documents[near].shingles, limits.signature)
            verdict = Verdict(same_url, exact, near, share, bounded)
            if near is not None and mine.text is not None:
                met.setdefault(mine.text, near)
        if mine.offers and verdict.same_url is verdict.exact is verdict.near is None:
            witnesses.append(row)
        verdicts.append(verdict)
    return verdicts


def _first(texts: dict[int, int | None], text: int) -> int:
    return next(w for w, theirs in texts.items() if theirs == text)


def slow_source(
    row: int, documents: Sequence[Document], source: Sequence[bool], limits: Limits, by_url: bool
) -> tuple[int | None, Fraction | None]:
    """The source of a document that is asked for: by its text, else by similarity, else by its URL."""
    mine = documents[row]
    sources = [i for i, is_source in enumerate(source) if is_source and documents[i].component == mine.component]
    exact = next((i for i in sources if mine.text is not None and documents[i].text == mine.text), None)
    if exact is not None:
        return exact, Fraction(1)
    texts = {i: documents[i].text for i in sources if documents[i].shingles}
    pool = [i for i, text in texts.items() if text is None or i == _first(texts, text)]
    near = first_similar(mine, pool, documents, limits)[0] if mine.shingles else None
    if near is not None:
        return near, similarity(mine.shingles, documents[near].shingles, limits.signature)
    same_url = next((i for i in sources if mine.url is not None and documents[i].url == mine.url), None)
    return (same_url if by_url else None), None
