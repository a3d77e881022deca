"""Excerpts of crawl files: the records that are wanted, side by side, which make a file of the same format again.

So a record is read by the reader that measured it, and nothing else of its file is.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

I64 = npt.NDArray[np.int64]

EXCERPT_BYTES: Final = 32 << 20
"""An excerpt ends when it is so long."""


class Excerpt(NamedTuple):
    """Records put together: the one at `starts[i]` of the data begins at `positions[i]` of its file."""

    data: bytes
    starts: I64
    positions: I64

    def back_in_file(self, batch: pa.RecordBatch, warc: bool) -> pa.RecordBatch:
        """A batch of `RECORDS`, read from the data, as it is read from the file: positions and what is made of them."""
        found = batch["source_position"].to_numpy()
        moved = pa.array(self.positions[np.searchsorted(self.starts, found, "right") - 1])
        columns = {name: batch[name] for name in batch.schema.names}
        columns |= {"source_position": moved, "locator": moved.cast(pa.string())}
        if warc:
            by_place = pc.binary_join_element_wise("@", columns["locator"], "")
            columns["locator"] = pc.if_else(batch["record_id"].is_null(), by_place, batch["locator"])
            columns["warc_record_offset"] = moved
        return pa.record_batch(list(columns.values()), schema=batch.schema)


def excerpt_records(stream: BinaryIO, positions: I64, lengths: I64) -> Iterator[Excerpt]:
    """Excerpts with the stored bytes of some records, each as long as is said."""
    return _excerpts(positions, (_read(stream, *place) for place in zip(positions, lengths, strict=True)))


def excerpt_lines(stream: BinaryIO, positions: I64) -> Iterator[Excerpt]:
    """Excerpts with the lines of a plain file that begin at some positions."""
    return _excerpts(positions, (_read(stream, position, None) for position in positions))


def _read(stream: BinaryIO, position: int, length: int | None) -> bytes:
    stream.seek(int(position))
    return stream.readline() if length is None else stream.read(int(length))


def _excerpts(positions: I64, pieces: Iterable[bytes]) -> Iterator[Excerpt]:
    held: list[bytes] = []
    size = done = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= EXCERPT_BYTES:
            yield _excerpt(held, positions[done : done + len(held)])
            done += len(held)
            held, size = [], 0
    if held:
        yield _excerpt(held, positions[done:])


def _excerpt(pieces: list[bytes], positions: I64) -> Excerpt:
    sizes = np.array([len(piece) for piece in pieces], np.int64)
    return Excerpt(b"".join(pieces), np.cumsum(sizes) - sizes, positions)
