"""Hosts files and configurations of dnsmasq: what they say of domains, and what they say of the machine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.list_reading import BLOCKLISTS, domains, read, says
from transforms.decide.lists.dnsmasq import DNSMASQ
from transforms.decide.lists.domains import DOMAINS
from transforms.decide.lists.gather_entries import Syntax
from transforms.decide.lists.hosts import HOSTS

HEAD = """\
# the machine itself, as hosts files begin
127.0.0.1       localhost localhost.localdomain
127.0.0.1\tLOCAL
255.255.255.255 broadcasthost
::1             localhost ip6-localhost ip6-loopback
fe80::1%lo0     localhost
ff00::0         ip6-localnet
ff02::1         ip6-allnodes
ff02::2         ip6-allrouters
0.0.0.0         0.0.0.0
127.0.0.1       127.0.0.1
:: ::
"""


@pytest.mark.parametrize(
    ("line", "entries"),
    [
        ("0.0.0.0 a.example", ["a.example"]),
        ("127.0.0.1\ta.example", ["a.example"]),
        ("  0.0.0.0 \t a.example \t", ["a.example"]),
        ("::1 a.example", ["a.example"]),
        (":: a.example", ["a.example"]),
        ("192.0.2.7 a.example", ["a.example"]),
        ("2001:db8::7 a.example", ["a.example"]),
        ("0.0.0.0 a.example b.example c.example", ["a.example", "b.example", "c.example"]),
        ("0.0.0.0 a.example # b.example", ["a.example"]),
        ("0.0.0.0 a.example#b.example", ["a.example"]),
        ("0.0.0.0 A.Example.", ["a.example"]),
        ("0.0.0.0 007-dvd.example", ["007-dvd.example"]),
        ("0.0.0.0 0.a.example", ["0.a.example"]),
        ("0.0.0.0 bücher.example", ["xn--bcher-kva.example"]),
        ("0.0.0.0 XN--BCHER-KVA.example", ["xn--bcher-kva.example"]),
        ("0.0.0.0 198.51.100.9", ["198.51.100.9"]),
        ("0.0.0.0 2001:db8::9", ["[2001:db8::9]"]),
        ("127.0.0.1 localhost a.example ip6-localhost", ["a.example"]),
        ("127.0.0.1 localhost.localdomain", []),
        ("127.0.0.1 my.localdomain", ["my.localdomain"]),
        ("0.0.0.0 IP6-mine", []),
    ],
)
def test_hosts_line_names_domains(line: str, entries: list[str]) -> None:
    """One or several, behind any address; names of the machine itself are no entries, and no mistakes either."""
    assert says(line, HOSTS) == (entries, [], [])


def test_hosts_file_begins_with_the_machine_itself() -> None:
    """Nothing of it is an entry, and nothing is ignored."""
    assert says(HEAD, HOSTS) == ([], [], [])


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a.example", "a.example"),
        ("0.0.0.0", "0.0.0.0"),
        ("0.0.0 a.example", "0.0.0 a.example"),
        ("localhost 127.0.0.1", "localhost 127.0.0.1"),
        ("0.0.0.0 intranet", "0.0.0.0 intranet (intranet is no domain)"),
        ("0.0.0.0 http://a.example/", "0.0.0.0 http://a.example/ (http://a.example/ is no domain)"),
        ("0.0.0.0 a..b x", "0.0.0.0 a..b x (a..b is no domain)"),
        ("! title", "! title"),
        ("||a.example^", "||a.example^"),
    ],
)
def test_line_that_is_not_of_a_hosts_file_is_ignored(line: str, shown: str) -> None:
    """It is one line, however much of it is wrong."""
    found = read(f"0.0.0.0 good.example\n{line}\n", HOSTS)
    assert (domains(found), found.ignored, found.ignored_count) == ([(1, "good.example")], ((2, shown),), 1)


def test_good_names_beside_a_wrong_one_are_taken() -> None:
    """And the line is told."""
    found = read("0.0.0.0 a.example intranet b.example\n", HOSTS)
    assert domains(found) == [(1, "a.example"), (1, "b.example")]
    assert found.ignored == ((1, "0.0.0.0 a.example intranet b.example (intranet is no domain)"),)


@pytest.mark.parametrize(
    ("line", "entries"),
    [
        ("server=/a.example/", ["a.example"]),
        ("local=/a.example/", ["a.example"]),
        ("address=/a.example/", ["a.example"]),
        ("address=/a.example/0.0.0.0", ["a.example"]),
        ("address=/a.example/::", ["a.example"]),
        ("address=/a.example/#", ["a.example"]),
        ("address=/A.Example./127.0.0.1 # comment", ["a.example"]),
        ("address=/.a.example/0.0.0.0", ["*.a.example"]),
        ("address=/*.a.example/0.0.0.0", ["*.a.example"]),
        ("server=/a.example/b.example/", ["a.example", "b.example"]),
        ("address=/a.example/.b.example/0.0.0.0", ["a.example", "*.b.example"]),
        (" server = /a.example/ ", ["a.example"]),
        ("server=/bücher.example/", ["xn--bcher-kva.example"]),
        ("server=/xn--bcher-kva.example/", ["xn--bcher-kva.example"]),
        ("  # server=/a.example/", []),
        ("#", []),
    ],
)
def test_dnsmasq_line_names_domains(line: str, entries: list[str]) -> None:
    """Those for which the DNS is not asked any more."""
    assert says(line, DNSMASQ) == (entries, [], [])


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("server=/a.example/192.0.2.53", "server= with an upstream"),
        ("server=/a.example/#", "server= with an upstream"),
        ("local=/a.example/192.0.2.53", "local= with an upstream"),
        ("server=192.0.2.53", "server= without a domain"),
        ("address=/a.example", "address= without a domain"),
        ("conf-file=/etc/more.conf", "option conf-file"),
        ("domain-needed", "option domain-needed"),
        ("ipset=/a.example/set", "option ipset"),
    ],
)
def test_rest_of_dnsmasq_is_counted_by_name(line: str, kind: str) -> None:
    """A domain that is only asked for elsewhere is not blocked."""
    found = read(f"{line}\n{line} # again\n", DNSMASQ)
    assert (found.unsupported, domains(found), found.ignored) == ({kind: 2}, [], ())


@pytest.mark.parametrize("line", ["a.example", "0.0.0.0 a.example", "server=/intranet/", "address=/#/0.0.0.0", "=x"])
def test_line_that_names_no_domain_is_ignored_by_dnsmasq(line: str) -> None:
    """Every name, which dnsmasq writes `#`, is no domain either."""
    found = read(line, DNSMASQ)
    assert (domains(found), found.ignored, found.unsupported) == ([], ((1, line),), {})


NAMES = st.sampled_from(["a.com", "B.Com", "xn--x.com", "x", "localhost.localdomain", "ip6-a.com", "1.2.3.4", "ü.de."])
HOSTS_LINE = st.builds(
    "{}{}{}{}".format, st.sampled_from(["0.0.0.0", "127.0.0.1", "::", "::1", "1.2.3", ""]), st.sampled_from(" \t"),
    NAMES, st.sampled_from(["", " ", " b.de", "."]),
)  # fmt: skip
DNSMASQ_LINE = st.builds(
    "{}=/{}{}/{}".format, st.sampled_from(["server", "local", "address", "ipset"]), st.sampled_from(["", ".", "*."]),
    NAMES, st.sampled_from(["", "b.de/", "0.0.0.0", "::", "#", "x"]),
)  # fmt: skip


@pytest.mark.parametrize(("syntax", "line"), [(HOSTS, HOSTS_LINE), (DNSMASQ, DNSMASQ_LINE)], ids=["hosts", "dnsmasq"])
@settings(deadline=None)
@given(data=st.data())
def test_columns_of_lines_equal_lines_read_one_by_one(
    syntax: Syntax, line: st.SearchStrategy[str], data: st.DataObject
) -> None:
    """The fast way for plain lines is no other rule: with a comment behind it, every line takes the slow one."""
    lines = data.draw(st.lists(line, max_size=8))
    fast, slow = (read("\n".join(line + sign for line in lines), syntax) for sign in ("", " #"))
    assert domains(fast) == domains(slow)
    assert (fast.ignored, fast.unsupported) == (slow.ignored, slow.unsupported)


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "syntax"),
    [
        ("scam.txt", HOSTS),
        ("dnsmasq-version_scam-dnsmasq.txt", DNSMASQ),
        ("alt-version_scam-nl.txt", DOMAINS),
    ],
)
def test_formats_of_one_list_name_the_same_domains(path: str, syntax: Syntax) -> None:
    """3,987 of them, in the order of the lines, as a plain cutting of the lines gives them."""
    text = (BLOCKLISTS / "blocklistproject" / path).read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    expected = [line.removeprefix("0.0.0.0 ").removeprefix("server=/").removesuffix("/") for line in lines]
    found = read(text, syntax)
    plain = read((BLOCKLISTS / "blocklistproject" / "alt-version_scam-nl.txt").read_bytes(), DOMAINS)
    assert found.domains.to_pylist() == expected == plain.domains.to_pylist()
    assert (len(expected), found.ignored_count, found.unsupported) == (3987, 0, {})
