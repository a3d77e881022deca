"""Columns across a shuffle: every row arrives exactly once, at its partition, in its order."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.shuffle import PARTITION_BYTES, pack, partitions, split, unpack

ROWS = st.lists(st.tuples(st.integers(0, 5), st.none() | st.text(max_size=5), st.integers()), max_size=40)
SCHEMA = pa.schema([pa.field("text", pa.large_string()), pa.field("digest", pa.binary(2), False)])


def batch_of(values: list[str | None]) -> pa.RecordBatch:
    digests = [bytes([i % 256, i // 256]) for i in range(len(values))]
    return pa.record_batch({"text": values, "digest": digests}, SCHEMA)


@given(ROWS)
def test_split_sends_every_row_once_to_its_partition_in_order(rows: list[tuple[int, str | None, int]]) -> None:
    """Against a dictionary of lists filled row by row; partitions come in ascending order, none of them empty."""
    expected: dict[int, list[dict[str, object]]] = {}
    batch = batch_of([text for _, text, _ in rows])
    for (target, _, _), row in zip(rows, batch.to_pylist(), strict=True):
        expected.setdefault(target, []).append(row)
    sent = list(split(batch, np.array([target for target, _, _ in rows], np.int64)))
    assert [number for number, _ in sent] == sorted(expected)
    assert {number: unpack([packed]).to_pylist() for number, packed in sent} == expected


@pytest.mark.parametrize("kind", [np.int64, np.uint32, np.uint8])
def test_split_sends_python_ints_and_bytes(kind: type[np.integer]) -> None:
    """Beam has compiled coders for these two only; a numpy integer would take the slow one."""
    sent = list(split(batch_of(["a", "b"]), np.array([1, 0], kind)))
    assert [(type(number), type(packed)) for number, packed in sent] == [(int, bytes)] * 2


def test_split_of_an_empty_batch_sends_nothing() -> None:
    """A part without keys, such as one whose texts are all empty, is no error."""
    assert list(split(batch_of([]), np.empty(0, np.int64))) == []


def test_split_of_a_slice_sends_the_rows_of_the_slice() -> None:
    """Rows before and after the slice stay where they are."""
    ((number, packed),) = split(batch_of(["a", "b", "c"]).slice(1, 1), np.array([4]))
    assert (number, unpack([packed]).to_pylist()) == (4, [{"text": "b", "digest": b"\x01\x00"}])


@given(st.lists(st.lists(st.none() | st.text(max_size=5), max_size=6), min_size=1, max_size=5))
def test_unpack_puts_batches_together_in_order_of_arrival(groups: list[list[str | None]]) -> None:
    """One table with one chunk a column and the schema that was sent, nullability included."""
    table = unpack(pack(batch_of(group)) for group in groups)
    assert table.schema == SCHEMA
    assert table["text"].to_pylist() == [text for group in groups for text in group]
    assert table["text"].num_chunks <= 1


def test_pack_sends_the_rows_of_a_slice_alone() -> None:
    """The bytes of a slice do not hold the batch that it was cut from."""
    whole = batch_of(["x" * 100] * 1000)
    assert len(pack(whole.slice(500, 1))) < 1000 < 100_000 < len(pack(whole))


def test_unpack_of_nothing_is_refused() -> None:
    """There is no schema to answer with."""
    with pytest.raises(ValueError, match="Must pass at least one table"):
        unpack([])


@pytest.mark.parametrize(
    ("payload", "count"),
    [(0, 8), (1, 8), (8 * PARTITION_BYTES, 8), (8 * PARTITION_BYTES + 1, 9), (100 * PARTITION_BYTES, 100)],
)
def test_partitions_grow_with_the_payload_from_eight_on(payload: int, count: int) -> None:
    """No partition is planned to hold more than `PARTITION_BYTES`."""
    assert partitions(payload) == count
