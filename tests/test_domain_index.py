"""Domains of a list: which hosts an entry covers, and which entry it is."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from tests.byte_columns import at_page_end
from tests.listed import numbered
from transforms.batches import strings
from transforms.decide.lists.index import DomainIndex
from transforms.decide.lists.public_suffixes import is_public_suffix
from transforms.kernels.domains import ITSELF, bucket_starts, hash_domains, match_suffixes

SUFFIXES = PublicSuffixList()


def build(*domains: str) -> DomainIndex:
    return DomainIndex.build(pa.array(domains, pa.large_string()), numbered(len(domains)))


def found(index: DomainIndex, *hosts: str | None) -> list[tuple[int, str] | None]:
    """Line and entry that cover each host."""
    numbers = index.match(pa.array(hosts, pa.string()))
    written = iter(index.written(numbers[numbers >= 0]).to_pylist())
    return [None if number < 0 else (index.lines[number].as_py(), next(written)) for number in numbers.tolist()]


def covered(host: str, *domains: str) -> str | None:
    (answer,) = found(build(*domains), host)
    return answer and answer[1]


def slow(host: str | None, domains: list[str]) -> tuple[int, str] | None:
    """Try every entry, and take the longest name, of equal ones the first line."""
    best = None
    for line, entry in enumerate(domains, 1):
        name = entry.removeprefix("*.")
        address = host is not None and (host.startswith("[") or host.split(".")[-1].isdigit())
        alone = address or (name == entry and SUFFIXES.publicsuffix(name) == name)
        covers = host == name or (host is not None and host.endswith(f".{name}") and not alone)
        if covers and (best is None or len(name) > len(best[1].removeprefix("*."))):
            best = line, entry
    return best


@pytest.mark.parametrize("host", ["listed.com", "a.listed.com", "a.b.c.listed.com", "-.listed.com", "..listed.com"])
def test_entry_covers_itself_and_its_subdomains(host: str) -> None:
    """However deep they are."""
    assert covered(host, "listed.com") == "listed.com"


@pytest.mark.parametrize(
    "host", ["notlisted.com", "listed.com.evil.org", "com", "listed.co", "isted.com", "listed.com.", ""]
)
def test_entry_covers_nothing_across_a_label_border(host: str) -> None:
    """Neither a longer label, nor a prefix, nor a parent."""
    assert covered(host, "listed.com") is None


def test_longest_entry_wins() -> None:
    """The most specific evidence is recorded, in whatever order the list has it."""
    domains = ("b.listed.com", "listed.com", "a.b.listed.com")
    assert [covered(f"{sub}listed.com", *domains) for sub in ("x.", "b.", "y.b.", "a.b.", "z.a.b.", "")] == [
        "listed.com", "b.listed.com", "b.listed.com", "a.b.listed.com", "a.b.listed.com", "listed.com"
    ]  # fmt: skip


def test_first_line_of_equal_entries_counts() -> None:
    """Repeats are no entries, with `*.` or without."""
    index = build("b.com", "a.com", "*.a.com", "a.com", "*.b.com")
    assert found(index, "x.a.com", "b.com") == [(2, "a.com"), (1, "b.com")]
    assert len(index) == 2


@pytest.mark.parametrize(
    ("host", "entry"),
    [("192.0.2.1", "192.0.2.1"), ("9.192.0.2.1", None), ("[2001:db8::1]", "[2001:db8::1]"), ("[::1]", None)],
)
def test_address_is_covered_by_itself_alone(host: str, entry: str | None) -> None:
    """The dots of an address are no label borders."""
    assert covered(host, "192.0.2.1", "[2001:db8::1]") == entry


def test_host_whose_last_label_ends_in_a_digit_has_parents() -> None:
    """Punycode may end in a digit; only a label of nothing but digits makes an address."""
    assert covered("a.b.xn--90a3", "b.xn--90a3") == "b.xn--90a3"


# Public suffixes


@pytest.mark.parametrize("suffix", ["github.io", "co.uk", "com", "blogspot.com", "xn--p1ai", "foo.ck", "localhost"])
def test_public_suffix_covers_the_host_of_that_name_alone(suffix: str) -> None:
    """Of the private section as of that of ICANN; who names a host of many does not mean all of them."""
    assert covered(suffix, suffix) == suffix
    assert covered(f"user.{suffix}", suffix) is None
    assert covered(f"user.{suffix}", f"user.{suffix}") == f"user.{suffix}"


@pytest.mark.parametrize("suffix", ["github.io", "co.uk", "com"])
def test_public_suffix_with_a_star_covers_all_under_it(suffix: str) -> None:
    """That is how a list says so, and what it wrote is what is cited."""
    assert covered(f"a.user.{suffix}", f"*.{suffix}") == f"*.{suffix}"
    assert covered(suffix, f"*.{suffix}") == f"*.{suffix}"


def test_public_suffix_may_stand_in_both_forms() -> None:
    """For the host itself the first line counts; for all under it the one with the star."""
    both = build("github.io", "*.github.io", "github.io")
    assert found(both, "github.io", "user.github.io") == [(1, "github.io"), (2, "*.github.io")]
    turned = build("*.github.io", "github.io")
    assert found(turned, "github.io", "user.github.io") == [(1, "*.github.io")] * 2
    assert (len(both), len(turned)) == (2, 1)


def test_registered_domain_under_an_exception_of_the_suffix_list_has_subdomains() -> None:
    """`*.ck` makes every name under it a suffix, but for `www.ck`."""
    assert covered("a.www.ck", "www.ck") == "www.ck"


def test_index_tells_which_entries_are_public_suffixes() -> None:
    """In the order of their lines; not those with a star, and no addresses."""
    index = build("github.io", "a.com", "*.gitlab.io", "co.uk", "192.0.2.1", "[::1]", "com")
    assert index.suffixes().to_pylist() == ["github.io", "co.uk", "com"]


LABEL = st.sampled_from(["a", "b", "ab", "xn--a", "1", "www", "foo", "city", "kobe"])
TOP = st.sampled_from(["com", "co.uk", "ck", "jp", "kobe.jp", "github.io", "nosuchtld", "compute.amazonaws.com"])
DOMAIN = st.builds(".".join, st.tuples(LABEL, TOP) | st.tuples(LABEL, LABEL, TOP) | st.tuples(TOP))
ADDRESS = st.sampled_from(["1.2.3.4", "4.1.2.3", "[::1]"])


@settings(deadline=None)
@given(st.lists(DOMAIN | LABEL, max_size=20))
def test_public_suffixes_are_those_of_the_library(domains: list[str]) -> None:
    """Wildcard rules, exceptions and unknown top-level domains too."""
    expected = [SUFFIXES.publicsuffix(domain) == domain for domain in domains]
    assert is_public_suffix(pa.array(domains, pa.large_string())).tolist() == expected


def test_every_rule_of_the_suffix_list_is_known() -> None:
    """Each with a label before it and without: names in Unicode count in punycode."""
    rules = [rule.lstrip("*.!") for rule in SUFFIXES._publicsuffix if rule.isascii()]
    names = sorted({name for rule in rules for name in (rule, f"x.{rule}")})
    expected = [SUFFIXES.publicsuffix(name) == name for name in names]
    assert is_public_suffix(pa.array(names, pa.large_string())).tolist() == expected
    assert len(names) > 15_000


# The index


@settings(deadline=None)
@given(
    hosts=st.lists(st.none() | DOMAIN | ADDRESS, max_size=20),
    domains=st.lists(DOMAIN | ADDRESS | DOMAIN.map("*.{}".format), max_size=9),
)
def test_matches_equal_a_try_of_every_entry(hosts: list[str | None], domains: list[str]) -> None:
    """Nulls, repeats, stars, suffixes and addresses, host by host."""
    answers = found(build(*domains), *hosts)
    assert answers == [slow(host, domains) for host in hosts]


@settings(deadline=None)
@given(hosts=st.lists(DOMAIN | ADDRESS), domains=st.lists(DOMAIN, min_size=1, max_size=9))
def test_parents_are_the_longest_entries_above_a_host(hosts: list[str], domains: list[str]) -> None:
    """The host itself is left out, and addresses have none."""
    index = build(*(f"*.{domain}" for domain in domains))
    numbers = index.match(pa.array(hosts, pa.string()), parents=True)
    names = [None if number < 0 else index.entries[number].as_py() for number in numbers.tolist()]
    above = [[name for name in domains if host.endswith(f".{name}")] for host in hosts]
    assert names == [max(set(names_above), key=len, default=None) for names_above in above]


def test_no_entry_matches_by_its_hash_alone() -> None:
    """Where names share a hash, the bytes decide, and of equal entries the first that covers the host counts."""
    host = strings(pa.array(["a.com", "b.a.com"]))
    hashes = np.array([hash_domains(*host)[0]] * 4, np.uint64)

    def search(entries: list[str], *scopes: int) -> list[int]:
        index = (*strings(pa.array(entries)), hashes, bucket_starts(hashes), np.array(scopes, np.uint8))
        return match_suffixes(*host, *index).tolist()

    assert search(["x.com", "a.com", "y.com", "a.com"], 0, 0, 0, 0) == [1, 1]
    assert search(["x.com", "a.com", "y.com", "a.com"], 0, int(ITSELF), 0, 0) == [1, 3]
    assert search(["x.com", "aa.com", ".com", ""], 0, 0, 0, 0) == [-1, -1]


def test_matching_reads_no_byte_beyond_its_hosts() -> None:
    """Hosts that begin and end where memory does."""
    index = build("listed.com")
    arrays = [np.asarray(array) for array in (index.hashes, index.starts, index.scopes)]
    hosts = at_page_end([b"a.listed.com", b"", b".", b"listed.com"])
    assert match_suffixes(*hosts, *strings(index.entries), *arrays).tolist() == [0, -1, -1, 0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_index_takes_strings_of_either_kind_and_slices(kind: pa.DataType) -> None:
    """Arrow slices share buffers with rows that are not theirs."""
    index = DomainIndex.build(pa.array(["x.com", "b.com", "c.com"], kind)[1:], [7, 9])
    assert index.match(pa.array(["x.com", "b.com", "x.c.com"], kind)[1:]).tolist() == [
        index.entries.to_pylist().index(name) for name in ("b.com", "c.com")
    ]
    assert sorted(index.lines.to_pylist()) == [7, 9]


def test_empty_index_covers_nothing() -> None:
    """It can be asked all the same."""
    assert found(build(), "a.com", None) == [None, None]
    assert build().suffixes().to_pylist() == []


def test_index_survives_pickling() -> None:
    """As part of what workers are sent."""
    index = pickle.loads(pickle.dumps(build("a.com")))
    assert found(index, "x.a.com") == [(1, "a.com")]
