"""What is said of a wrong sources register: every mistake at once, word for word."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.register import Source
from schemas.errors import ConfigError
from transforms.decide.sources_register import Register

Complain = Callable[[str | bytes], str]

ONE_PLACE = "a source is one of `host`, `prefix` and `input`;"
DOMAIN = "expected a domain such as `example.org` or `*.github.io`, without scheme or path, or null, got"
URL = "expected the beginning of a URL, such as `https://example.org/open/`, without `#`, or null, got"
BASIS = "expected `licensed`, `open_licence`, `public_domain` or `crawl`, got"


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """What is said of a register, which is called `register.yaml`."""
    path = tmp_path / "register.yaml"

    def complaint(content: str | bytes) -> str:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigError) as error:
            Register.read(str(path))
        return str(error.value).replace(str(path), "register.yaml")

    return complaint


def test_all_mistakes_are_listed_at_once(complain: Complain) -> None:
    """Each with the index of its source, from 0, as those of a config."""
    text = """
sources:
  - {host: a.example, basis: licensed}
  - {host: http://a.example/, basis: public_domain}
  - {host: b.example, prefix: b.example/x, basis: crawl}
  - {basis: crawl}
  - {input: x, basis: fair_use}
  - {input: y, basis: crawl, contract: "1"}
  - {input: z, basis: open_licence, contract: "1", licence: MIT}
  - {input: /data/z, basis: crawl, priority: 2000}
  - {prefix: "a.example/#!x", basis: crawl, priority: high}
  - {hosts: c.example, basis: crawl}
"""
    assert complain(text).splitlines() == [
        "register.yaml: 12 mistakes",
        "  `sources.0`: the basis `licensed` rests on a contract; name it as `contract`",
        f"  `sources.1.host`: {DOMAIN} http://a.example/",
        f"  `sources.2`: {ONE_PLACE} `host` and `prefix` are given",
        f"  `sources.3`: {ONE_PLACE} none is given",
        f"  `sources.4.basis`: {BASIS} fair_use",
        "  `sources.5`: `contract` goes with the basis `licensed`, not with `crawl`; take one out",
        "  `sources.6`: `contract` goes with the basis `licensed`, not with `open_licence`; take one out",
        "  `sources.7.input`: input files are named relative to `crawl.root`, as in the ledger, and /data/z is not",
        "  `sources.7.priority`: expected a whole number, at least -1000 and at most 1000, got 2000",
        f"  `sources.8.prefix`: {URL} a.example/#!x",
        "  `sources.8.priority`: expected a whole number, at least -1000 and at most 1000, got high",
        f"  unknown key `sources.9.hosts`; did you mean `host`? known here: {', '.join(Source.model_fields)}",
    ]


@pytest.mark.parametrize(
    ("places", "letter"),
    [
        (["host: a.example", "host: a.example"], "host a.example"),
        (["host: a.example", "host: A.Example."], "host a.example"),
        (["host: bücher.example", "host: xn--bcher-kva.example"], "host xn--bcher-kva.example"),
        (["host: '*.github.io'", "host: github.io"], "host github.io"),
        (["prefix: a.example/x", "prefix: 'https://A.example:443/y/../x'"], "prefix a.example/x"),
        (["input: a/b", "input: ./a//b"], "input a/b"),
    ],
)
def test_two_answers_for_one_place_are_a_mistake(complain: Complain, places: list[str], letter: str) -> None:
    """In whatever spelling, and also if the answers agree."""
    for other in ("crawl", "public_domain"):
        first, second = (
            f"  - {{{place}, basis: {basis}}}\n" for place, basis in zip(places, ("crawl", other), strict=True)
        )
        text = f"sources:\n{first}  - {{host: between.example, basis: crawl}}\n{second}"
        assert complain(text) == (
            "register.yaml: 1 mistake\n"
            f"  `sources.0` and `sources.2` both answer for the {letter}; take one of them out"
        )


def test_places_that_are_merely_alike_have_two_answers(tmp_path: Path) -> None:
    """A host and the prefix of its URLs, an open prefix, a glob and a name: no two of them are the same."""
    places = ["host: a.example", *(f"prefix: 'a.example/{page}'" for page in ("", "x", "x*", "X"))]
    places += [f"input: '{name}'" for name in ("a.example", ".warc", "*.warc")]
    path = tmp_path / "register.yaml"
    path.write_text("".join(["sources:\n", *(f"  - {{{place}, basis: crawl}}\n" for place in places)]))
    assert len(Register.read(str(path)).sources) == 8


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("host: localhost", f"`sources.0.host`: {DOMAIN} localhost"),
        ("host: '*.192.0.2.7'", f"`sources.0.host`: {DOMAIN} '*.192.0.2.7'"),
        ("host: 0x7f.1", f"`sources.0.host`: {DOMAIN} '0x7f.1'"),
        ("prefix: 'data:text/plain,x'", f"`sources.0.prefix`: {URL} data:text/plain,x"),
        ("prefix: 'http://[::1/'", f"`sources.0.prefix`: {URL} http://[::1/"),
        ("prefix: 'ftp://a.example/'", f"`sources.0.prefix`: {URL} ftp://a.example/"),
    ],
)
def test_place_that_is_none_is_answered_with_what_was_expected(complain: Complain, place: str, sentence: str) -> None:
    """What has the shape of a host or a URL, and is none to a browser."""
    answer = complain(f"sources: [{{{place}, basis: crawl}}]").replace("'", "")
    assert answer == f"register.yaml: 1 mistake\n  {sentence}".replace("'", "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "register.yaml: the file says nothing; docs/config.md ends with a register to start from"),
        (b"[a.example]", "register.yaml: expected a section with `sources`, got [a.example]"),
        (b"\x1f\x8b\x08\x00", "register.yaml: byte 1 is not UTF-8; save the file as UTF-8"),
        (
            b"sources: [{host: a}, {host: b",
            "register.yaml: this is not valid YAML: line 1, column 30: while parsing a flow mapping",
        ),
        (
            b"sources:\n  - {host: a.example, host: b.example}",
            "register.yaml: this is not valid YAML: line 2, column 23: the key `host` stands twice in one section",
        ),
        (b"source: []", "register.yaml: 2 mistakes\n  `sources` is missing; expected a list of at least one entry"),
        (b"sources: []", "register.yaml: 1 mistake\n  `sources`: expected a list of at least one entry"),
    ],
)
def test_file_that_is_no_register_is_answered_with_why(complain: Complain, content: bytes, sentence: str) -> None:
    """As a config file that is none."""
    assert complain(content).startswith(sentence)


def test_file_that_is_not_there_is_answered_with_its_path(tmp_path: Path) -> None:
    """The letter says what it was looked for as."""
    with pytest.raises(ConfigError) as error:
        Register.read(f"{tmp_path}/none.yaml")
    assert str(error.value) == f"{tmp_path}/none.yaml: the sources register cannot be read: No such file or directory"


def read_or_complain(path: Path) -> Register | str:
    """The register, or what is said of it; any other exception is a fault."""
    try:
        return Register.read(str(path))
    except ConfigError as error:
        return str(error)


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text("sources: [{host}]-.a\n'*#", max_size=60).map(str.encode))
def test_no_content_makes_another_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever the file holds, it is a register or the answer is a letter."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    answer = read_or_complain(path)
    assert answer.sources if isinstance(answer, Register) else answer.startswith(f"{path}: ")


anything = (
    st.none() | st.integers() | st.sampled_from(["a.example", "*.com", "x/y", "crawl", "licensed", "[", "http://"])
)
source = st.dictionaries(st.sampled_from(["host", "prefix", "input", "basis", "contract", "priority"]), anything)


@settings(deadline=None)
@given(st.lists(source | anything, min_size=1, max_size=3))
def test_no_data_makes_another_error(tmp_path_factory: pytest.TempPathFactory, sources: list[object]) -> None:
    """Each mistake has a line; what has none covers rows without an exception."""
    path = tmp_path_factory.getbasetemp() / "data.yaml"
    path.write_text(yaml.safe_dump({"sources": sources}))
    answer = read_or_complain(path)
    if isinstance(answer, Register):
        hosts, urls, files = (pa.array([one, None]) for one in ("a.example", "http://a.example/x", "x/y"))
        assert len(answer.match(hosts, urls, files.fill_null("")).entry) == 2
    else:
        first, *lines = answer.splitlines()
        assert first == f"{path}: {len(lines)} mistake{'s' if len(lines) > 1 else ''}"
