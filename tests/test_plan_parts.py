"""The plan: every byte and every row group in exactly one piece, in parts of about one size, always the same."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.measure import plan_parts as under_test
from transforms.measure.list_files import CrawlFile
from transforms.measure.plan_parts import Part, Piece, Plan, plan_parts, read_parts, write_plan
from transforms.part_store import Stage

SIZE = st.integers(1, 500)


@st.composite
def crawl_files(draw: st.DrawFn) -> CrawlFile:
    """A file of any format, plain or not; sizes from nothing to many parts."""
    format_ = draw(st.sampled_from(["warc", "jsonl", "parquet", "unknown"]))
    groups = tuple(draw(st.lists(st.integers(0, 300), max_size=6))) if format_ == "parquet" else ()
    size = sum(groups) + draw(st.integers(0, 900))
    name = draw(st.text("abc/", min_size=1, max_size=4))
    digest = draw(st.sampled_from(["d1", "d2"]))
    return CrawlFile(f"/data/{name}", name, size, digest, format_, draw(st.sampled_from(["none", "gzip"])), groups)


FILES = st.lists(crawl_files(), max_size=8, unique_by=lambda file: file.name)


def pieces_of(plan: Plan) -> list[Piece]:
    return [piece for part in plan.parts for piece in part.pieces]


def can_be_cut(file: CrawlFile) -> bool:
    return (file.format == "jsonl" and file.compression == "none") or len(file.groups) > 1


@given(FILES, SIZE)
def test_every_file_is_covered_exactly_once(files: list[CrawlFile], part_size: int) -> None:
    """JSONL by byte ranges and Parquet by row groups that follow each other; a file that is not cut stands whole."""
    plan = plan_parts(files, part_size)
    for file in files:
        mine = [piece for piece in pieces_of(plan) if piece.name == file.name]
        if mine[0].stop is None:
            assert [(p.start, p.stop, p.bytes) for p in mine] == [(0, None, file.bytes)]
        else:
            end = len(file.groups) or file.bytes
            assert (mine[0].start, mine[-1].stop) == (0, end)
            assert all(a.stop == b.start for a, b in pairwise(mine))
            assert all(p.stop is not None and p.start < p.stop for p in mine)
    assert len({piece.name for piece in pieces_of(plan)}) == len(files)


@given(FILES, SIZE)
def test_pieces_carry_the_bytes_of_their_range(files: list[CrawlFile], part_size: int) -> None:
    """And path, format and compression of their file."""
    by_name = {file.name: file for file in files}
    for piece in pieces_of(plan_parts(files, part_size)):
        file = by_name[piece.name]
        assert (piece.path, piece.format, piece.compression) == (file.path, file.format, file.compression)
        if piece.stop is not None:
            groups = file.groups[piece.start : piece.stop]
            assert piece.bytes == (sum(groups) if groups else piece.stop - piece.start)


@given(FILES, SIZE)
def test_files_are_cut_only_where_they_can_be_and_must_be(files: list[CrawlFile], part_size: int) -> None:
    """A compressed file or a WARC is never cut, nor is one that fits a part."""
    plan = plan_parts(files, part_size)
    for file in files:
        cut = any(piece.stop is not None for piece in pieces_of(plan) if piece.name == file.name)
        assert cut == (can_be_cut(file) and file.bytes > part_size)


@given(FILES, SIZE)
def test_no_part_is_above_the_target_unless_it_cannot_be_cut(files: list[CrawlFile], part_size: int) -> None:
    """Only a whole file or a single row group may be larger, and then it is a part of its own."""
    for part in plan_parts(files, part_size).parts:
        if part.bytes > part_size:
            (piece,) = part.pieces
            (file,) = [file for file in files if file.name == piece.name]
            filled = [size for size in file.groups[piece.start : piece.stop] if size]
            assert piece.stop is None or len(filled) == 1


@given(FILES, SIZE)
def test_small_pieces_are_joined_as_long_as_they_fit(files: list[CrawlFile], part_size: int) -> None:
    """The first piece of the next part would not have fitted."""
    for part, after in pairwise(plan_parts(files, part_size).parts):
        assert part.bytes + after.pieces[0].bytes > part_size


@given(st.integers(1, 5000), SIZE)
def test_pieces_of_a_jsonl_file_differ_by_at_most_one_byte(size: int, part_size: int) -> None:
    """No small rest is left at the end."""
    plan = plan_parts([CrawlFile("/a", "a", size, "d", "jsonl", "none")], part_size)
    sizes = [piece.bytes for piece in pieces_of(plan)]
    assert (sum(sizes), len(sizes)) == (size, -(-size // part_size))
    assert max(sizes) - min(sizes) <= 1


@given(FILES, SIZE)
def test_parts_are_numbered_from_zero_in_order_of_names(files: list[CrawlFile], part_size: int) -> None:
    """And inside a file in order of position; no part is empty."""
    plan = plan_parts(files, part_size)
    assert [part.number for part in plan.parts] == list(range(len(plan.parts)))
    assert all(part.pieces for part in plan.parts)
    order = [(piece.name, piece.start) for piece in pieces_of(plan)]
    assert order == sorted(order)


@given(FILES.flatmap(lambda files: st.tuples(st.just(files), st.permutations(files))), SIZE)
def test_plan_does_not_depend_on_the_order_of_the_files(
    both: tuple[list[CrawlFile], list[CrawlFile]], part_size: int
) -> None:
    """Plan, facts and digest are the same."""
    plans = [plan_parts(files, part_size) for files in both]
    assert plans[0] == plans[1]
    assert plans[0].digest() == plans[1].digest()


@given(FILES, SIZE)
def test_digest_does_not_depend_on_where_the_files_lie(files: list[CrawlFile], part_size: int) -> None:
    """The same crawl on another disk is the same crawl; `facts` names no path."""
    moved = [replace(file, path=f"memory://bucket/{file.name}") for file in files]
    assert plan_parts(moved, part_size).digest() == plan_parts(files, part_size).digest()
    assert "/data" not in str(plan_parts(files, part_size).facts())


@pytest.mark.parametrize(
    "change",
    [{"name": "b"}, {"bytes": 101}, {"digest": "e"}, {"format": "warc"}],
    ids=lambda change: next(iter(change)),
)
def test_digest_depends_on_every_fact_of_a_file(change: dict[str, object]) -> None:
    """Name, size, digest and format."""
    file = CrawlFile("/a", "a", 100, "d", "jsonl", "none")
    changed = replace(file, **change)  # type: ignore[arg-type]
    assert plan_parts([changed], 200).digest() != plan_parts([file], 200).digest()


def test_digest_depends_on_the_cuts() -> None:
    """Another part size that makes other parts is another plan; one that makes the same parts is not."""
    file = CrawlFile("/a", "a", 100, "d", "jsonl", "none")
    digests = [plan_parts([file], size).digest() for size in (200, 100, 99)]
    assert (digests[0] == digests[1], digests[1] == digests[2]) == (True, False)


def test_parts_come_back_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are written many to a file, and read again by their numbers alone."""
    monkeypatch.setattr(under_test, "PARTS_A_FILE", 3)
    files = [CrawlFile(f"/in/{i}", f"{i}", 100, "d", "warc", "gzip") for i in range(8)]
    plan = plan_parts(files, 100)
    store = Stage(str(tmp_path), "digest")
    write_plan(plan, store)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"plan-{i:05d}.json" for i in range(3)]
    assert [part for start in (0, 3, 6) for part in read_parts(store, start)] == list(plan.parts)


def test_part_names_itself_by_its_first_piece() -> None:
    """As messages show it."""
    piece = Piece("/data/a.gz", "a.gz", "warc", "gzip", 0, None, 10)
    assert str(Part(3, (piece,))) == "part 3 (a.gz)"
    assert str(Part(3, (piece, piece, piece))) == "part 3 (a.gz and 2 more)"


def test_plan_of_no_files_has_no_parts() -> None:
    """There is nothing to do, and no error."""
    assert plan_parts([], 100) == Plan((), ())
