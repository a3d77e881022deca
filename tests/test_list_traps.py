"""Lines made to take for ever: in every format, a line of the greatest length is read in no time."""

import time

import pytest

from tests.list_reading import read
from tests.test_list_adblock import blocked
from transforms.decide.lists.dnsmasq import DNSMASQ
from transforms.decide.lists.domains import DOMAINS
from transforms.decide.lists.expressions import EXPRESSIONS, POSIX_EXPRESSIONS
from transforms.decide.lists.hosts import HOSTS
from transforms.decide.lists.url_prefixes import URL_PREFIXES

SYNTAXES = {
    "domains": DOMAINS,
    "hosts": HOSTS,
    "dnsmasq": DNSMASQ,
    "url_prefixes": URL_PREFIXES,
    "regex": EXPRESSIONS,
    "posix": POSIX_EXPRESSIONS,
}
TRAPS = [
    "a{}!".format(" " * 60_000),
    "a{}!".format(" @x" * 20_000),
    "regexp:{}".format("[" * 60_000),
    "regexp:{}x".format("[[:digit:]" * 6_000),
    "regexp:{}".format("(a+)+" * 10_000),
    "{}b".format("\\" * 60_000),
    "{}!".format("a." * 30_000),
    "{}".format("ü一丁" * 10_000),
    "{}.example".format("".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))),
    "{}!".format(":1" * 30_000),
    ":{}x".format("1" * 60_000),
    "/{}".format("/$a" * 20_000),
    "||a.example^{}!".format("$a" * 30_000),
    "||a.example^${}!".format("a" * 60_000),
    "||a.example^${}!".format("doc," * 15_000),
    "a{}!".format("*^" * 5_000),
    "0.0.0.0 {}".format("a.example " * 6_000),
    "server={}".format("/a.example" * 6_000),
    "{}x".format("#@" * 30_000),
    "a.example/{}".format("../" * 20_000),
    "a.example/{}x".format("*" * 60_000),
]


@pytest.mark.parametrize("trap", TRAPS, ids=[trap[:12] for trap in TRAPS])
@pytest.mark.parametrize("format_", [*SYNTAXES, "adblock"])
def test_line_made_to_take_for_ever_is_read_at_once(format_: str, trap: str) -> None:
    """None of the expressions that read lists goes back over a line again and again."""
    began = time.process_time()
    found = blocked(trap) if format_ == "adblock" else read(trap, SYNTAXES[format_])
    assert time.process_time() - began < 2
    entries = len(found.domains) + len(found.prefixes) + len(found.patterns)
    assert entries or found.ignored_count or found.unsupported or trap.lstrip().startswith("#")
