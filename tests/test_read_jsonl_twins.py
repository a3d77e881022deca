"""The fast path of the JSON Lines reader, Arrow, equals its slow twin, `json`, on whatever a line can hold."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.jsonl_reading import EVERYTHING, TEXT_ONLY, Read, is_fast, read, read_slowly
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.readers.jsonl import MAX_DEPTH, _line_starts

KEYS = ("id", "text", "url", "time", "offset", "length", "lang", "other", "other", "other")

escapes = st.sampled_from(
    [r"\n", r"\"", r"\\", r"\/", r"\u0000", r"\u00e9", r"\ud83d\ude00", r"\ud800", r"\udc00", r"\x", r"\u12", "\\"]
)
raw = st.sampled_from(
    ["a", "é", "😀", "\x7f", "\u2028", "{", "}", "[", "null", "NaN", "Inf", "//", ":", ",", "\t", "\x01"]
)
strings = st.lists(st.one_of(raw, escapes, st.text(max_size=3).map(lambda t: json.dumps(t)[1:-1])), max_size=4).map(
    lambda parts: '"' + "".join(parts) + '"'
)
tame_strings = st.one_of(
    st.sampled_from(['"2024-05-18"', '"2024-05-18T01:58:10Z"', '"12"', '"007"', '"1.5"', '""', '"x"']),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=5).map(json.dumps),
)
numbers = st.one_of(
    st.integers().map(str),
    st.integers(-(2**66), 2**66).map(str),
    st.floats().map(json.dumps),
    st.sampled_from(["-0", "1.0", "1e2", "1E400", "01", "-", "1.", ".5", "+1", "0x10", "9" * 400, "9" * 5000]),
)
words = st.sampled_from(["null", "true", "false", "NaN", "-NaN", "Inf", "-Inf", "Infinity", "-Infinity", "nul", "None"])
scalars = st.one_of(strings, tame_strings, numbers, words)
spaces = st.sampled_from([" ", "\t", "\r", "\f", "\x0b", "\x00", "\ufeff", "\u00a0"])


def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(inner, max_size=3)
    members = st.lists(st.tuples(strings, inner).map(":".join), max_size=3)
    return st.one_of(items.map(lambda i: "[" + ",".join(i) + "]"), members.map(lambda m: "{" + ",".join(m) + "}"))


def objects(members: st.SearchStrategy[list[str]]) -> st.SearchStrategy[str]:
    blank = st.sampled_from(["", " ", "\t", "\r", "  "])
    return st.tuples(blank, members.map(",".join), blank).map(lambda t: f"{t[0]}{{{t[1]}{t[0]}}}{t[2]}")


def member(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(KEYS), values).map(lambda t: f'"{t[0]}":{t[1]}')


tame = objects(st.lists(member(tame_strings), max_size=3, unique_by=lambda text: text[:4]))
# One thing that is odd among things that are not, so that it alone decides whether the fast path takes the block.
odd_value = member(st.one_of(scalars, st.recursive(scalars, containers, max_leaves=4)))
odd_member = objects(st.lists(member(tame_strings), max_size=1).flatmap(lambda m: odd_value.map(lambda o: [*m, o])))
spaced = st.tuples(tame, st.integers(0, 40), spaces).map(lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :])
cut = st.tuples(tame, st.integers(0, 40)).map(lambda t: t[0][: t[1]])
split = st.tuples(tame, st.integers(0, 40)).map(lambda t: t[0][: t[1]] + "\n" + t[0][t[1] :])
ends = st.sampled_from([" null", "null", ",", "1", "//", "]", "}", "{", '"', "[]", "{}", "\x00"])
extended = st.one_of(st.tuples(tame, ends).map("".join), st.tuples(ends, tame).map("".join))
joined = st.lists(tame, min_size=2, max_size=3).map("".join)
no_object = st.sampled_from(["", " ", "null", "[]", "1", '"text"', "\x00\x00", "{", "}", '{"text":', '"a"}', "\\"])
odd_lines = st.one_of(odd_member, odd_member, spaced, cut, split, extended, joined, no_object)
endings = st.sampled_from(["\n", "\r\n", "\n\n", " \n"])
wild_files = st.tuples(
    st.lists(tame, max_size=1), st.lists(odd_lines, min_size=1, max_size=2), st.lists(tame, max_size=1), endings
).map(lambda t: t[3].join([*t[0], *t[1], *t[2]]).encode())
broken_files = st.tuples(wild_files, st.binary(max_size=2), st.integers(0, 80)).map(
    lambda t: t[0][: t[2]] + t[1] + t[0][t[2] :]
)


def outcome(result: Read) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return [row for batch in result.batches for row in batch.to_pylist()], result.rejected


@pytest.mark.parametrize("columns", [EVERYTHING, TEXT_ONLY], ids=["everything", "text"])
@given(data=st.one_of(wild_files, broken_files))
@example(b"null\n")
@example(b'{"text":"a"}{"text":"b"}\n{"text":\n"a"}\n')
@example(b'{"text":{}\n{}}\n')
@settings(deadline=None, max_examples=200)
def test_fast_path_equals_slow_path_on_wild_lines(columns: ColumnMap, data: bytes) -> None:
    """Documents and rejections are the same with and without Arrow, whatever the bytes."""
    assert outcome(read(data, columns)) == outcome(read_slowly(data, columns))


plain_values = st.fixed_dictionaries(
    {},
    optional={
        "text": st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
        "id": st.none() | st.integers(-(2**63), 2**63 - 1),
        "offset": st.integers(-(2**63), 2**63 - 1),
        "time": st.sampled_from(["2024-05-18T01:58:10Z", "2024-02-30", "2024-05-18 01:58", "soon", ""]),
        "other": st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False), st.lists),
    },
)


@given(values=st.lists(plain_values, min_size=1, max_size=5), ascii_only=st.booleans())
@settings(deadline=None, max_examples=60)
def test_fast_path_equals_slow_path_on_common_lines(values: list[dict[str, object]], ascii_only: bool) -> None:
    """What writers of JSON usually emit gives the same documents on both paths, and none is rejected."""
    data = "".join(json.dumps(value, ensure_ascii=ascii_only) + "\n" for value in values).encode()
    fast = read(data, EVERYTHING)
    assert outcome(fast) == outcome(read_slowly(data, EVERYTHING))
    assert fast.rejected == []
    assert fast.rows("text") == [value.get("text") for value in values]


@given(line=tame)
@settings(deadline=None)
def test_fast_path_takes_lines_of_plain_strings(line: str) -> None:
    """Objects of strings with any spacing are not in doubt."""
    assert is_fast(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "NaN, Inf, null, [1], {2}"}',
        '{"text": "a", "other": {"text": [null, true, 1.5e3, {"x": []}]}}',
        '{"text": "a", "other": 1, "other": 2}',
        r'{"te\u0078t": "\ud83d\ude00 \u0000"}',
        '{"text": null}',
        "{}",
        "  {}  \r\n\r\n",
    ],
)
def test_fast_path_takes_what_both_read_alike(line: str) -> None:
    """No block is slow for what merely looks dangerous."""
    assert is_fast(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "null",
        '{"text": "a"} null',
        '{"text": "a"}{"text": "b"}',
        '{"text": "a"}\n{"text":\n"b"}',
        '{"text": "a", "other": NaN}',
        '{"text": "a", "other": -Inf}',
        '{"text": "a", "text": "b"}',
        '{"text": "a", "other": "\\ud800"}',
        '{"text": "a"}\x00',
        '{"text": "a',
        '{"text": "a\\',
        '{"text": 1}',
        "]",
        "",
        "\n \n",
        '{"other": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
    ],
)
def test_fast_path_refuses_what_arrow_reads_otherwise(line: str) -> None:
    """Concatenated, split, non-finite, repeated, deep or broken: left to the slow path, and never a crash."""
    assert not is_fast(line.encode())


def test_fast_path_refuses_invalid_utf8_in_a_column_that_is_not_read() -> None:
    """Arrow would pass over it, and the line is not JSON."""
    assert not is_fast(b'{"text": "a", "other": "\xff"}\n')


@pytest.mark.parametrize(
    ("value", "takes"), [("1", True), ('"1"', True), ("null", True), ("1.5", False), ("true", False), ("[1]", False)]
)
def test_fast_path_takes_integers_and_strings_as_ids(value: str, takes: bool) -> None:
    """An id column of integers or strings is fast; other ids are spelled by the slow path."""
    assert is_fast(f'{{"id": {value}}}\n'.encode(), ColumnMap((("record_id", "id"),))) == takes


def test_fast_path_refuses_ids_of_mixed_types() -> None:
    """Arrow reads a column as one type."""
    columns = ColumnMap((("record_id", "id"),))
    data = b'{"id": 1}\n{"id": "b"}\n'
    assert not is_fast(data, columns)
    assert read(data, columns).rows("record_id") == ["1", "b"]


@pytest.mark.parametrize("data", [b'{"x": 5}\n', b'{"x": "5"}\n', b'{"x": 5.0}\n', b'{"x": {"y": 1}}\n'])
@pytest.mark.parametrize("ours", ["text", "url", "record_id", "fetch_time", "warc_record_offset"])
def test_column_mapped_twice_is_the_same_on_both_paths(data: bytes, ours: str) -> None:
    """One user's column may be two of ours, with different rules, and be carried as well."""
    columns = ColumnMap((("record_id", "x"), (ours, "x")) if ours != "record_id" else (("record_id", "x"),), ("x",))
    assert outcome(read(data, columns)) == outcome(read_slowly(data, columns))


def slow_line_starts(block: bytes) -> list[int]:
    """Starts of lines that are not blank."""
    lines = block.split(b"\n")
    starts = np.cumsum([0, *(len(line) + 1 for line in lines)])
    return [int(start) for start, line in zip(starts, lines, strict=False) if line.strip(b" \t\r")]


@given(lines=st.lists(st.one_of(plain_values.map(json.dumps), st.sampled_from(["", " ", "\r"])), max_size=6))
@settings(deadline=None)
def test_line_starts_are_those_of_a_plain_split(lines: list[str]) -> None:
    """Offsets found by the kernel are those of splitting at newlines."""
    block = "\n".join(lines).encode()
    assert _line_starts(np.frombuffer(block, np.uint8)).tolist() == slow_line_starts(block)
