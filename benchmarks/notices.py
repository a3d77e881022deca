"""Measure precision and recall of the copyright notices found, against statements that were labelled by hand.

    python -m benchmarks.notices            # fetches the files of benchmarks/notices/files.txt into build/notices first

See benchmarks/notices/README.md for what the passages are and how they were labelled.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from resiliparse.extract.html2text import extract_plain_text

from transforms.batches import strings
from transforms.measure.readers.pages import decode_text
from transforms.measure.readers.warc import read_warc
from transforms.measure.rights.notices import TRIGGERS, find_notices
from transforms.measure.rights.triggers import find_triggers
from transforms.measure.tally import Tally

HERE = Path(__file__).resolve().parent / "notices"
TOP = HERE.parents[1]
FETCHED = TOP / "build" / "notices"
WARC = TOP.parent / "shared" / "data"
HALVES = ("development", "held-out")
END_BYTES = 3
"""A statement agrees with its label if it ends within so many bytes of it."""

_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding=["']([\w-]+)""")


class Statement(NamedTuple):
    """A copyright notice, in bytes of its text."""

    start: int
    end: int
    marker: int
    """First byte of the first marker; of a statement that was found, unknown."""
    years: tuple[int, ...]
    holder: tuple[int | None, int | None]


class Passage(NamedTuple):
    """A place that was read, and the statements in it."""

    half: str
    kind: str
    text: int
    """Index of its text."""
    start: int
    end: int
    statements: list[Statement]


def archives() -> list[str]:
    """Names of the pinned files."""
    return [line.split()[2] for line in (HERE / "files.txt").read_text().splitlines()]


def fetch() -> None:
    """Download the pinned files that are not there yet, and refuse those with another digest."""
    FETCHED.mkdir(parents=True, exist_ok=True)
    for line in (HERE / "files.txt").read_text().splitlines():
        kind, requirement, name, digest = line.split()
        path = FETCHED / name
        if not path.exists():
            wheels = ("--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux2014_x86_64")
            how = wheels if kind == "wheel" else ("--no-binary", ":all:")
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(FETCHED)]
            subprocess.run([*pip, *how, requirement], check=True)
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{path} is not the file that was labelled: its SHA-256 is not {digest}. Delete it.")


@cache
def members(name: str) -> dict[str, bytes]:
    """The members of an archive by name; of a WARC file the texts of its documents by locator."""
    if name.startswith("warc/"):
        with open(WARC / name, "rb") as stream:
            batches = list(read_warc(stream, name, Tally(), main_content=False))
        rows = (row for batch in batches for row in batch.select(["locator", "text"]).to_pylist())
        return {row["locator"]: row["text"].encode() for row in rows}
    if name.endswith(".whl"):
        with zipfile.ZipFile(FETCHED / name) as wheel:
            return {member: wheel.read(member) for member in wheel.namelist() if not member.endswith("/")}
    with tarfile.open(FETCHED / name) as sdist:
        files = ((member.name, sdist.extractfile(member)) for member in sdist if member.isfile())
        return {member: file.read() for member, file in files if file}


def read_text(name: str, member: str) -> str:
    """Text of a member: of HTML what is visible, of anything else all."""
    raw = members(name)[member]
    if name.startswith("warc/"):
        return raw.decode()
    if member.endswith((".html", ".htm", ".xhtml")):
        return extract_plain_text(decode_text(raw, html=True), main_content=False).replace("\0", "")
    declared = _XML_ENCODING.match(raw) if "chardet" in name else None
    return decode_text(raw, declared[1].decode() if declared else "")


def read_labels() -> tuple[list[Passage], list[str]]:
    """The labelled passages, and the texts that they stand in; texts that are not here are left out, and said to be."""
    passages: list[Passage] = []
    texts: list[str] = []
    for line in (HERE / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        name, member = document["file"], document["member"]
        if name.startswith("warc/") and not (WARC / name).exists():
            print(f"Left out, as it is not here: {WARC / name}")
            continue
        text = read_text(name, member)
        if hashlib.sha256(text.encode()).hexdigest()[:16] != document["sha256"]:
            raise SystemExit(f"The text of {name}/{member} is not the one that was labelled.")
        half = HALVES[hashlib.sha256(f"{name}/{member}".encode()).digest()[0] & 1]
        for start, end, labels in document["passages"]:
            statements = [Statement(s, e, marker, tuple(years), (h, k)) for s, e, marker, years, h, k in labels]
            passages.append(Passage(half, document["kind"], len(texts), start, end, statements))
        texts.append(text)
    return passages, texts


def find(texts: list[str]) -> dict[int, list[Statement]]:
    """The notices that the detector finds, by index of the text."""
    view = strings(pa.array(texts, pa.large_string()))
    found = find_notices(view, find_triggers(view, {"": TRIGGERS})[""])
    statements = defaultdict(list)
    for i, row in enumerate(found.rows.tolist()):
        first = int(view.offsets[row])
        start, end, held, ends = (
            int(column[i]) - first for column in (found.starts, found.ends, found.holder_starts, found.holder_ends)
        )
        years = tuple(found.years[found.year_offsets[i] : found.year_offsets[i + 1]].tolist())
        holder = (held, ends) if found.holder_starts[i] >= 0 else (None, None)
        statements[row].append(Statement(start, end, -1, years, holder))
    return statements


def compare(label: Statement, found: Statement) -> tuple[str, ...]:
    """In which senses a statement that was found is the labelled one."""
    if not (found.start <= label.marker < found.end):
        return ()
    agrees = found.years == label.years and abs(found.end - label.end) <= END_BYTES
    strict = found.years == label.years and (found.start, found.end, found.holder) == (
        label.start,
        label.end,
        label.holder,
    )
    return ("found", *["agrees"] * agrees, *["strict"] * strict)


def reported(passages: list[Passage], found: dict[int, list[Statement]]) -> list[tuple[int, Statement]]:
    """The statements found in what was read: those that touch a passage, or a statement of it; each once."""
    here = {}
    for passage in passages:
        first = min([passage.start, *(s.start for s in passage.statements)])
        last = max([passage.end, *(s.end for s in passage.statements)])
        here.update({(passage.text, s.start): s for s in found[passage.text] if s.start < last and first < s.end})
    return [(text, statement) for (text, _), statement in here.items()]


def count(passages: list[Passage], found: dict[int, list[Statement]]) -> Counter[str]:
    """Statements labelled and reported, and how many of them are the same in each sense."""
    labels = [(passage.text, label) for passage in passages for label in passage.statements]
    counts = Counter(passages=len(passages), labelled=len(labels), reported=len(reported(passages, found)))
    for text, label in labels:
        senses = [compare(label, statement) for statement in found[text]]
        best = max(senses, key=len, default=())
        counts.update(best)
    return counts


def show_errors(passages: list[Passage], texts: list[str], found: dict[int, list[Statement]]) -> None:
    """Print what was labelled and not found so, and what was found and not labelled so, with some text round it."""
    labels = [(passage.text, label) for passage in passages for label in passage.statements]
    here = reported(passages, found)
    pairs = {(a, b) for a in labels for b in here if a[0] == b[0] and "agrees" in compare(a[1], b[1])}
    wrong = [("-", a) for a in labels if not any((a, b) in pairs for b in here)]
    wrong += [("+", b) for b in here if not any((a, b) in pairs for a in labels)]
    for sign, (text, s) in sorted(wrong, key=lambda error: (error[1][0], error[1][1].start)):
        raw = texts[text].encode()
        around = raw[max(0, s.start - 30) : s.end + 40].decode(errors="replace")
        print(sign, repr(raw[s.start : s.end].decode()), s.years, "in", repr(around))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--errors", action="store_true", help="show those of the development half")
    options = parser.parse_args(arguments)
    fetch()
    passages, texts = read_labels()
    found = find(texts)
    for half in HALVES:
        for kind in ["all", *sorted({passage.kind for passage in passages})]:
            chosen = [p for p in passages if p.half == half and kind in ("all", p.kind)]
            counts = count(chosen, found)
            print(f"{half:12} {kind:12} passages {counts['passages']:4} statements {counts['labelled']:4}", end="")
            for sense in ("found", "agrees", "strict"):
                precision = counts[sense] / max(counts["reported"], 1)
                recall = counts[sense] / max(counts["labelled"], 1)
                print(f"   {sense} P {precision:.3f} R {recall:.3f}", end="")
            print()
    if options.errors:
        show_errors([p for p in passages if p.half == HALVES[0]], texts, found)


if __name__ == "__main__":
    main()
