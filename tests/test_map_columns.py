"""Mapping columns: what the config names is looked for in the files themselves, before any work starts."""

import gzip
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.model import Columns, Crawl
from schemas.errors import InputError
from tests.memory_files import MemoryFiles
from transforms.measure.list_files import CrawlFile, list_files
from transforms.measure.map_columns import map_columns
from transforms.measure.read_records import ReadRules

ROOT = "memory://crawl"
WAYS_OUT = "\nCorrect crawl.columns or crawl.carry."


@pytest.fixture(autouse=True)
def _no_files() -> None:
    MemoryFiles.files.clear()


def put(name: str, content: bytes) -> None:
    MemoryFiles.files[f"{ROOT}/{name}"] = content


def put_jsonl(name: str, *rows: object) -> None:
    put(name, b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def put_parquet(name: str, **columns: Any) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    put(name, sink.getvalue())


def files() -> list[CrawlFile]:
    return list_files([f"{ROOT}/**"], ROOT, "auto")


def mapped(columns: Columns | None = None, carry: tuple[str, ...] = (), *, main_content: bool = True) -> ReadRules:
    crawl = Crawl(
        name="demo", files=(f"{ROOT}/**",), columns=columns or Columns(), carry=carry, main_content=main_content
    )
    return map_columns(files(), crawl)


def refusal(columns: Columns | None = None, carry: tuple[str, ...] = ()) -> str:
    with pytest.raises(InputError) as refused:
        mapped(columns, carry)
    return str(refused.value)


def test_defaults_are_used_where_such_columns_exist() -> None:
    """`id` and `url` need not be there; `id` becomes `record_id`."""
    put_jsonl("a.jsonl", {"text": "x"})
    rules = mapped()
    assert rules.columns.columns == (("record_id", "id"), ("text", "text"), ("url", "url"))
    assert (rules.columns.carry, rules.carry_types, rules.main_content) == ((), {}, True)


def test_columns_of_the_config_come_under_our_names() -> None:
    """In the order of the config's keys; a null takes a default away."""
    put_jsonl("a.jsonl", {"body": "x", "when": "2024-01-01", "lang": "en"})
    rules = mapped(Columns(id=None, text="body", fetch_time="when"), carry=("lang",), main_content=False)
    assert rules.columns.columns == (("text", "body"), ("url", "url"), ("fetch_time", "when"))
    assert (rules.columns.carry, rules.main_content) == (("lang",), False)


@pytest.mark.parametrize(
    ("columns", "carry", "missing"),
    [
        (None, (), "`text`"),
        (Columns(text="body"), (), "`body`"),
        (Columns(text="words", id="id"), (), "`id`"),
        (Columns(text="words", url="url"), ("lang", "source"), "`lang`, `source`, `url`"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_missing_columns_are_named_with_those_there_are(
    kind: str, columns: Columns | None, carry: tuple[str, ...], missing: str
) -> None:
    """A column that the config names must exist, and the text column in any case."""
    if kind == "jsonl":
        put_jsonl("a.jsonl", {"words": "x", "n": 1})
    else:
        put_parquet("a.parquet", words=["x"], n=[1])
    assert refusal(columns, carry) == f"a.{kind} has no column {missing}. Its columns are: words, n.{WAYS_OUT}"


def test_column_must_be_in_every_parquet_file() -> None:
    """All files that lack it are named, up to ten."""
    put_parquet("good.parquet", text=["x"])
    for number in range(11):
        put_parquet(f"bad{number:02d}.parquet", words=["x"])
    lines = [f"bad{number:02d}.parquet has no column `text`. Its columns are: words." for number in range(10)]
    assert refusal() == "\n".join(lines) + WAYS_OUT


def test_key_may_come_and_go_in_json_lines() -> None:
    """It must be in the first lines of some file; which line has which keys is no matter."""
    put_jsonl("a.jsonl", {"id": 1}, {"text": "x"})
    put("b.jsonl.gz", gzip.compress(b'{"lang": "en"}\n'))
    assert mapped(Columns(id="id"), carry=("lang",)).columns.keys == ("id", "text", "url", "lang")


def test_missing_key_names_the_first_files_and_all_keys() -> None:
    """Of JSON Lines all files together lack it."""
    for number in range(4):
        put_jsonl(f"{number}.jsonl", {f"k{number}": 1})
    assert refusal() == (f"0.jsonl, 1.jsonl, 2.jsonl has no column `text`. Its columns are: k0, k1, k2, k3.{WAYS_OUT}")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"no json\n", b"[1]\n", b"\x1f\x8b\x08 damaged"])
def test_json_lines_that_cannot_be_read_are_left_to_the_reader(content: bytes) -> None:
    """Where there is no key at all nothing can be said; the reader rejects what it cannot read."""
    put("a.jsonl", content)
    assert mapped().columns.keys == ("id", "text", "url")


@pytest.mark.parametrize("content", [b"", b"PAR1 damaged PAR1"])
def test_damaged_parquet_is_left_to_the_reader(content: bytes) -> None:
    """It is rejected there by name, and does not hold up the other files."""
    put("a.parquet", content)
    put_parquet("b.parquet", text=["x"])
    assert mapped().carry_types == {}


def test_warc_files_have_no_columns() -> None:
    """Nothing is looked for in them."""
    put("a.warc", b"WARC/1.0\r\n\r\n")
    assert mapped().columns.keys == ("id", "text", "url")


def test_carried_columns_have_the_types_of_parquet() -> None:
    """A dictionary is a way to store and no type; values travel plain."""
    put_parquet("a.parquet", text=["x"], score=[1.5], lang=pa.array(["en"]).dictionary_encode())
    put_parquet("b.parquet", text=["x"], score=[2.5], lang=["de"])
    rules = mapped(carry=("score", "lang"))
    assert rules.carry_types == {"score": pa.float64(), "lang": pa.string()}
    assert rules.carried() == [pa.field("score", pa.float64()), pa.field("lang", pa.string())]


def test_carried_columns_of_json_lines_are_strings() -> None:
    """Whatever they hold."""
    put_jsonl("a.jsonl", {"text": "x", "score": 1.5})
    assert mapped(carry=("score",)).carried() == [pa.field("score", pa.string())]


def test_carried_column_of_two_types_is_refused() -> None:
    """Both types are told, and a file that has the second."""
    put_parquet("a.parquet", text=["x"], score=[1.5])
    put_parquet("b.parquet", text=["x"], score=[1])
    assert refusal(carry=("score",)) == (
        "The carried column `score` is double in some files and int64 in b.parquet.\n"
        "Carry columns that have one type throughout, or make two crawls of the files."
    )


def test_carried_column_of_parquet_beside_json_lines_must_be_a_string() -> None:
    """From JSON Lines it comes as a string, and a dataset has one type for a column."""
    put_jsonl("a.jsonl", {"text": "x", "lang": "en", "score": 1})
    put_parquet("b.parquet", text=["x"], lang=["de"], score=[1])
    assert mapped(carry=("lang",)).carried() == [pa.field("lang", pa.string())]
    assert refusal(carry=("lang", "score")).startswith(
        "The carried column `score` is string in some files and int64 in b.parquet.\n"
    )
