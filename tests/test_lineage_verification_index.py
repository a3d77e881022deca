"""Verifying the indexes, against Python's own sorting."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.verification import check_index
from lineage.verification.files import Files
from lineage.verification.findings import Findings
from schemas.columns import INDEX_KEYS


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12),
    st.integers(1, 12),
    st.integers(1, 5),
)
@settings(max_examples=50, deadline=None)
def test_index_is_sorted_if_python_sorts_it_the_same(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[int, int, int]], cut: int, batch: int
) -> None:
    """Over all its files, and over all batches of a file; twins are as wrong as what comes too early."""
    place = tmp_path_factory.mktemp("i")
    (place / "index_keys").mkdir()
    names: list[str] = []
    for share in filter(None, (entries[:cut], entries[cut:])):
        names.append(f"index_keys/part-{len(names):05d}.parquet")
        columns = [list(column) for column in zip(*share, strict=True)]
        pq.write_table(pa.table(columns, schema=INDEX_KEYS.schema()), place / names[-1])
    firsts = [share[0][0] for share in (entries[:cut], entries[cut:]) if share]
    files = Files(
        str(place), {"files": {name: {} for name in names}, "index": {"index_keys": firsts}}, frozenset(names)
    )
    findings = Findings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_index, "MOST_ENTRIES", batch)
        read = list(check_index._read_index(files, "index_keys", findings))
    late = [n for n in range(1, len(entries)) if entries[n] <= entries[n - 1]]
    assert bool(findings.count) == bool(late)
    assert sum(sum(one.counts.values()) for one in read) == len(entries)
    if late:
        first = findings.table().to_pylist()[0]
        assert first["file"] == names[late[0] >= cut]
        assert f"first of them row {late[0] - cut * (late[0] >= cut)}," in first["fault"]
