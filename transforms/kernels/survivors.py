"""Inside each component: who survives, and by which surviving document every other one is witnessed."""

import numba
import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
NONE = -1


def groups(words: npt.NDArray[np.uint64], present: Flags) -> I64:
    """Number the distinct digests (uint64, shape (rows, 2)) from 0; -1 where `present` is false.

    >>> groups(np.array([[1, 2], [0, 0], [1, 2]], np.uint64), np.array([True, False, True])).tolist()
    [0, -1, 0]
    """
    numbers = np.full(len(words), NONE, np.int64)
    keys = np.ascontiguousarray(words[present]).view([("high", np.uint64), ("low", np.uint64)]).ravel()
    numbers[present] = np.unique(keys, return_inverse=True)[1]
    return numbers


@numba.njit(nogil=True, cache=True)
def equal_hashes(signatures: U32, a: int, b: int) -> int:
    """Number of equal MinHash values of two rows; divided by the permutations it estimates Jaccard (Broder 1997)."""
    count = 0
    for k in range(signatures.shape[1]):
        count += signatures[a, k] == signatures[b, k]
    return count


@numba.njit(nogil=True, cache=True)
def choose_survivors(
    starts: I64, url: I64, text: I64, signatures: U32, signed: Flags, may_survive: Flags, least_equal: int
) -> tuple[I64, I64, I64, I64]:
    """In survivor order, let each document join a survivor or become one.

    Rows are sorted by component, and by survivor order inside it; component c is rows starts[c] to starts[c + 1].
    `url` and `text` number the distinct URL and text digests (-1: none), `signatures` is uint32 of shape (rows,
    permutations) where `signed`. A document joins the survivor with its URL, the one with its text, or else the first
    one with at least `least_equal` equal hashes; rows where `may_survive` is false never become survivors.
    Returns (same_url, exact, near, near_equal), int64 of shape (rows,): the row of the witness of each kind or -1, and
    the equal hashes of the last. Every witness is a survivor: a row that may survive and has no witness itself.

    Equal texts are compared once: what the first of them met, the others meet too.
    """
    rows = starts[-1] if starts.size else 0
    same_url, exact = np.full(rows, NONE, np.int64), np.full(rows, NONE, np.int64)
    near, near_equal = np.full(rows, NONE, np.int64), np.zeros(rows, np.int64)
    url_owner = np.full(url.max() + 1 if rows else 0, NONE, np.int64)
    text_owner = np.full(text.max() + 1 if rows else 0, NONE, np.int64)
    text_near = np.full(text_owner.size, NONE, np.int64)
    for c in range(starts.size - 1):
        survivors = np.empty(starts[c + 1] - starts[c], np.int64)
        count = 0
        for i in range(starts[c], starts[c + 1]):
            if url[i] >= 0:
                same_url[i] = url_owner[url[i]]
            if text[i] >= 0:
                exact[i] = text_owner[text[i]]
            if exact[i] < 0 and text[i] >= 0 and text_near[text[i]] >= 0:
                near[i] = text_near[text[i]]
            elif exact[i] < 0 and signed[i]:
                for s in range(count):
                    if signed[survivors[s]] and equal_hashes(signatures, i, survivors[s]) >= least_equal:
                        near[i] = survivors[s]
                        break
            if near[i] >= 0:
                near_equal[i] = equal_hashes(signatures, i, near[i])
                if text[i] >= 0:
                    text_near[text[i]] = near[i]
            if may_survive[i] and same_url[i] < 0 and exact[i] < 0 and near[i] < 0:
                survivors[count] = i
                count += 1
                if url[i] >= 0:
                    url_owner[url[i]] = i
                if text[i] >= 0:
                    text_owner[text[i]] = i
    return same_url, exact, near, near_equal


@numba.njit(nogil=True, cache=True)
def find_taint(
    starts: I64, text: I64, signatures: U32, signed: Flags, blocked: Flags, least_equal: int
) -> tuple[I64, I64]:
    """For each document that is not blocked, the first blocked one of its component with its text, or nearly.

    Arguments as in `choose_survivors`. Returns (row of the blocked document or -1, equal hashes), int64 of shape
    (rows,); equal texts count as all hashes equal. Of blocked documents with one text only the first is compared.
    """
    rows = starts[-1] if starts.size else 0
    permutations = signatures.shape[1]
    taint, equal = np.full(rows, NONE, np.int64), np.zeros(rows, np.int64)
    text_blocked = np.full(text.max() + 1 if rows else 0, NONE, np.int64)
    for c in range(starts.size - 1):
        sources = np.empty(starts[c + 1] - starts[c], np.int64)
        count = 0
        for i in range(starts[c], starts[c + 1]):
            if blocked[i] and (text[i] < 0 or text_blocked[text[i]] < 0):
                sources[count] = i
                count += 1
                if text[i] >= 0:
                    text_blocked[text[i]] = i
        if count == 0:
            continue
        for i in range(starts[c], starts[c + 1]):
            if blocked[i]:
                continue
            if text[i] >= 0 and text_blocked[text[i]] >= 0:
                taint[i], equal[i] = text_blocked[text[i]], permutations
                continue
            for s in range(count if signed[i] else 0):
                if signed[sources[s]]:
                    same = equal_hashes(signatures, i, sources[s])
                    if same >= least_equal:
                        taint[i], equal[i] = sources[s], same
                        break
    return taint, equal
