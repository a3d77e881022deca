"""One crawl with a file of each format, curated and, beside that, measured."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lineage.catalog import Dataset, open_dataset
from tests import warc_files as make
from tests.jobs import run, write_config

WORDS = 60


def words(name: str, count: int = WORDS) -> str:
    return " ".join(f"{name}{number}" for number in range(count))


def similar(name: str) -> str:
    """The text of that name with another word at its end."""
    return f"{words(name, WORDS - 1)} other"


def page(name: str) -> bytes:
    """An HTML page with an ISBN and a notice of rights."""
    head = "<html><head><meta name=robots content=noai><title>x</title></head><body>"
    return f"{head}<p>{words(name)} ISBN 978-0-13-468599-1</p><footer>&copy; 2020 Jane Doe</footer></body>".encode()


def write_crawl(folder: Path) -> None:
    """`a.warc.gz` with two records of one id, plain `b.warc`, `c.wet.gz`, `d.jsonl`, `e.jsonl.gz`, `f.parquet`."""
    folder.mkdir()
    responses = [make.response(make.http(page(f"a{n}")), f"urn:a:{n % 4}", f"http://a.example/{n}") for n in range(5)]
    records = [make.warcinfo(), make.request(), *responses, make.response(make.http(page("none")), "")]
    (folder / "a.warc.gz").write_bytes(make.warc_file(records, gzipped=True))
    (folder / "b.warc").write_bytes(make.warc_file([responses[0], make.response(make.http(page("b")), "urn:b:1")]))
    texts = [words("c0"), similar("c0"), words("a1"), ""]
    wet = [make.conversion(text, f"urn:c:{n}", f"http://c.example/{n}") for n, text in enumerate(texts)]
    (folder / "c.wet.gz").write_bytes(make.warc_file(wet, gzipped=True))
    lines = [json.dumps({"id": n, "url": f"https://d.example/{n}", "text": words(f"d{n // 2}")}) for n in range(6)]
    (folder / "d.jsonl").write_text("\ufeff" + lines[0] + "\n\n" + "\r\n".join(lines[1:4]) + "\nbroken\n" + lines[4])
    packed = [json.dumps({"id": n, "text": similar(f"d{n}")}) for n in range(4)]
    (folder / "e.jsonl.gz").write_bytes(gzip.compress("\n".join(packed).encode(), mtime=0))
    table = pa.table({"id": range(8), "url": ["x.example/f"] * 8, "text": [words(f"f{n % 5}é") for n in range(8)]})
    pq.write_table(table, folder / "f.parquet", row_group_size=2)


def curate(place: Path) -> Dataset:
    """The crawl of `write_crawl` in `place/crawl`; of it a dataset in `place/out`, measured in `place/measured`."""
    write_crawl(place / "crawl")
    names = ["a.warc.gz", "b.warc", "c.wet.gz", "d.jsonl", "e.jsonl.gz", "f.parquet"]
    crawl = {"name": "all", "root": "crawl", "files": [f"crawl/{name}" for name in names]}
    config = write_config(place / "all.yaml", {"crawl": crawl})
    assert run("curate", config, "--output", place / "out", "--quiet") == 0
    assert run("measure", config, "--output", place / "measured", "--quiet") == 0
    return open_dataset(str(place / "out"))


def all_places(dataset: Dataset) -> pa.Table:
    """Places of all ledger rows, in order."""
    sizes = [(part, len(dataset.read("ledger", part, ["doc_id"]))) for part in dataset.parts("ledger")]
    places = [{"part": part, "row": row} for part, size in sizes for row in range(size)]
    return pa.Table.from_pylist(places, pa.schema({"part": pa.int32(), "row": pa.int32()}))
