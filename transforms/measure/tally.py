"""What a reader reports beside its documents: records it could not read, and records that are no documents."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from schemas.columns import BUILD_ID, REJECTED


@dataclass
class Tally:
    """Collects, for one part, rejected records and the number of records that are no documents, by kind."""

    rejected: list[dict[str, str | int | None]] = field(default_factory=list)
    not_documents: Counter[str] = field(default_factory=Counter)

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
        """The rejected records as a table of `REJECTED` without `build_id`, in order of file and position."""
        rows = sorted(self.rejected, key=lambda row: (str(row["source_file"]), int(row["source_position"] or 0)))
        schema = REJECTED.schema()
        return pa.Table.from_pylist(rows, schema.remove(schema.get_field_index(BUILD_ID.name)))
