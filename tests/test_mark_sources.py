"""Marking sources: which entry of which list covers a host, and what the allow list lets in."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byte_columns import at_page_end
from transforms.batches import strings
from transforms.decide.mark_sources import mark_sources, match_hosts
from transforms.decide.read_lists import DomainList, allow_list, read_list
from transforms.kernels.domains import bucket_starts, hash_domains, match_suffixes


def listed(*domains: str, name: str = "shadow") -> DomainList:
    return read_list("\n".join(domains).encode(), name, "piracy")


def names(domains: DomainList | None, entry: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str | None]:
    """The entries that matched, None for -1."""
    return [None if i < 0 or domains is None else domains.entries[i].as_py() for i in entry.tolist()]


def matched(host: str, *domains: str) -> str | None:
    compiled = listed(*domains)
    return names(compiled, match_hosts(pa.array([host]), compiled))[0]


def slow(host: str | None, domains: set[str]) -> str | None:
    """Walk from the host to its parents and stop at the first that is listed."""
    if host is None or host.split(".")[-1].isdigit() or host.startswith("["):
        return host if host in domains else None
    labels = host.split(".")
    parents = (".".join(labels[i:]) for i in range(len(labels)))
    return next((name for name in parents if name in domains), None)


@pytest.mark.parametrize("host", ["listed.com", "a.listed.com", "a.b.c.listed.com", "-.listed.com", "..listed.com"])
def test_entry_covers_itself_and_its_subdomains(host: str) -> None:
    """However deep they are."""
    assert matched(host, "listed.com") == "listed.com"


@pytest.mark.parametrize(
    "host", ["notlisted.com", "listed.com.evil.org", "com", "listed.co", "isted.com", "listed.com.", ""]
)
def test_entry_covers_nothing_across_a_label_border(host: str) -> None:
    """Neither a longer label, nor a prefix, nor a parent."""
    assert matched(host, "listed.com") is None


def test_longest_entry_wins() -> None:
    """The most specific evidence is recorded, in whatever order the list has it."""
    domains = ("b.listed.com", "listed.com", "a.b.listed.com")
    assert [matched(f"{sub}listed.com", *domains) for sub in ("x.", "b.", "y.b.", "a.b.", "z.a.b.", "")] == [
        "listed.com", "b.listed.com", "b.listed.com", "a.b.listed.com", "a.b.listed.com", "listed.com"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "entry"),
    [("192.0.2.1", "192.0.2.1"), ("9.192.0.2.1", None), ("[2001:db8::1]", "[2001:db8::1]"), ("[::1]", None)],
)
def test_address_is_covered_by_itself_alone(host: str, entry: str | None) -> None:
    """The dots of an address are no label borders."""
    assert matched(host, "192.0.2.1", "2001:db8::1") == entry


def test_host_whose_last_label_ends_in_a_digit_has_parents() -> None:
    """Punycode may end in a digit; only a label of nothing but digits makes an address."""
    assert matched("a.b.xn--90a3", "b.xn--90a3") == "b.xn--90a3"


def test_no_entry_matches_by_its_hash_alone() -> None:
    """Where two names share a hash, the bytes decide, and of equal entries the first counts."""
    host = strings(pa.array(["a.com", "b.a.com"]))
    digest = hash_domains(*host)[0]
    entries = strings(pa.array(["x.com", "a.com", "y.com", "a.com"]))
    hashes = np.array([digest] * 4, np.uint64)
    assert match_suffixes(*host, *entries, hashes, bucket_starts(hashes)).tolist() == [1, 1]
    others = strings(pa.array(["x.com", "aa.com", ".com", ""]))
    assert match_suffixes(*host, *others, hashes, bucket_starts(hashes)).tolist() == [-1, -1]


def test_matching_reads_no_byte_beyond_its_hosts() -> None:
    """Hosts that begin and end where memory does."""
    hosts = [b"a.listed.com", b"", b".", b"listed.com"]
    compiled = listed("listed.com")
    found = match_suffixes(*at_page_end(hosts), *strings(compiled.entries), compiled.hashes, compiled.starts)
    assert found.tolist() == [0, -1, -1, 0]


LABEL = st.sampled_from(["a", "b", "ab", "xn--a", "1"])
NAME = st.builds(".".join, st.lists(LABEL, min_size=1, max_size=4))
DOMAIN = st.builds("{}.{}".format, NAME, st.sampled_from(["com", "co.uk"]))
ADDRESS = st.sampled_from(["1.2.3.4", "4.1.2.3", "[::1]"])
HOSTS = st.lists(st.none() | DOMAIN | NAME | ADDRESS, max_size=20)


@settings(deadline=None)
@given(
    hosts=HOSTS, lists=st.lists(st.lists(DOMAIN | ADDRESS, min_size=1, max_size=9), max_size=3), allow=st.lists(DOMAIN)
)
def test_marks_equal_a_walk_over_sets(hosts: list[str | None], lists: list[list[str]], allow: list[str]) -> None:
    """Nulls, repeats, several lists and an allow list, row by row."""
    compiled = [listed(*domains) for domains in lists]
    marks = mark_sources(pa.array(hosts, pa.string()), compiled, allow_list(allow))
    expected = [[slow(host, set(domains)) for host in hosts] for domains in lists]
    allowed = [slow(host, set(allow)) for host in hosts]
    assert [names(d, e) for d, e in zip(compiled, marks.entries, strict=True)] == expected
    assert names(marks.allow, marks.allowed) == allowed
    assert marks.allowed_entries(np.arange(len(hosts))).to_pylist() == allowed
    blocked = [allowed[row] is None and any(found[row] for found in expected) for row in range(len(hosts))]
    assert marks.blocked.tolist() == blocked


def test_host_on_two_lists_is_marked_by_both() -> None:
    """Each list speaks for itself, also where its entry is less specific."""
    lists = (listed("listed.com"), listed("other.org", "a.listed.com", name="second"))
    marks = mark_sources(pa.array(["a.listed.com", "listed.com", None, "a.listed.com"]), lists, None)
    assert marks.lists == lists
    assert names(lists[0], marks.entries[0]) == ["listed.com", "listed.com", None, "listed.com"]
    assert names(lists[1], marks.entries[1]) == ["a.listed.com", None, None, "a.listed.com"]
    assert marks.blocked.tolist() == [True, True, False, True]


def test_allow_entry_beats_every_list_and_hides_none() -> None:
    """What the lists said stays on record, and so does the entry that let the row in, even a parent's."""
    shadow = listed("a.listed.com", "b.org")
    marks = mark_sources(pa.array(["x.a.listed.com", "b.org", "c.listed.com"]), [shadow], allow_list(["listed.com"]))
    assert names(shadow, marks.entries[0]) == ["a.listed.com", "b.org", None]
    assert marks.allowed_entries(np.array([0, 1, 2])).to_pylist() == ["listed.com", None, "listed.com"]
    assert marks.allowed_entries(np.array([2])).to_pylist() == ["listed.com"]
    assert marks.blocked.tolist() == [False, True, False]


@pytest.mark.parametrize("hosts", [[], [None], [None, None, "a.com"]])
@pytest.mark.parametrize("allow", [None, allow_list([])])
def test_nothing_is_marked_without_lists(hosts: list[str | None], allow: DomainList | None) -> None:
    """The shapes and types are those of a batch with lists."""
    marks = mark_sources(pa.array(hosts, pa.string()), [], allow)
    assert (marks.entries, marks.allowed.tolist()) == ((), [-1] * len(hosts))
    assert (marks.allowed.dtype.name, marks.blocked.dtype.name, len(marks.blocked)) == ("int64", "bool", len(hosts))
    assert marks.allowed_entries(np.arange(len(hosts))).to_pylist() == [None] * len(hosts)


def test_slice_of_hosts_is_marked_from_its_own_rows() -> None:
    """Arrow slices share buffers with rows that are not theirs."""
    hosts = pa.array(["listed.com", "a.org", "b.listed.com", "c.org"])
    assert mark_sources(hosts[1:3], [listed("listed.com")], None).blocked.tolist() == [False, True]
