"""Queries: what a call or a file may ask, in what form values are sought, and the letters for what is none."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.lookups.queries import SELECTORS, Query, as_queries, read_queries, refuse
from lineage.lookups.query_values import normal_values
from schemas.errors import UsageError

NOTHING = "cannot be answered, so nothing was looked up:\n  "


def letter_of_lines(*lines: str | bytes) -> str:
    """What is wrong with the lines of a file."""
    with pytest.raises(UsageError) as error:
        read_queries([line if isinstance(line, bytes) else line.encode() for line in lines], "q.jsonl")
    return str(error.value)


def normal(selector: str, *values: str) -> list[Any]:
    (wanted,) = normal_values(as_queries({selector: values}))
    assert (wanted.selector, wanted.queries.tolist()) == (selector, list(range(len(values))))
    return list(wanted.values.to_pylist())


def why_not(selector: str, value: str) -> str:
    """Why a value is unusable."""
    with pytest.raises(UsageError) as error:
        normal_values([Query(selector, value)])
    return str(error.value).removeprefix(f"1 query {NOTHING}{selector} `{value}`: ")


def test_call_asks_one_value_or_several() -> None:
    """In the order of the selectors, and then what `queries` says; None asks nothing."""
    warc = {"file": "a:1", "offset": 2}
    asked = as_queries({"url": "u", "host": None, "warc": ["f", warc]}, [{"isbn": "i"}, {"warc": "f:3"}])
    assert [(query.selector, query.value, query.offset) for query in asked] == [
        ("url", "u", None),
        ("warc", "f", None),
        ("warc", "a:1", 2),
        ("isbn", "i", None),
        ("warc", "f", 3),
    ]
    assert as_queries({"warc": warc})[0].shown() == "a:1:2"


def test_lines_ask_one_thing_each() -> None:
    """Empty lines are passed over and counted; a line that begins with a mark of Unicode is a line."""
    lines = [b'\xef\xbb\xbf{"url": "a.example"}\r\n', b" \n", b'{"warc_filename": "f", "warc_record_offset": 0}\n']
    asked = read_queries([*lines, b'{"warc_filename": "f"}', b'{"text": "x"}'], "q.jsonl")
    assert [query[:3] for query in asked] == [
        ("url", "a.example", None),
        ("warc", "f", 0),
        ("warc", "f", None),
        ("text", "x", None),
    ]
    assert [query.where for query in asked] == [f"line {number} of q.jsonl: " for number in (1, 3, 4, 5)]


def test_paths_of_a_file_start_from_its_directory() -> None:
    """Those of texts, unless they are absolute or lie elsewhere; nothing else is a path."""
    paths = ["book.txt", "/tmp/book.txt", "https://a.example/book.txt"]
    lines = [json.dumps({"text_file": path}).encode() for path in paths]
    asked = read_queries([*lines, b'{"warc": "f"}'], "q.jsonl", "/data")
    assert [query.value for query in asked] == ["/data/book.txt", *paths[1:], "f"]


@given(st.text(), st.integers(0, 10**18 - 1))
def test_file_and_offset_are_told_apart_at_the_last_colon(file: str, offset: int) -> None:
    """Whatever else stands in the name; as an object, the name is left as it is."""
    if file.strip():
        assert as_queries({"warc": f"{file}:{offset}"})[0][:3] == ("warc", file, offset)
    name = f"{file}:{offset}"
    assert as_queries({"warc": {"file": name}})[0][:3] == ("warc", name, None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\xff{}", "no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ('["url"]', 'expected an object such as {"url": "https://a.example/"}, got ["url"]'),
        ("{}", "expected an object with one selector, got []"),
        ('{"url": "a", "host": "b"}', 'expected an object with one selector, got ["url", "host"]'),
        ('{"url": null}', "url: expected text, got null"),
        ('{"isbn": 9780131103627}', "isbn: expected text, got 9780131103627"),
        ('{"host": " "}', 'host: expected text, got " "'),
        (r'{"host": "\ud800"}', r'host: expected text in UTF-8, got "\ud800"'),
        ('{"doc_ids": "0"}', f'unknown selector "doc_ids"; did you mean `doc_id`? known here: {", ".join(SELECTORS)}'),
        ('{"%": "0"}', f'unknown selector "%"; known here: {", ".join(SELECTORS)}'),
        ('{"warc": {"offset": 1}}', "warc: expected text, got null"),
        *(
            (f'{{"warc": {said}}}', f"warc: expected `file` and `offset`, a whole number, got {said}")
            for said in (
                '{"file": "f", "offset": -1}',
                '{"file": "f", "offset": true}',
                '{"file": "f", "offset": "1"}',
                '{"file": "f", "offset": 9223372036854775808}',
                '{"file": "f", "position": 1}',
            )
        ),
    ],
)
def test_line_that_asks_nothing_is_named(line: str | bytes, expected: str) -> None:
    """By its number, with what is wrong and what was expected."""
    assert letter_of_lines("", '{"url": "a.example"}', line) == f"1 query {NOTHING}line 3 of q.jsonl: {expected}"


def test_line_that_is_nested_without_end_is_no_json() -> None:
    """It is a fault of the line, as all others."""
    assert letter_of_lines("[" * 100_000).startswith(f"1 query {NOTHING}line 1 of q.jsonl: no JSON: ")


def test_query_of_a_call_is_named_by_its_number() -> None:
    """From 0, as in the answer of a call that asks nothing else."""
    with pytest.raises(UsageError) as error:
        as_queries({}, [{"url": "a.example"}, {"url": "b", "isbn": "c"}, 7])
    said = [
        'query 1: expected an object with one selector, got ["url", "isbn"]',
        'query 2: expected an object such as {"url": "https://a.example/"}, got 7',
    ]
    assert str(error.value) == f"2 queries {NOTHING}" + "\n  ".join(said)


def test_letter_lists_twenty_faults() -> None:
    """Of more it says how many; of none there is no letter."""
    refuse([])
    with pytest.raises(UsageError) as error:
        refuse([f"fault {number}" for number in range(1_021)])
    shown = "\n  ".join(f"fault {number}" for number in range(20))
    assert str(error.value) == f"1,021 queries {NOTHING}{shown}\n  … and 1,001 more"


def test_values_come_in_the_form_of_the_ledger() -> None:
    """Blanks round them do not count, but where they belong to a name."""
    assert normal("url", " HTTP://me@A.example:80/b/../C?d#e ", "a.example") == ["a.example/C?d", "a.example/"]
    assert normal("url_prefix", "https://A.example", "a.example/b*") == ["a.example/", "a.example/b*"]
    assert normal("host", "WWW.Bücher.example.", "[2001:DB8:0::1]", " 192.0.2.1") == [
        "www.xn--bcher-kva.example",
        "[2001:db8::1]",
        "192.0.2.1",
    ]
    assert normal("domain", "Example.CO.UK", "www.co.uk", "bücher.example") == [
        "example.co.uk",
        "www.co.uk",
        "xn--bcher-kva.example",
    ]
    assert normal("doc_id", f" {'0F' * 16}") == ["0f" * 16]
    assert normal("record_id", "<urn:uuid:1>", "<x>", " x ") == ["<urn:uuid:1>", "<x>", " x "]
    assert normal("isbn", "0-13-110362-8", "978‑0‑13‑110362‑7", "080442957x", "ISBN-13: 9780131103627") == [
        "9780131103627",
        "9780131103627",
        "9780804429573",
        "9780131103627",
    ]
    assert normal("doi", "http://dx.doi.org/10.1000/A%28b%29", "doi.org/10.1000/x", "DOI:10.1000/x") == [
        "10.1000/a(b)",
        "10.1000/x",
        "10.1000/x",
    ]
    assert normal("text", " a\n") == [" a\n"]


PAGE = "expected an http or https URL with a host"
PREFIX = "expected the beginning of an http or https URL, a whole host at least"
HOST = "expected a host alone, such as `www.example.org`"
DOMAIN = "expected a registered domain such as `example.org`; for other names ask for a host"
NUMBER = "expected 10 or 13 digits, the last of which checks the others"
NAME = "expected `10.`, four to nine digits, `/` and a name, such as `10.1000/182`, with or without resolver"


@pytest.mark.parametrize(
    ("selector", "expected", "values"),
    [
        ("url", PAGE, ["mailto:me@a.example", "book", "https://", "ftp://a.example/", "https://a..example/"]),
        ("url_prefix", PREFIX, ["https:/", "/book", "*.example.com/", "%"]),
        (
            "host",
            HOST,
            ["https://a.example", "a.example/", "a.example:80", "a b.example", "me@a.example", "a..b", "1.2.3.999"],
        ),
        ("domain", DOMAIN, ["uk", "co.uk", "192.0.2.1", "[::1]", "https://a.example", "*"]),
        ("doc_id", "expected 32 hex digits", ["0", "g" * 32, "0" * 33, "%", "٠" * 32]),
        (
            "isbn",
            NUMBER,
            ["0131103629", "9780131103628", "123", "isbn", "9780131103627 0131103628", "0131103628 and more"],
        ),
        ("doi", NAME, ["10.1/x", "10.1000", "https://a.example/", "x"]),
    ],
)
def test_value_that_can_be_none_of_its_kind_is_refused(selector: str, expected: str, values: list[str]) -> None:
    """With what was expected; nothing is guessed."""
    for value in values:
        assert why_not(selector, value) == expected, value


def test_name_that_is_recorded_otherwise_is_given_as_it_is_recorded() -> None:
    """A host is no registered domain, and of a DOI only its usual characters are read."""
    said = "its registered domain is `example.co.uk`; ask for that one, or for `www.example.co.uk` as a host"
    assert why_not("domain", "WWW.example.co.uk") == said
    assert why_not("doi", "10.1000/A+b") == "where a document has that, `10.1000/a` is recorded; ask for it"
    assert why_not("doi", "10.1000/a.pdf") == "where a document has that, `10.1000/a` is recorded; ask for it"


def test_file_of_a_text_is_read_or_refused(tmp_path: Path) -> None:
    """With or without a mark at its beginning; a letter where there is no text."""
    good, broken, empty = (tmp_path / name for name in ("good.txt", " broken.txt", "empty.txt"))
    good.write_bytes("\ufeffgröße\n".encode())
    broken.write_bytes(b"abc\xff")
    empty.write_bytes(b" \n")
    assert normal("text_file", str(good)) == ["größe\n"]
    assert why_not("text_file", str(empty)).endswith("the file is empty")
    with pytest.raises(UsageError) as error:
        normal_values(as_queries({"text_file": [str(broken), f"{tmp_path}/none"]}))
    faults = [line.rpartition("`: ")[2] for line in str(error.value).splitlines()[1:]]
    assert faults == ["expected a text in UTF-8, but byte 3 is none", "it cannot be read: No such file or directory"]


def test_all_unusable_values_are_named_at_once() -> None:
    """In the order of the questions, with their lines; what a crawl might have put in does nothing to a terminal."""
    lines = [b'{"isbn": "1"}', b'{"url": "a.example"}', rb'{"doc_id": "\u001b[2J"}', b'{"isbn": "2"}']
    with pytest.raises(UsageError) as error:
        normal_values(read_queries(lines, "q.jsonl"))
    said = [
        f"line 1 of q.jsonl: isbn `1`: {NUMBER}",
        r"line 3 of q.jsonl: doc_id `\x1b[2J`: expected 32 hex digits",
        f"line 4 of q.jsonl: isbn `2`: {NUMBER}",
    ]
    assert str(error.value) == f"3 queries {NOTHING}" + "\n  ".join(said)


@settings(deadline=None)
@given(st.sampled_from([name for name in SELECTORS if name != "text_file"]), st.text(min_size=1))
def test_any_value_is_usable_or_refused(selector: str, value: str) -> None:
    """Nothing that anybody can type ends otherwise."""
    with suppress(UsageError):
        (wanted,) = normal_values(as_queries({selector: value}))
        assert wanted.values.null_count == 0
