"""Lists of domains: which lines are entries, which are ignored, and what is compiled from them."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from transforms.batches import strings
from transforms.decide.read_lists import DomainList, allow_list, read_list
from transforms.kernels.domains import bucket_starts, hash_domains

BLOCKLISTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "blocklists"


def entries(domains: DomainList) -> dict[str, int]:
    """Entry to line, in the order of the lines."""
    return dict(sorted(zip(domains.entries.to_pylist(), domains.lines.tolist(), strict=True), key=lambda item: item[1]))


def read(text: bytes | str) -> DomainList:
    return read_list(text if isinstance(text, bytes) else text.encode(), "shadow", "piracy")


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("example.org", "example.org"),
        ("a.b-c.example.co.uk", "a.b-c.example.co.uk"),
        ("EXAMPLE.Org", "example.org"),
        ("example.org.", "example.org"),
        (".example.org", "example.org"),
        ("*.example.org", "example.org"),
        (" \texample.org \t", "example.org"),
        ("\u00a0example.org\u3000", "example.org"),
        ("example.org # a mirror", "example.org"),
        ("example.org#a mirror", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example.", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("xn--p1ai.xn--p1ai", "xn--p1ai.xn--p1ai"),
        ("my_host.example", "my_host.example"),
        ("co.uk", "co.uk"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("::ffff:192.0.2.1", "[::ffff:c000:201]"),
    ],
)
def test_line_is_an_entry_as_hosts_are_written(line: str, entry: str) -> None:
    """Spellings of one domain, and addresses, become what `url_host_name` holds."""
    assert entries(read(line)) == {entry: 1}


@pytest.mark.parametrize(
    "line",
    [
        "localhost", "com", ".", "*.", "..", ".com", "a..example", "..a.example", "a.example..", "*.*.a.example",
        "0.0.0.0 a.example", "a.example b.example", "a.example,b.example", "http://a.example", "a.example/path",
        "a.example:80", "me@a.example", "a.example?q", "a\\b.example", "a%2eb.example", "a\tb.example", "! a.example",
        "||a.example^", "full:a.example", "regexp:.*a", "server=/a.example/", "1.2", "0x7f.0.0.1", "1.2.3.256",
        "1.2.3.4.5", "１.2.3.4", "2001:db8:::1", "[::1", "::1]", "[::1]:80", "1.2.3.4:80",
        "1:2", "xn--\u00ad.example", "a\0.example", "a&b.example",
    ],
)  # fmt: skip
def test_line_that_is_no_domain_is_ignored_and_named(line: str) -> None:
    """Nothing is guessed from lines of other formats; the letter to the user can quote them."""
    domains = read(f"good.example\n{line}\n")
    assert entries(domains) == {"good.example": 1}
    assert (domains.ignored, domains.ignored_count) == (((2, line.strip()),), 1)


@pytest.mark.parametrize("line", ["", "   ", "\t", "# a.example", "  # a.example", "#", b"# caf\xe9", "\r"])
def test_blank_line_and_comment_are_neither_entry_nor_ignored(line: str | bytes) -> None:
    """They are what a list is made of, in any encoding."""
    domains = read((line if isinstance(line, bytes) else line.encode()) + b"\ngood.example")
    assert (entries(domains), domains.ignored, domains.ignored_count) == ({"good.example": 2}, (), 0)


def test_bytes_that_are_no_utf8_are_ignored_and_shown_escaped() -> None:
    """A domain in Latin-1 is unknown; a comment in Latin-1 behind a domain does no harm."""
    domains = read(b"b\xfccher.example\ngood.example # caf\xe9\n")
    assert entries(domains) == {"good.example": 2}
    assert domains.ignored == ((1, "b\\xfccher.example"),)


@pytest.mark.parametrize(
    "text", [b"a.example\nb.example\n", b"a.example\r\nb.example", b"\xef\xbb\xbfa.example\nb.example"]
)
def test_line_ends_and_byte_order_mark_mean_nothing(text: bytes) -> None:
    """Lists come from every system; the digest is that of the bytes as they are."""
    domains = read(text)
    assert entries(domains) == {"a.example": 1, "b.example": 2}
    assert domains.sha256 == hashlib.sha256(text).hexdigest()


def test_first_line_of_a_repeated_entry_counts() -> None:
    """Whatever the spelling, plain or odd."""
    domains = read("bücher.example\nb.example\nXN--bcher-kva.example\n*.B.example\n1.2.3.4\nb.example\n1.2.3.4\n")
    assert entries(domains) == {"xn--bcher-kva.example": 1, "b.example": 2, "1.2.3.4": 5}


def test_ignored_lines_are_counted_beyond_those_that_are_shown() -> None:
    """Twenty lines are shown, each cut at a hundred characters."""
    domains = read("good.example\n" + "\n".join(f"{'no' * 80} {i}" for i in range(25)))
    assert domains.ignored == tuple((line, "no" * 50) for line in range(2, 22))
    assert domains.ignored_count == 25


def test_list_without_entry_says_so_with_a_line() -> None:
    """The letter names the list, the count, the first line, and what is expected."""
    with pytest.raises(ConfigError) as caught:
        read("# hosts\n\n0.0.0.0 a.example\n0.0.0.0 b.example\n")
    assert str(caught.value) == (
        "Blocklist `shadow` holds no domain: 2 of its 4 lines are neither a domain nor a comment, the first of them "
        "line 3: `0.0.0.0 a.example`. Format `domains` is one domain a line, such as `example.org`; check the path and "
        "the format."
    )


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("# only\n# comments", 2), ("\n", 1), ("\ufeff", 0)])
def test_empty_list_says_so(text: str, lines: int) -> None:
    """An empty file is more likely a failed download than a wish."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == (
        f"Blocklist `shadow` is empty: it has {lines} lines and no domain in them. Check its path."
    )


def test_allow_list_numbers_its_entries_from_one() -> None:
    """They are written as in a blocklist."""
    allow = allow_list(["b.example", "*.BÜCHER.example", "192.0.2.1", "b.example"])
    assert entries(allow) == {"b.example": 1, "xn--bcher-kva.example": 2, "192.0.2.1": 3}
    assert (allow.name, allow.category, allow.ignored, allow.ignored_count) == ("allow", "allow", (), 0)


def test_allow_list_may_be_empty() -> None:
    """The config's default is an empty list."""
    assert entries(allow_list([])) == {}


def test_allow_list_names_every_wrong_entry() -> None:
    """All mistakes at once."""
    with pytest.raises(ConfigError) as caught:
        allow_list(["a.example", "http://b.example/", "localhost", ""])
    assert str(caught.value) == (
        "sources.allow: `http://b.example/`, `localhost`, `` is no domain; write domains such as `example.org`, "
        "without scheme, port or path."
    )


LABEL = st.text("aBxn0-_", min_size=1, max_size=4)
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
BEFORE, TLD, BEHIND = (st.sampled_from(x) for x in (["", "*.", ".", " "], ["", ".com", ".de."], ["", "\r", " #x"]))
LINE = st.builds("{}{}{}{}".format, BEFORE, NAME, TLD, BEHIND)
ODD_LINE = st.text("aü1.:*# /\u3002\t", max_size=8)


@settings(deadline=None)
@given(st.lists(LINE | ODD_LINE, max_size=12))
def test_columns_of_lines_equal_lines_read_one_by_one(lines: list[str]) -> None:
    """The fast path for plain lines is no other rule: behind a comment sign, every line takes the slow path."""
    slow: dict[str, int] = {"anchor.example": 1}
    ignored = []
    for number, line in enumerate(lines, 2):
        if not line.strip(" \t\r") or line.lstrip(" \t").startswith("#"):
            continue
        try:
            slow.setdefault(next(iter(entries(read(f"{line}#")))), number)
        except ConfigError:
            ignored.append((number, line.strip()))
    domains = read("\n".join(["anchor.example", *lines]))
    assert (entries(domains), domains.ignored) == (slow, tuple(ignored))


@settings(deadline=None)
@given(st.lists(NAME.map(lambda name: f"{name}.com"), min_size=1, max_size=50))
def test_compiled_list_is_in_the_order_of_its_hashes(names: list[str]) -> None:
    """Hashes belong to the entries, ascend, and lie in the buckets that `starts` says."""
    domains = read("\n".join(names))
    assert (
        domains.hashes.tolist() == hash_domains(*strings(domains.entries)).tolist() == sorted(domains.hashes.tolist())
    )
    bits = (len(domains.starts) - 1).bit_length() - 1
    for bucket in range(1 << bits):
        inside = domains.hashes[domains.starts[bucket] : domains.starts[bucket + 1]]
        assert all(value >> np.uint64(64 - bits) == bucket for value in inside)
    assert domains.starts[-1] == len(domains.hashes)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40).map(sorted))
def test_bucket_starts_are_found_by_bisection(values: list[int]) -> None:
    """There are at least as many buckets as hashes, and one bucket begins where the last ends."""
    starts = bucket_starts(np.array(values, np.uint64))
    bits = (len(starts) - 1).bit_length() - 1
    assert len(values) < len(starts) == (1 << bits) + 1
    assert starts.tolist() == [sum(value >> (64 - bits) < bucket for value in values) for bucket in range(len(starts))]


def test_list_crosses_to_a_worker_unchanged() -> None:
    """Beam pickles it."""
    domains = read("a.example\nb.example\nc\n")
    copy = pickle.loads(pickle.dumps(domains))
    assert entries(copy) == entries(domains)
    assert (copy.hashes.tolist(), copy.ignored) == (domains.hashes.tolist(), domains.ignored)


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "count", "first"),
    [
        ("ut1/child/domains", 75, "2jr.org"),
        ("ut1/filehosting/domains", 941, "1000go.fr"),
        ("ut1/hacking/domains", 274, "157.238.207.26"),
        ("ut1/warez/domains", 1546, "01cinema.com"),
        ("blocklistproject/alt-version_scam-nl.txt", 3987, "0-google.com"),
        ("v2fly/piratebay", 4, "pirates-forum.org"),
        ("v2fly/z-library", 48, "1lib.cloud"),
    ],
)
def test_real_list_of_domains_is_read_whole(path: str, count: int, first: str) -> None:
    """No line of them is ignored, and the entries are the lines that a plain reading gives."""
    text = (BLOCKLISTS / path).read_bytes()
    domains = read(text)
    lines = [line.strip() for line in text.decode().splitlines()]
    assert entries(domains) == {name: lines.index(name) + 1 for name in lines if name and not name.startswith("#")}
    assert (len(domains.entries), next(iter(entries(domains))), domains.ignored_count) == (count, first, 0)


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("blocklistproject/scam.txt", "0.0.0.0 0-google.com"),
        ("blocklistproject/dnsmasq-version_scam-dnsmasq.txt", "server=/0-google.com/"),
        ("blocklistproject/adguard_scam-ags.txt", "! Title: Scam Block List"),
    ],
)
def test_real_list_of_another_format_is_refused_with_its_first_line(path: str, line: str) -> None:
    """Hosts files, dnsmasq and AdGuard rules are not taken for domains."""
    with pytest.raises(ConfigError, match=f"holds no domain: .*`{line}`"):
        read((BLOCKLISTS / path).read_bytes())
