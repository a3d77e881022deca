"""Requests to take work out: how they are read, what they are known by, and what is said of wrong ones."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.takedown import SELECTORS, Selectors, TakedownRequest
from schemas.columns import TAKEN
from schemas.errors import ConfigError
from tests.takedown_data import write_request
from transforms.part_store import file_facts
from transforms.takedowns.normal_selectors import NORMAL, normal_selectors
from transforms.takedowns.read_takedown import (
    CERTIFICATE,
    CERTIFICATE_VERSION,
    Takedown,
    canonical,
    digest_of,
    read_takedown,
)

Complain = Callable[..., list[str]]

DOC_ID = "0f3a" * 8
ALL: dict[str, list[Any]] = {
    "urls": ["https://a.example/book", "a.example/other"],
    "domains": ["pirate.example", "b.pirate.example"],
    "isbns": ["978-0-13-468599-1", "0-13-110362-8"],
    "doc_ids": [DOC_ID, "f" * 32],
    "texts": ["book.txt", {"text": "The very text"}],
}
HEAD = "requested_by: Jane\nrequested_on: 2026-11-02\nreference: R-7\n"
DOMAIN = "expected a domain such as `example.org`, without scheme, path or `*`; all beneath it goes too, got"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Takedown]:
    """Reads a request with some selectors, beside which `book.txt` lies."""
    (tmp_path / "book.txt").write_text("A book.\n", encoding="utf-8")

    def read(selectors: dict[str, Any], **keys: Any) -> Takedown:
        return read_takedown(str(write_request(tmp_path / "request.yaml", selectors, **keys)))

    return read


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """The lines of what is said of a request, which is called `request.yaml`."""
    path = tmp_path / "request.yaml"

    def complain(content: str | bytes) -> list[str]:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigError) as error:
            read_takedown(str(path))
        return str(error.value).replace(f"{tmp_path}/", "").splitlines()

    return complain


def test_request_is_read_with_all_that_it_says(read: Callable[..., Takedown]) -> None:
    """Defaults are filled in; texts come from files and from the request itself, in their order."""
    takedown = read(ALL)
    request = takedown.request
    assert (request.requested_by, request.requested_on, request.reference) == ("Jane Doe", "2026-11-02", "R-7")
    assert (request.scope, request.similarity, request.witnesses) == ("near_duplicates", None, "stay_out")
    assert request.selectors.domains == ("pirate.example", "b.pirate.example")
    assert takedown.texts.to_pylist() == ["A book.\n", "The very text"]
    assert takedown.texts.type == pa.large_string()
    assert takedown.evidence is None
    assert takedown.id == takedown.sha256[:16]


def test_text_is_named_by_its_digest(read: Callable[..., Takedown]) -> None:
    """That of its bytes in UTF-8, wherever it was read."""
    digests = [hashlib.sha256(text).hexdigest() for text in (b"A book.\n", b"The very text")]
    assert read(ALL).text_names == [f"sha256:{digest}" for digest in digests]


def test_id_is_that_of_what_is_said(read: Callable[..., Takedown], tmp_path: Path) -> None:
    """Order, paths, byte order marks and defaults that are written out mean nothing."""
    plain = read(ALL)
    (tmp_path / "moved.txt").write_bytes(b"\xef\xbb\xbfThe very text")
    turned: dict[str, list[Any]] = {kind: entries[::-1] for kind, entries in ALL.items()}
    turned["texts"] = ["moved.txt", {"text": "A book.\n"}]
    assert read(turned, scope="near_duplicates", similarity=None, witnesses="stay_out").sha256 == plain.sha256


@pytest.mark.parametrize(
    "change",
    [
        {"requested_by": "John Doe"},
        {"requested_on": "2026-11-03"},
        {"reference": "R-8"},
        {"similarity": 0.7},
        {"scope": "named"},
        {"scope": "named", "witnesses": "next_in_line"},
        *({"selectors": {**ALL, kind: ALL[kind][1:]}} for kind in SELECTORS),
        {"selectors": {**ALL, "texts": ["book.txt", {"text": "The very text "}]}},
    ],
)
def test_id_changes_with_anything_that_is_said(read: Callable[..., Takedown], change: dict[str, Any]) -> None:
    """So that two requests never pass for one."""
    assert read(**{"selectors": ALL, **change}).id != read(ALL).id


def test_whole_numbers_mean_what_fractions_mean(read: Callable[..., Takedown]) -> None:
    """`similarity: 1` and `1.0` are one request."""
    assert read(ALL, similarity=1).id == read(ALL, similarity=1.0).id


def test_request_may_be_json(tmp_path: Path, read: Callable[..., Takedown]) -> None:
    """YAML holds it; only the format of a certificate makes it one."""
    expected = read({"domains": ["a.example"]}).id
    path = tmp_path / "request.json"
    said = {"requested_by": "Jane Doe", "requested_on": "2026-11-02", "reference": "R-7"}
    path.write_text(json.dumps({**said, "selectors": {"domains": ["a.example"]}}))
    assert read_takedown(str(path)).id == expected


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (
            "requested_by: J\nrequested_on: 2026-11-02\nselectors: {domains: [a.example]}",
            ["`reference` is missing; expected non-empty text"],
        ),
        (
            f"{HEAD}selectors: {{domain: [a.example]}}",
            [f"unknown key `selectors.domain`; did you mean `domains`? known here: {', '.join(SELECTORS)}"],
        ),
        (
            f"{HEAD}selectors: {{}}",
            [f"`selectors`: nothing is selected; name at least one entry of {', '.join(f'`{k}`' for k in SELECTORS)}"],
        ),
        (f"{HEAD}selectors: {{domains: [], urls: []}}", ["`selectors`: nothing is selected; name at least one entry"]),
        (
            f"{HEAD}selectors: {{urls: [a.example/]}}\nscope: named\nsimilarity: 0.5",
            ["`similarity`: the scope `named` compares no texts; leave one of the two out"],
        ),
        (
            f"{HEAD}selectors: {{urls: [a.example/]}}\nwitnesses: next_in_line",
            ["`witnesses`: `next_in_line` would bring back copies, which the scope `near_duplicates` takes out;"],
        ),
        (
            f"{HEAD}selectors: {{urls: [a.example/]}}\nscope: all\nsimilarity: 1.5\nwitnesses: 1",
            [
                "`scope`: expected `near_duplicates` or `named`, got all",
                "`similarity`: expected a number, above 0 and at most 1, or null, got 1.5",
                "`witnesses`: expected `stay_out` or `next_in_line`, got 1",
            ],
        ),
        (
            "requested_by: ''\nrequested_on: 2026-02-30\nreference: 7\nselectors: {urls: [a.example/]}",
            [
                "`requested_by`: expected non-empty text, got ''",
                "`requested_on`: '2026-02-30' is no day of the calendar; write it as year-month-day, 2026-11-02",
                "`reference`: expected non-empty text, got 7; put it in quotes to make it text",
            ],
        ),
        (
            f"{HEAD}selectors: {{domains: ['*.a.example', 'http://a.example/', 'a:80', ''], isbns: [978013468599]}}",
            [
                f"`selectors.domains.0`: {DOMAIN} '*.a.example'",
                f"`selectors.domains.1`: {DOMAIN} http://a.example/",
                f"`selectors.domains.2`: {DOMAIN} a:80",
                f"`selectors.domains.3`: {DOMAIN} ''",
                "`selectors.isbns.0`: expected an ISBN of 10 or 13 digits, got 978013468599; put it in quotes",
            ],
        ),
        (
            f"{HEAD}selectors: {{doc_ids: [abc, {'A' * 32}]}}",
            [
                "`selectors.doc_ids.0`: expected a `doc_id`: 32 hex digits in lower case, got abc",
                f"`selectors.doc_ids.1`: expected a `doc_id`: 32 hex digits in lower case, got {'A' * 32}",
            ],
        ),
        (
            f"{HEAD}selectors: {{urls: [a.example/, a.example/]}}",
            ["`selectors.urls`: `a.example/` stands here more than once; each may stand once"],
        ),
    ],
)
def test_mistakes_are_answered_in_full(complain: Complain, content: str, sentences: list[str]) -> None:
    """Each with its place, what was expected and what is there; all of them at once."""
    first, *lines = complain(content)
    assert first == f"request.yaml: {len(sentences)} mistake{'s' * (len(sentences) > 1)}"
    assert [line[2 : 2 + len(sentence)] for line, sentence in zip(lines, sentences, strict=True)] == sentences


def test_selectors_that_can_name_nothing_are_mistakes(complain: Complain) -> None:
    """Of the right shape, and yet no URL, no ISBN, no host, or nobody's; an address is a host."""
    urls, isbns = "[nothing, 'mailto:x', 'a.example/x']", "[978-0-13-468599-2, 978-0-13-468599-1]"
    domains = "[localhost, 0x7f.1, 192.0.2.7, co.uk, com.co.uk]"
    content = f"{HEAD}selectors: {{urls: {urls}, isbns: {isbns}, domains: {domains}}}"
    nobody = "anybody may register a domain, so it is nobody's; name the domains or hosts below it"
    assert complain(content) == [
        "request.yaml: 6 mistakes",
        "  `selectors.urls.0`: expected an http or https URL, got nothing",
        "  `selectors.urls.1`: expected an http or https URL, got mailto:x",
        f"  `selectors.domains.0`: {DOMAIN} localhost",
        f"  `selectors.domains.1`: {DOMAIN} 0x7f.1",
        "  `selectors.isbns.0`: expected an ISBN whose check digit is right, got 978-0-13-468599-2",
        f"  `selectors.domains.3`: under co.uk {nobody}",
    ]


def test_texts_that_are_none_are_mistakes(complain: Complain, tmp_path: Path) -> None:
    """A path that leads nowhere, a file that is no text, one that says nothing, a digest without its text."""
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "blank").write_text(" \n")
    texts = f"[none.txt, latin, blank, {{text: ' '}}, {{sha256: {'a' * 64}}}, {{text: x}}, .]"
    assert complain(f"{HEAD}selectors: {{texts: {texts}}}") == [
        "request.yaml: 6 mistakes",
        "  `selectors.texts.0`: none.txt cannot be read: No such file or directory",
        "  `selectors.texts.1`: byte 3 of latin is not UTF-8; save the file as UTF-8",
        "  `selectors.texts.2`: blank holds no text",
        "  `selectors.texts.3`: it holds no text",
        "  `selectors.texts.4`: a digest stands for a text in certificates only; give its path, or the text as `text`",
        "  `selectors.texts.6`: . cannot be read: Is a directory",
    ]


def test_texts_are_given_in_one_way(complain: Complain) -> None:
    """By a path or as they are."""
    assert complain(f"{HEAD}selectors: {{texts: ['', {{}}, 5, {{text: a, path: b}}, {{txt: a}}]}}") == [
        "request.yaml: 5 mistakes",
        "  `selectors.texts.0`: the path is empty; name the file that holds the text",
        "  `selectors.texts.1`: a text is given by the path of its file, or as `text`; by one of the two",
        "  `selectors.texts.2`: expected a path, or the text itself as `{text: ...}`, got 5",
        "  `selectors.texts.3`: a text is given by the path of its file, or as `text`; by one of the two",
        "  unknown key `selectors.texts.4.txt`; did you mean `text`? known here: path, text, sha256, bytes",
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "request.yaml: the file says nothing; docs/config.md ends with a takedown to start from"),
        (b"[a.example]", "request.yaml: expected a section with `requested_by`, `requested_on`,"),
        (b"\x1f\x8b\x08\x00", "request.yaml: byte 1 is not UTF-8; save the file as UTF-8"),
        (b"{", "request.yaml: this is not valid YAML: line 1, column 2"),
        (b"reference: [", "request.yaml: this is not valid YAML: line 1, column 13"),
    ],
)
def test_file_that_is_no_request_is_answered_with_why(complain: Complain, content: bytes, line: str) -> None:
    """As a config file that is none."""
    assert complain(content)[0].startswith(line)


def test_file_that_is_not_there_is_answered_with_its_path(tmp_path: Path) -> None:
    """The letter says what it was looked for as."""
    with pytest.raises(ConfigError) as error:
        read_takedown(f"{tmp_path}/none.yaml")
    assert str(error.value) == f"{tmp_path}/none.yaml: the takedown cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        ("urls", "HTTP://A.Example:80/b/../C?d#e", "a.example/C?d"),
        ("urls", "https://a.example/%27;DROP TABLE ledger;--", "a.example/%27;DROP%20TABLE%20ledger;--"),
        ("urls", "https://a.example/*", "a.example/*"),
        ("domains", "Bücher.Example.", "xn--bcher-kva.example"),
        ("domains", "192.0.2.7", "192.0.2.7"),
        ("isbns", "0-13-110362-8", "9780131103627"),
        ("isbns", "9780134685991", "9780134685991"),
        ("doc_ids", DOC_ID, DOC_ID),
    ],
)
def test_selectors_take_the_form_of_the_columns(kind: str, written: str, normal: str) -> None:
    """What is no letter of a host is data: quotes and stars of a URL are its own."""
    found = normal_selectors(Selectors.model_validate({kind: [written]}))
    assert {name: values.to_pylist() for name, values in found.items()} == {
        name: [normal] if name == kind else [] for name in NORMAL
    }


def certificate(directory: Path, takedown: Takedown, **changes: Any) -> Path:
    """A certificate of a takedown with its evidence, as far as reading goes."""
    evidence = directory / f"{takedown.id}.parquet"
    pq.write_table(TAKEN.schema().empty_table(), evidence)
    said = {
        "format": CERTIFICATE,
        "format_version": CERTIFICATE_VERSION,
        "id": takedown.id,
        "sha256": takedown.sha256,
        "request": canonical(takedown.request, takedown.texts.to_pylist()),
        "evidence": {"file": evidence.name, **file_facts(str(evidence))},
        **changes,
    }
    path = directory / f"{takedown.id}.json"
    path.write_text(json.dumps(said))
    return path


def test_certificate_is_read_as_its_request(read: Callable[..., Takedown], tmp_path: Path) -> None:
    """With the same id and selectors; of its texts it has the digests, and the evidence has the rest."""
    asked = read(ALL, similarity=0.8)
    found = read_takedown(str(certificate(tmp_path, asked)))
    assert (found.id, found.sha256) == (asked.id, asked.sha256)
    assert found.evidence == f"{tmp_path}/{asked.id}.parquet"
    assert found.texts.to_pylist() == []
    assert found.request.similarity == 0.8
    for kind in NORMAL:
        assert sorted(getattr(found.request.selectors, kind)) == sorted(getattr(asked.request.selectors, kind))
    assert {text.name for text in found.request.selectors.texts} == set(asked.text_names)


@pytest.mark.parametrize(
    ("changes", "letter"),
    [
        ({"format_version": 2}, "this certificate is of version 2; this cleartitle reads version 1."),
        ({"sha256": "0" * 64}, "this certificate was changed after it was written."),
        ({"id": "0" * 16}, "this certificate was changed after it was written."),
        ({"request": {"reference": "R-8"}}, "this certificate was changed after it was written."),
        ({"request": None}, "this certificate was changed after it was written."),
        ({"evidence": None}, "this certificate was changed after it was written."),
        ({"evidence": {"file": "../x.parquet", "bytes": 1, "sha256": ""}}, "this certificate was changed after"),
    ],
)
def test_certificate_that_was_changed_is_refused(
    read: Callable[..., Takedown], tmp_path: Path, changes: dict[str, Any], letter: str
) -> None:
    """Whatever was changed in it that reading relies on; the letter says where a whole one is."""
    path = certificate(tmp_path, read(ALL), **changes)
    with pytest.raises(ConfigError) as error:
        read_takedown(str(path))
    assert str(error.value).startswith(f"{path}: {letter}")


def test_certificate_without_its_evidence_is_refused(read: Callable[..., Takedown], tmp_path: Path) -> None:
    """Copies would not be found without it, and nobody would know."""
    path = certificate(tmp_path, read(ALL))
    beside = path.with_suffix(".parquet")
    content = beside.read_bytes()
    restore = "Copy it again, with the Parquet of the same name, from `takedowns/` of the dataset."
    for change, fault in (
        (lambda: beside.write_bytes(content[:-1]), "is not as it was written"),
        (lambda: beside.write_bytes(content[:-5] + b"x" + content[-4:]), "is not as it was written"),
        (beside.unlink, "cannot be read: No such file or directory"),
    ):
        change()
        with pytest.raises(ConfigError) as error:
            read_takedown(str(path))
        assert str(error.value) == f"{path}: its evidence {beside} {fault}. {restore}"


anything = (
    st.none() | st.integers() | st.sampled_from(["a.example", "x/y", "978-0-13-468599-1", DOC_ID, "[", "http://"])
)
selectors = st.dictionaries(st.sampled_from([*SELECTORS, "hosts"]), st.lists(anything, max_size=2) | anything)
requests = st.dictionaries(
    st.sampled_from([*TakedownRequest.model_fields, "format"]),
    anything | selectors | st.sampled_from(["2026-11-02", "named", CERTIFICATE]),
)


@settings(deadline=None, max_examples=50)
@given(requests.map(json.dumps) | requests.map(yaml.safe_dump) | st.text(max_size=30))
def test_no_content_makes_another_error(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    """Whatever a file holds, it is a takedown or the answer is a letter."""
    path = tmp_path_factory.getbasetemp() / "any-takedown"
    path.write_text(content, encoding="utf-8")
    try:
        assert len(read_takedown(str(path)).id) == 16
    except ConfigError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 - either outcome is right


names = st.lists(st.sampled_from(["a.example", "b.example", "c.a.example", "d.example"]), min_size=1, unique=True)
texts = st.lists(st.sampled_from(["one", "two", "three\n"]), unique=True)


@settings(deadline=None, max_examples=50)
@given(names, texts, st.randoms())
def test_order_of_entries_means_nothing(domains: list[str], words: list[str], random: Any) -> None:
    """Neither for the id nor for the canonical form."""
    said = {"requested_by": "J", "requested_on": "2026-11-02", "reference": "R"}

    def canonical_of() -> dict[str, Any]:
        random.shuffle(domains)
        random.shuffle(words)
        listed = {"domains": domains, "texts": [{"text": word} for word in words]}
        return canonical(TakedownRequest.model_validate({**said, "selectors": listed}), words)

    one, other = canonical_of(), canonical_of()
    assert one == other
    assert digest_of(one) == digest_of(other)
