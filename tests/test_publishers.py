"""Publishers by the prefixes of their ISBNs."""

import pickle
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.shipped import SHIPPED
from configs.sources import Publishers
from schemas.errors import ConfigError
from transforms.decide.publishers import PublisherList, PublisherLists


def read(folder: Path, *contents: str) -> PublisherLists:
    paths = [folder / f"list{number}.txt" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content, encoding="utf-8")
    return PublisherLists.read([Publishers(name=path.stem, path=str(path)) for path in paths])


def test_longest_prefix_names_the_publisher(tmp_path: Path) -> None:
    """An imprint inside a publisher's range is the imprint's; null where no list knows the number."""
    lists = read(tmp_path, "# books\n978-0-13\tPearson\n\n978-0-13-4\tImprint\n9791\tÉditions\n")
    [one] = lists.lists
    match = one.match(pa.array(["9780131103627", "9780134685991", "9791090636071", "9783161484100"]))
    assert match.publisher.to_pylist() == ["Pearson", "Imprint", "Éditions", None]
    assert match.line.tolist() == [2, 4, 5, -1]
    assert match.line.dtype == np.int64


def test_every_list_matches_by_itself(tmp_path: Path) -> None:
    """So that each that knows a number leaves a mark of its own."""
    lists = read(tmp_path, "978-0-13\tPearson\n", "978-0-13\tOther\n978-0-201\tAddison-Wesley\n978-0\tEnglish\n")
    isbns = pa.array(["9780131103627", "9780201633610", "9780306406157"])
    assert [one.match(isbns).publisher.to_pylist() for one in lists.lists] == [
        ["Pearson", None, None],
        ["Other", "Addison-Wesley", "English"],
    ]


def test_no_numbers_match_nothing(tmp_path: Path) -> None:
    """Empty columns of the same types."""
    lists = read(tmp_path, "978-0-13\tPearson\n")
    assert lists.lists[0].match(pa.array([], pa.string())).publisher.equals(pa.array([], pa.string()))
    assert pickle.loads(pickle.dumps(lists)) == lists


def slow_match(listed: PublisherList, isbn: str) -> tuple[int, str | None]:
    known = [
        (len(str(prefix)), line, publisher)
        for prefix, publisher, line in zip(listed.prefixes, listed.publishers, listed.lines, strict=True)
        if isbn.startswith(str(prefix))
    ]
    return max(known)[1:] if known else (-1, None)


PREFIXES = st.lists(st.integers(97800, 97819) | st.integers(978000, 978199) | st.just(978), unique=True, max_size=12)


@settings(deadline=None)
@given(PREFIXES, st.lists(st.integers(9_780_000_000_000, 9_782_000_000_000), max_size=20))
def test_match_is_that_of_the_slow_twin(prefixes: list[int], numbers: list[int]) -> None:
    """Every prefix tried on every number."""
    names = tuple(f"p{prefix}" for prefix in prefixes)
    listed = PublisherList("list", "00", tuple(prefixes), names, tuple(range(1, len(prefixes) + 1)))
    isbns = [str(number) for number in numbers]
    match = listed.match(pa.array(isbns, pa.string()))
    found = zip(match.line.tolist(), match.publisher.to_pylist(), strict=True)
    assert list(found) == [slow_match(listed, isbn) for isbn in isbns]


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (
            "978-0-13 Pearson\n",
            "line 1: `978-0-13 Pearson` is no entry; write a prefix of ISBNs, a tab and the publisher",
        ),
        ("0-13\tPearson\n", "line 1: `0-13\tPearson` is no entry"),
        ("978-0-13\t\n", "line 1: `978-0-13` is no entry"),
        ("9780131103627\tPearson\n", "is no entry"),
        ("978-0-13\tA\n9780-13\tB\n", "line 2: 9780-13 is on line 1 already; take one out"),
        ("# nothing\n", "is empty"),
        ("\0", "is no text"),
    ],
)
def test_list_that_cannot_be_used_is_refused_by_a_letter(tmp_path: Path, content: str, letter: str) -> None:
    """With the name, the path, the line and what to do."""
    with pytest.raises(ConfigError, match=re.escape(letter)) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"Publishers `list0`: {tmp_path / 'list0.txt'}")


def test_shipped_list_is_read_and_names_textbooks() -> None:
    """Every line of it is an entry."""
    paths = [path for path in SHIPPED if path.startswith("publishers/")]
    lists = PublisherLists.read([Publishers(name=path, path=f"shipped:{path}") for path in paths])
    assert [fact["name"] for fact in lists.facts()] == paths
    [publisher] = lists.lists[0].match(pa.array(["9780131103627"])).publisher.to_pylist()
    assert publisher.startswith("Pearson")
