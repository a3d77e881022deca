"""Grown corpora: the real one first, ciphered ones behind it, and planted copies whose similarity is told truly."""

import hashlib
import json
import lzma
import random
import re
import subprocess
import sys
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.grow import AIMS, BASE, FILE_ROWS, Corpus, cipher, generations, grow, read_base
from benchmarks.plant import plant_copies

TOP = Path(__file__).resolve().parents[1]
ROWS = 40


def shingles(text: str) -> set[tuple[str, ...]]:
    """The slow definition: word 5-grams of the lower-cased text, or all its words if they are fewer."""
    words = re.findall("[a-z0-9']+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set()


def jaccard(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b) if a | b else 0.0


def base_rows() -> list[dict[str, str]]:
    """Made-up texts of 10 to 129 words, with capitals, digits, apostrophes and bytes beyond ASCII."""
    draw = random.Random(7)
    words = [f"{draw.choice('ABcdefgh')}{draw.choice('aeiou')}{draw.choice('xyz')}{n % 100}" for n in range(900)]
    words += ["can't", "naïve", "§"]
    return [{"id": f"d{row}", "text": " ".join(draw.choices(words, k=10 + 7 * (row % 18)))} for row in range(ROWS)]


@pytest.fixture
def base_file(tmp_path: Path) -> Path:
    path = tmp_path / "base.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in base_rows()), encoding="utf-8")
    return path


@pytest.fixture
def base(base_file: Path) -> Corpus:
    return read_base(base_file)


def read_rows(directory: Path) -> list[dict[str, object]]:
    return pq.read_table(directory).to_pylist()


# Reading the real corpus


def test_base_is_read_plain_and_packed_alike(base_file: Path) -> None:
    """A name ending in .xz is unpacked; texts and ids are those of the lines."""
    packed = base_file.with_name("base.jsonl.xz")
    packed.write_bytes(lzma.compress(base_file.read_bytes()))
    plain, unpacked = read_base(base_file), read_base(packed)
    assert plain.ids.equals(unpacked.ids)
    assert bytes(plain.data) == bytes(unpacked.data) == "".join(row["text"] for row in base_rows()).encode()
    assert plain.offsets.tolist() == unpacked.offsets.tolist()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "must hold a JSON object with `id` and `text` on each line"),
        ('{"id": "a"}\n', "must hold a JSON object with `id` and `text` on each line"),
        ("[1]\n", "must hold a JSON object with `id` and `text` on each line"),
        ('{"id": "a", "text": "short"}\n', "has no text of 300 bytes or more"),
    ],
)
def test_base_that_cannot_grow_is_refused(tmp_path: Path, lines: str, words: str) -> None:
    """The letter names the file and what it lacks."""
    path = tmp_path / "bad.jsonl"
    path.write_text(lines)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} {re.escape(words)}"):
        read_base(path)


# Generations


def test_first_documents_are_the_real_corpus(base: Corpus, tmp_path: Path) -> None:
    """As many documents as the corpus has are the corpus itself, in its order, with nothing planted."""
    size = grow(base, tmp_path / "out", ROWS, seed=1)
    rows = read_rows(tmp_path / "out")
    assert [{"id": row["id"], "text": row["text"]} for row in rows] == base_rows()
    assert {(row["edit_of"], row["similarity"]) for row in rows} == {(None, None)}
    assert size == len(base.data)


def test_later_generation_repeats_the_structure_of_the_first(base: Corpus) -> None:
    """The cipher keeps every similarity inside a generation, and every length and place of a space."""
    first, later = (table["text"].to_pylist() for table in islice(generations(base, 1, planted=0), 2))
    assert [re.sub(r"\w", "x", text) for text in first] == [re.sub(r"\w", "x", text) for text in later]
    for a, b in combinations(range(12), 2):
        assert jaccard(first[a], first[b]) == jaccard(later[a], later[b])


def test_generations_share_no_shingle(base: Corpus) -> None:
    """So no near-duplicates across generations come about but the planted ones."""
    tables = list(islice(generations(base, 1, planted=0), 6))
    sets = [set().union(*map(shingles, table["text"].to_pylist())) for table in tables]
    assert sum(map(len, sets)) == len(set().union(*sets))


def test_cipher_permutes_letters_and_digits_and_nothing_else() -> None:
    """Capitals go the way of their small letters; generation 0 and all other bytes stay as they are."""
    assert cipher(1, 0).tolist() == list(range(256))
    table = bytes(cipher(1, 3))
    assert sorted(table) == list(range(256))
    assert all(chr(table[byte]).lower() == chr(table[byte | 0x20]) for byte in range(0x41, 0x5B))
    assert all(chr(table[byte]).isdigit() for byte in b"0123456789")
    moved = [byte for byte in range(256) if table[byte] != byte]
    assert all(chr(byte).isalnum() and byte < 0x80 for byte in moved)
    assert table not in (bytes(cipher(2, 3)), bytes(cipher(1, 4)))


# Planted copies


def test_planted_copies_are_the_stated_share_and_tell_the_truth(base: Corpus, tmp_path: Path) -> None:
    """Every copy is of an earlier generation, which is in the corpus, and `similarity` is exact."""
    grow(base, tmp_path / "out", 400, seed=1, planted=0.2)
    rows = read_rows(tmp_path / "out")
    texts = {row["id"]: str(row["text"]) for row in rows}
    planted = [row for row in rows if row["edit_of"] is not None]
    assert len(texts) == len(rows) == 400
    assert len(planted) == 70  # 10 behind each whole generation of 40 but the first
    for row in planted:
        number = re.match(r"g(\d{4})/", str(row["edit_of"]))
        assert int(str(row["id"])[1:5]) > (int(number[1]) if number else 0)
        assert row["similarity"] == jaccard(str(row["text"]), texts[row["edit_of"]])
    assert {bool(re.match("g", str(row["edit_of"]))) for row in planted} == {True, False}
    assert min(abs(AIMS - 1.0)) == 0.0
    assert any(row["similarity"] == 1.0 for row in planted)


def test_no_share_plants_nothing(base: Corpus) -> None:
    """Without planted copies a generation is as long as the real corpus."""
    assert [len(table) for table in islice(generations(base, 1, planted=0), 3)] == [ROWS] * 3


WORDS = st.lists(st.text("abXY79'é -", min_size=0, max_size=6), min_size=1, max_size=90).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(AIMS.tolist()), st.floats(0, 0.999), st.integers(1, 25))
def test_similarity_equals_the_slow_definition(texts: list[str], aim: float, phase: float, turn: int) -> None:
    """For any text, even one of few words or none; bytes that are no word stay, and an aim of 1 changes nothing."""
    encoded = [text.encode() for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in encoded])]).astype(np.int64)
    rows = np.arange(len(texts))[::-1].copy()
    ciphers = np.tile(cipher(1, 0), (len(texts), 1))
    out = np.empty(offsets[-1], np.uint8)
    same = np.full(len(texts), 1.0)
    found = plant_copies(
        np.frombuffer(b"".join(encoded), np.uint8), offsets, rows, ciphers, same * aim, same * phase,
        np.full(len(texts), turn), out,
    )  # fmt: skip
    start = 0
    for row, similarity in zip(rows.tolist(), found.tolist(), strict=True):
        copy = bytes(out[start : start + len(encoded[row])]).decode()
        start += len(encoded[row])
        assert similarity == jaccard(texts[row], copy)
        assert re.sub("[A-Za-z]", "a", re.sub("[0-9]", "0", copy)) == re.sub(
            "[A-Za-z]", "a", re.sub("[0-9]", "0", texts[row])
        )
        assert aim < 1 or copy == texts[row]


@pytest.mark.parametrize("aim", AIMS.tolist())
def test_long_copies_come_near_their_aim(aim: float) -> None:
    """1,000 distinct words leave room: no copy is further from its aim than one word makes."""
    text = " ".join(f"w{number}" for number in range(1000)).encode()
    out = np.empty(len(text), np.uint8)
    one = np.ones(1)
    found = plant_copies(
        np.frombuffer(text, np.uint8), np.array([0, len(text)]), np.array([0]), cipher(1, 0)[None], one * aim,
        one * 0.5, np.array([3]), out,
    )  # fmt: skip
    assert abs(found[0] - aim) < 0.006


# Writing


def test_growing_is_the_same_bytes_by_seed(base: Corpus, tmp_path: Path) -> None:
    """Two runs agree in every byte of every file; another seed does not."""
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        grow(base, tmp_path / name, 150, seed)
    one, two, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two", "other")
    )
    assert one == two
    assert one.keys() == other.keys() == {f"crawl-{number:05d}.parquet" for number in range(4)}
    assert one != other


def test_grown_rows_are_those_that_were_always_grown(base: Corpus, tmp_path: Path) -> None:
    """A change of the generator shows: figures of different days would not be of the same corpus."""
    grow(base, tmp_path / "out", 150, seed=1)
    rows = json.dumps(read_rows(tmp_path / "out"), ensure_ascii=False)
    assert (
        hashlib.sha256(rows.encode()).hexdigest() == "df2ec9364c47d6d8bb83d2303857215b87f68742e28b335eb5776f96ba1ea7d9"
    )


def test_smaller_corpus_begins_the_larger_one(base: Corpus, tmp_path: Path) -> None:
    """Documents do not depend on how many there are; files hold equally many of them, and every row has a URL."""
    grow(base, tmp_path / "small", 90, seed=1)
    grow(base, tmp_path / "large", 203, seed=1)
    small, large = read_rows(tmp_path / "small"), read_rows(tmp_path / "large")
    assert small == large[:90]
    sizes = [pq.read_metadata(path).num_rows for path in sorted((tmp_path / "large").iterdir())]
    assert (len(large), sizes) == (203, [50, 51, 51, 51])
    assert len({row["url"] for row in large}) == 203


def test_files_hold_at_most_100_000_rows(tmp_path: Path) -> None:
    """More documents make more files."""
    text = np.frombuffer(b"x" * 400, np.uint8)
    ids = pa.array([str(number) for number in range(50_000)])
    many = Corpus(ids, np.tile(text[:1], 50_000), np.arange(50_001))
    grow(many, tmp_path / "out", 4 * FILE_ROWS + 1, seed=1, planted=0)
    assert [pq.read_metadata(path).num_rows for path in sorted((tmp_path / "out").iterdir())] == [80_000] * 4 + [80_001]


def test_directory_shows_when_all_is_written(base: Corpus, tmp_path: Path) -> None:
    """What an interrupted run left is removed, and a finished corpus is never written over."""
    left = tmp_path / "out.unfinished"
    left.mkdir()
    (left / "crawl-00099.parquet").write_text("half")
    grow(base, tmp_path / "out", 10, seed=1)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "base.jsonl") == ["out"]
    assert len(list((tmp_path / "out").iterdir())) == 4
    with pytest.raises(FileExistsError, match=r"out is there already; remove it, or name another one\.$"):
        grow(base, tmp_path / "out", 10, seed=1)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "benchmarks.grow", *map(str, arguments)]
    return subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=False)


def test_command_grows_a_corpus_and_says_so(base_file: Path, tmp_path: Path) -> None:
    """One line tells the number of documents, the text and the time."""
    done = command(tmp_path / "out", "--documents", 60, "--base", base_file)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"60 documents, 0 MB of text in [\d.]+ s: {re.escape(str(tmp_path))}/out\n", done.stdout)
    assert len(read_rows(tmp_path / "out")) == 60


def test_command_says_what_is_wrong_in_a_line(base_file: Path, tmp_path: Path) -> None:
    """No traceback for a size that cannot be, nor for a base that is not there."""
    few = command(tmp_path / "out", "--documents", 0, "--base", base_file)
    assert few.returncode == 2
    assert "--documents is at least 1" in few.stderr
    lost = command(tmp_path / "out", "--documents", 5, "--base", tmp_path / "none.jsonl")
    assert lost.returncode == 1
    assert lost.stderr.count("\n") == 1
    assert "none.jsonl" in lost.stderr


@pytest.mark.skipif(not BASE.exists(), reason=f"needs the civil sections, {BASE}")
def test_civil_sections_come_out_unchanged(tmp_path: Path) -> None:
    """22,106 documents are exactly the sections."""
    grow(read_base(BASE), tmp_path / "out", 22_106, seed=1)
    with lzma.open(BASE, "rt", encoding="utf-8") as lines:
        expected = [(row["id"], row["text"]) for row in map(json.loads, lines)]
    assert [(row["id"], row["text"]) for row in read_rows(tmp_path / "out")] == expected
