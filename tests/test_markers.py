"""Phrases that mark texts: how lists are read, where phrases match, and what a match says."""

import pickle
import re
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.shipped import SHIPPED
from configs.sources import Markers
from schemas.errors import ConfigError
from transforms.decide.markers import FOUND, MarkerList, MarkerLists

Place = tuple[int, str, int, int]
"""List, phrase, start, end."""


def markers_of(*lists: list[str]) -> MarkerLists:
    return MarkerLists(
        tuple(
            MarkerList(f"list{number}", "piracy", "00", tuple(phrases), tuple(range(1, len(phrases) + 1)))
            for number, phrases in enumerate(lists)
        )
    )


def places(markers: MarkerLists, *texts: str | None) -> list[list[Place]]:
    """What is found in each text; the column is a slice of a larger one."""
    found = markers.search(pa.array(["seen before", *texts, "seen after"], pa.large_string())[1:-1])
    assert found.schema == FOUND
    listed: list[list[Place]] = [[] for _ in texts]
    for row, number, line, matched, start, end in zip(*found.to_pydict().values(), strict=True):
        assert matched == markers.lists[number].phrases[line - 1]
        listed[row].append((number, matched, start, end))
    return listed


def read(folder: Path, *contents: bytes) -> MarkerLists:
    paths = [folder / f"list{number}.txt" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return MarkerLists.read([Markers(name=path.stem, path=str(path), category="piracy") for path in paths])


@pytest.mark.parametrize(
    "text",
    [
        "OceanofPDF.com",
        "oceanofpdf.COM",
        "(OceanofPDF.com)",
        "www.OceanofPDF.com/x",
        "“OceanofPDF.com”",
        "_OceanofPDF.com_",
        "-OceanofPDF.com-",
        "\u3000OceanofPDF.com。",
        "OceanofPDF.com\n",
    ],
)
def test_phrase_is_found_between_what_is_no_letter_or_digit(text: str) -> None:
    """In either case; the place is that of the phrase in bytes."""
    start = len(text[: text.lower().index("ocean")].encode())
    assert places(markers_of(["OceanofPDF.com"]), text) == [[(0, "OceanofPDF.com", start, start + 14)]]


@pytest.mark.parametrize(
    "text",
    [
        "xOceanofPDF.com",
        "OceanofPDF.community",
        "1OceanofPDF.com",
        "OceanofPDF.com2",
        "éOceanofPDF.com",
        "OceanofPDF.comé",
        "OceanofPDF.com\u0301",
        "漢OceanofPDF.com",
        "OceanofPDF. com",
        "OceanofPDF",
        "",
        None,
    ],
)
def test_phrase_inside_a_longer_word_is_not_found(text: str | None) -> None:
    """Letters and digits of any script, accents among them, go on with the word."""
    assert places(markers_of(["OceanofPDF.com"]), text) == [[]]


def test_white_space_of_any_kind_and_length_is_alike() -> None:
    """In phrase and text; the place in the text is that before normalising."""
    markers = markers_of(["Downloaded \t from the\u00a0Library"])
    text = "\n\n é  downloaded\r\n\r\n  FROM\u3000the\u2003 library!"
    begin, end = len("\n\n é  ".encode()), len(text[:-1].encode())
    assert places(markers, text) == [[(0, markers.lists[0].phrases[0], begin, end)]]
    assert places(markers, "downloadedfrom the library", "downloaded from the libra ry") == [[], []]


def test_case_is_that_of_ascii_only() -> None:
    """`É` and `é` differ, as the docs say."""
    assert places(markers_of(["Édité par X"]), "édité par x", "ÉditÉ par X", "Édité PAR X")[2] == [
        (0, "Édité par X", 0, 13)
    ]


def test_phrase_on_two_lists_and_phrases_that_overlap_are_all_found() -> None:
    """Sorted by place, list and line: two lists that both match give two marks."""
    markers = markers_of(["read books here", "books here"], ["READ  books here", "here now"])
    assert places(markers, "x", "read books here now") == [
        [],
        [
            (0, "read books here", 0, 15),
            (1, "READ  books here", 0, 15),
            (0, "books here", 5, 15),
            (1, "here now", 11, 19),
        ],
    ]


def test_phrase_is_found_every_time_and_never_across_texts() -> None:
    """Each place is evidence of its own; a text ends where it ends."""
    markers = markers_of(["z-lib.org"])
    assert places(markers, "z-lib.org z-lib.org", "z-lib", ".org") == [
        [(0, "z-lib.org", 0, 9), (0, "z-lib.org", 10, 19)],
        [],
        [],
    ]


def test_texts_are_searched_in_pieces_without_a_seam() -> None:
    """Rows count on from piece to piece, and a text larger than a piece is searched whole."""
    texts = ["a" * 700_000 + " stamp", "stamp", "b" * 3_000_000 + " stamp", "", "stamp"] * 2
    found = markers_of(["stamp"]).search(pa.array(texts))
    assert found["row"].to_pylist() == [0, 1, 2, 4, 5, 6, 7, 9]
    assert found["start"].to_pylist() == [700_001, 0, 3_000_001, 0] * 2


def test_no_lists_and_no_texts_find_nothing() -> None:
    """An empty table of the same schema."""
    assert MarkerLists(()).search(pa.array(["stamp"])).equals(FOUND.empty_table())
    assert markers_of(["stamp"]).search(pa.array([], pa.large_string())).equals(FOUND.empty_table())


WHITE = "[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"


def slow_places(phrases: list[str], text: str) -> list[Place]:
    """A regular expression for each phrase, tried at every place."""
    found = []
    for phrase in phrases:
        words = [re.escape(word) for word in re.split(WHITE, phrase) if word]
        pattern = re.compile(r"(?<![^\W_])(?=(" + WHITE.join(words) + r"))", re.IGNORECASE | re.UNICODE)
        for match in pattern.finditer(text):
            end = match.end(1)
            if not text[end : end + 1].isalnum():
                found.append((0, phrase, len(text[: match.start()].encode()), len(text[:end].encode())))
    return sorted(found, key=lambda one: (one[2], phrases.index(one[1])))


def words_of(phrase: str) -> str:
    return " ".join(phrase.split())


PHRASES = st.text("ab1. -\n", min_size=4).filter(lambda phrase: len(words_of(phrase)) > 3)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(PHRASES, min_size=1, max_size=4, unique_by=words_of),
    st.lists(st.text("aAbB1. -\n\u00a0é漢", max_size=40), min_size=1, max_size=3),
)
def test_places_are_those_of_the_slow_twin(phrases: list[str], texts: list[str]) -> None:
    """Regular expressions over each text find the same."""
    assert places(markers_of(phrases), *texts) == [slow_places(phrases, text) for text in texts]


def test_list_is_read_without_comments_and_blank_lines(tmp_path: Path) -> None:
    """CRLF, a byte order mark and white space at the ends of lines are allowed; lines count from 1."""
    content = "\ufeff# stamps\r\n\r\n  First phrase \r\n#second\r\nÉdité  par\rlast one".encode()
    [listed] = read(tmp_path, content).lists
    assert (listed.name, listed.category) == ("list0", "piracy")
    assert dict(zip(listed.lines, listed.phrases, strict=True)) == {3: "First phrase", 5: "Édité  par", 6: "last one"}


def test_facts_and_pickle_are_small_and_equal(tmp_path: Path) -> None:
    """What the manifest says; and a worker gets the phrases themselves, also after a search."""
    markers = read(tmp_path, b"phrase one\n", b"phrase one\nphrase two\n")
    assert [(fact["name"], fact["entries"]) for fact in markers.facts()] == [("list0", 1), ("list1", 2)]
    assert all(len(fact["sha256"]) == 64 for fact in markers.facts())
    text = pa.array(["Phrase One"])
    found = markers.search(text)
    assert pickle.loads(pickle.dumps(markers)).search(text).equals(found)
    assert found["list"].to_pylist() == [0, 1]


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (b"abc\n", "line 1: `abc` has fewer than 4 characters"),
        (b"a  b\n", "line 1: `a  b` has fewer than 4 characters"),
        (b"one phrase\n#\nONE \t phrase\n", "line 3: `ONE \t phrase` is on line 1 already; take one out"),
        (b"caf\xe9 au lait\n", "not in UTF-8, first in line 1. Save it as UTF-8."),
        (b"GIF89a\x00\x01", "is no text: it holds bytes of zero"),
        (b"# nothing\n\n", "is empty: no line but comments"),
        (b"", "is empty"),
        (b"x" * (1 << 20 | 1), "is larger than 1 MiB"),
    ],
)
def test_list_that_cannot_be_used_is_refused_by_a_letter(tmp_path: Path, content: bytes, letter: str) -> None:
    """With the name, the path, the line and what to do."""
    with pytest.raises(ConfigError, match=re.escape(letter)) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"Markers `list0`: {tmp_path / 'list0.txt'}")


def test_letters_name_every_list_and_the_first_faults(tmp_path: Path) -> None:
    """One run shows all that is wrong, but no more than ten lines of one list."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, b"a\n" * 30, b"fine phrase\n", b"\0")
    assert str(caught.value).count("fewer than") == 10
    assert "and 20 more" in str(caught.value)
    assert "`list2`" in str(caught.value)
    with pytest.raises(ConfigError, match=r"Markers `gone`: .*No such file"):
        MarkerLists.read([Markers(name="gone", path=str(tmp_path / "gone.txt"), category="piracy")])


def test_shipped_lists_find_their_own_phrases() -> None:
    """Each phrase of each list that comes with cleartitle is found as it is written."""
    paths = [path for path in SHIPPED if path.startswith("markers/")]
    markers = MarkerLists.read([Markers(name=path, path=f"shipped:{path}", category="x") for path in paths])
    for number, listed in enumerate(markers.lists):
        found = markers.search(pa.array(listed.phrases)).to_pylist()
        own = {one["row"]: one["matched"] for one in found if one["list"] == number and one["start"] == 0}
        assert [own.get(row) for row in range(len(listed.phrases))] == list(listed.phrases)


@pytest.mark.parametrize("text", ["stamp " * 200_000, " " * 4_000_000, "stam" * 1_000_000, "stamp" * 500_000])
def test_hostile_text_takes_linear_time(text: str) -> None:
    """A phrase at every step, or nothing but white space."""
    begin = time.perf_counter()
    assert len(markers_of(["stamp"]).search(pa.array([text]))) == text.count("stamp ")
    assert time.perf_counter() - begin < 10
