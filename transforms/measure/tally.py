"""What a reader reports beside its documents: records it could not read, and records that are no documents."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from schemas.columns import BUILD_ID, REJECTED

PACK_ROWS = 10_000


@dataclass
class Tally:
    """Collects, for one part, rejected records and the number of records that are no documents, by kind."""

    rejected: list[dict[str, str | int | None]] = field(default_factory=list)
    """The latest rejected records; earlier ones are packed away, as a file may hold millions of broken lines."""
    not_documents: Counter[str] = field(default_factory=Counter)
    _packed: list[pa.Table] = field(default_factory=list)

    def reject(
        self,
        source_file: str,
        source_position: int,
        reason: str,
        detail: str,
        *,
        size: int | None = None,
        record_id: str | None = None,
        url: str | None = None,
    ) -> None:
        """Record that `size` bytes at `source_position` could not be read; `reason` is one of `REJECTIONS`."""
        if len(self.rejected) == PACK_ROWS:
            self._packed.append(_table(self.rejected))
            self.rejected = []
        self.rejected.append(
            {
                "source_file": source_file,
                "source_position": source_position,
                "bytes": size,
                "reason": reason,
                "detail": detail,
                "record_id": record_id,
                "url": url,
            }
        )

    def skip(self, kind: str, count: int = 1) -> None:
        """Count records that were read and are no documents, such as `request` or `media_image`."""
        self.not_documents[kind] += count

    def table(self) -> pa.Table:
        """All rejected records as a table of `REJECTED` without `build_id`, in order of file and position."""
        found = pa.concat_tables([*self._packed, _table(self.rejected)])
        return found.sort_by([("source_file", "ascending"), ("source_position", "ascending")])


def _table(rejected: list[dict[str, str | int | None]]) -> pa.Table:
    schema = REJECTED.schema()
    return pa.Table.from_pylist(rejected, schema.remove(schema.get_field_index(BUILD_ID.name)))
