"""Read records: a piece of the crawl, of any format, to Arrow record batches of `RECORDS`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa

from transforms.measure.plan_parts import Piece
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.readers.jsonl import read_jsonl
from transforms.measure.readers.parquet import read_parquet
from transforms.measure.readers.warc import read_warc
from transforms.measure.tally import Tally
from transforms.part_store import open_input


@dataclass(frozen=True)
class ReadRules:
    """The part of the config that reading needs; `carry_types` are the Arrow types of carried Parquet columns."""

    columns: ColumnMap
    main_content: bool
    carry_types: Mapping[str, pa.DataType] = field(default_factory=dict)

    def carried(self) -> list[pa.Field]:
        """Fields of the carried columns; from JSON Lines they come as strings."""
        return [pa.field(name, self.carry_types.get(name, pa.string())) for name in self.columns.carry]


def read_records(piece: Piece, rules: ReadRules, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Batches of the documents of a piece; what is rejected or no document goes to the tally. Raises OSError."""
    with open_input(piece.path) as stream:
        yield from read_stream(stream, piece, rules, tally)


def read_stream(stream: BinaryIO, piece: Piece, rules: ReadRules, tally: Tally) -> Iterator[pa.RecordBatch]:
    """As `read_records`, from a stream that is open and holds what the file of the piece does."""
    if piece.format == "jsonl":
        yield from read_jsonl(
            stream,
            piece.name,
            tally,
            rules.columns,
            start=piece.start,
            stop=piece.stop,
            compression=piece.compression,
        )
    elif piece.format == "parquet":
        yield from read_parquet(
            stream,
            piece.name,
            tally,
            rules.columns,
            first_group=piece.start,
            last_group=piece.stop,
            carry_types=rules.carry_types,
        )
    else:  # WARC and WET; a file of no known format is rejected there, with what it begins with
        yield from read_warc(stream, piece.name, tally, main_content=rules.main_content)
