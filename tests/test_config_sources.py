"""`sources` and `policy`: which lists there may be, what they are called, and what follows from what they say."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.load import load
from configs.policy import Action, Policy, Signals
from configs.shipped import SHIPPED, shipped_path
from configs.sources import Allowlist, Blocklist, Markers, Publishers, Sources
from schemas.reasons import RULES
from tests.config_files import LIST_PATH, MINIMAL, QUOTES, complaint, write_config

Complain = Callable[[str], str]

FROM = "what does: " + ", ".join(f"`shipped:{name}`" for name in SHIPPED)
ACTIONS = "expected `keep`, `flag`, `quarantine` or `drop`, got"
KEY = "`policy.categories`: a key is non-empty text, got"


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """What is said of the one mistake in a config."""
    return lambda text: complaint(tmp_path, MINIMAL + text).removeprefix("demo.yaml: 1 mistake\n  ")


# Lists


def test_lists_of_every_kind_are_read(tmp_path: Path) -> None:
    """Each kind has its keys; formats that hold folders need no category; paths are absolute or shipped."""
    text = """
sources:
  blocklists:
    - {name: shadow, path: "shipped:blocklists/shadow_libraries.txt", category: piracy}
    - {name: toulouse, path: ut1.tar.gz, format: ut1, only: [warez, phishing]}
    - {name: found, path: ut1}
  allow: [archive.org, "*.github.io"]
  allowlists: [{name: ours, path: "gs://lists/ours.txt", format: domains}]
  markers: [{name: stamps, path: stamps.txt, category: pirated_text}]
  publishers: [{name: textbooks, path: "shipped:publishers/textbooks.txt"}]
  register: register.yaml
"""
    assert load(write_config(tmp_path, MINIMAL + text)).sources == Sources(
        blocklists=(
            Blocklist(name="shadow", path="shipped:blocklists/shadow_libraries.txt", format="auto", category="piracy"),
            Blocklist(name="toulouse", path=f"{tmp_path}/ut1.tar.gz", format="ut1", only=("warez", "phishing")),
            Blocklist(name="found", path=f"{tmp_path}/ut1", format="auto", category=None, only=()),
        ),
        allow=("archive.org", "*.github.io"),
        allowlists=(Allowlist(name="ours", path="gs://lists/ours.txt", format="domains"),),
        markers=(Markers(name="stamps", path=f"{tmp_path}/stamps.txt", category="pirated_text"),),
        publishers=(Publishers(name="textbooks", path="shipped:publishers/textbooks.txt"),),
        register=f"{tmp_path}/register.yaml",
    )


def test_lists_come_one_after_the_other_with_their_kind() -> None:
    """In the order of the keys, and inside a key in that of the config."""
    sources = Sources(
        publishers=(Publishers(name="p", path="p"),),
        blocklists=(Blocklist(name="b", path="b", category="c"), Blocklist(name="a", path="a", category="c")),
        allowlists=(Allowlist(name="w", path="w"),),
    )
    assert [(kind, listed.name) for kind, listed in sources.all_lists()] == [
        ("blocklists", "b"),
        ("blocklists", "a"),
        ("allowlists", "w"),
        ("publishers", "p"),
    ]


@pytest.mark.parametrize("form", ["domains", "hosts", "dnsmasq", "adblock", "url_prefixes", "regex"])
def test_blocklist_without_folders_needs_a_category_and_has_none_to_choose(complain: Complain, form: str) -> None:
    """Only the folders of a UT1 list say themselves what they are."""
    assert complain(f"sources: {{blocklists: [{{name: a, path: b, format: {form}}}]}}") == (
        f"`sources.blocklists.0.category`: a list of format {form} names no category of its own; "
        "say one, such as `piracy`"
    )
    entry = f"{{name: a, path: b, format: {form}, category: c, only: [warez]}}"
    assert complain(f"sources: {{blocklists: [{entry}]}}") == (
        f"`sources.blocklists.0.only`: a list of format {form} has no folders to choose from; leave it out"
    )


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        (
            "markers: [{name: x, path: a, category: c}], publishers: [{name: x, path: b}]",
            "`sources`: `x` in `publishers` is a name in `markers` already; give each list its own",
        ),
        (
            "blocklists: [{name: allow, path: a}]",
            "`sources`: `allow` in `blocklists` is a name in `allow` already; give each list its own",
        ),
        (
            "publishers: [{name: 'register:', path: a}]",
            "`sources`: `register:` in `publishers` is a name in `register` already; give each list its own",
        ),
        (
            "allowlists: [{name: x, path: a}, {name: x, path: b}]",
            "`sources.allowlists`: `x` stands here more than once; each may stand once",
        ),
        (
            "blocklists: [{name: x, path: 'shipped:blocklists/shadow.txt'}]",
            f"`sources.blocklists.0.path`: `shipped:blocklists/shadow.txt` does not come with cleartitle; {FROM}",
        ),
        (
            "markers: [{name: x, path: 'shipped:../secrets.txt', category: c}]",
            f"`sources.markers.0.path`: `shipped:../secrets.txt` does not come with cleartitle; {FROM}",
        ),
        (
            "allowlists: [{name: x, path: ''}]",
            f"`sources.allowlists.0.path`: expected {LIST_PATH}, got ''",
        ),
        ("register: 3", f"`sources.register`: expected a path, or null, got 3; {QUOTES}"),
        ("markers: [{name: x, path: y}]", "`sources.markers.0.category` is missing; expected non-empty text"),
    ],
)
def test_wrong_list_is_answered_with_what_is_wrong(complain: Complain, sources: str, sentence: str) -> None:
    """Names that repeat, files that are not shipped, keys that are missing."""
    assert complain(f"sources: {{{sources}}}") == sentence


# Shipped files


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_file_lies_where_its_path_says(name: str) -> None:
    """The path is that of a file with something in it."""
    assert Path(shipped_path(f"shipped:{name}")).read_text("utf-8").startswith("# ")


@pytest.mark.parametrize("path", ["/data/list.txt", "gs://lists/a.txt", "blocklists/shadow_libraries.txt"])
def test_path_that_is_not_shipped_is_left_alone(path: str) -> None:
    """Only the prefix makes a path one of ours."""
    assert shipped_path(path) == path


def test_every_shipped_file_is_installed() -> None:
    """What lies in a folder under configs/ is package data, so that a worker has it."""
    setup = (Path(__file__).parents[1] / "setup.py").read_text()
    folders = {name.split("/")[0]: name.rsplit(".", 1)[1] for name in SHIPPED}
    assert [folder for folder, suffix in folders.items() if f'"{folder}/*.{suffix}"' not in setup] == []
    assert '"presets/*.yaml"' in setup


# Policy


def test_every_rule_on_signals_has_its_action() -> None:
    """The keys of `policy.signals` are rules, in the order in which they are applied."""
    rules = list(RULES)
    assert list(Signals.model_fields) == rules[rules.index("pirated_marker") : rules.index("unlicensed") + 1]


@given(st.dictionaries(st.sampled_from(["piracy", "news", "x"]), st.sampled_from(["keep", "flag", "quarantine"])))
def test_category_that_is_not_named_is_dropped_and_a_marker_follows_its_rule(categories: dict[str, Action]) -> None:
    """A named category says what happens in both cases."""
    policy = Policy(categories=categories, signals=Signals(pirated_marker="quarantine"))
    for name in ("piracy", "news", "x", "y"):
        assert policy.category(name) == categories.get(name, "drop")
        assert policy.marker(name) == categories.get(name, "quarantine")


def test_action_of_a_rule_is_that_of_its_key() -> None:
    """A rule without a key has no action."""
    policy = Policy(signals=Signals(noai="drop"))
    assert (policy.action("noai"), policy.action("isbn"), policy.action("pirated_marker")) == ("drop", "keep", "flag")
    with pytest.raises(AttributeError, match="same_url"):
        policy.action("same_url")


@pytest.mark.parametrize(
    ("licence", "is_open"),
    [
        ("CC-BY", True),
        ("CC-BY-4.0", True),
        ("CC-BY-3.0-DE", True),
        ("cc-by-sa-4.0", True),
        ("CC-BY-NC-4.0", False),
        ("CC-BY-ND-4.0", False),
        ("CC-BY-NC-SA-3.0", False),
        ("CC0-1.0", True),
        ("CC0-1.0-x", False),
        ("MIT", True),
        ("MITNFA", False),
        ("MIT-advertising", False),
        ("BSD-3-Clause", True),
        ("BSD-4-Clause", False),
        ("OGL-UK-3.0", True),
        ("public-domain", True),
        ("All rights reserved", False),
        ("", False),
        ("CC-BY\n", False),
    ],
)
def test_licence_is_open_if_it_is_named_or_a_version_of_one_that_is(licence: str, is_open: bool) -> None:
    """A version begins with a digit, so that conditions are not taken for one."""
    assert Policy().is_open(licence) == is_open


def test_no_licence_is_open_where_none_is_named() -> None:
    """The list is the user's."""
    assert not Policy(open_licences=()).is_open("CC0-1.0")
    gpl = Policy(open_licences=("GPL-3.0-only",))
    assert [gpl.is_open(name) for name in ("GPL-3.0-only", "GPL-3.0-or-later", "GPL")] == [True, False, False]


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ("categories: {piracy: ignore}", f"`policy.categories.piracy`: {ACTIONS} ignore"),
        ("categories: {a.b: 3}", f"`policy.categories.a.b`: {ACTIONS} 3"),
        ("categories: {3: drop}", f"{KEY} 3; {QUOTES}"),
        ("categories: {no: drop}", f"{KEY} false; {QUOTES}"),
        ("categories: {'': drop}", f"{KEY} ''"),
        (
            "categories: [piracy]",
            "`policy.categories`: expected a section of any keys, each with `keep`, `flag`, `quarantine` or `drop`,",
        ),
        ("signals: {noai: off}", f"`policy.signals.noai`: {ACTIONS} false"),
        ("signals: {blocklist: keep}", "unknown key `policy.signals.blocklist`; did you mean `sources.blocklists`? "),
        ("agents: [a, A]", "`policy.agents`: `a` stands here more than once; each may stand once"),
        (
            "agents: ['ccbot: noai']",
            "`policy.agents.0`: expected the name of a crawler, such as `ccbot`, got 'ccbot: noai'",
        ),
        ("open_licences: CC-BY", "`policy.open_licences`: expected a list, each entry non-empty text, got CC-BY"),
    ],
)
def test_wrong_policy_is_answered_with_what_was_expected(complain: Complain, policy: str, sentence: str) -> None:
    """Actions, keys and names are checked where they stand."""
    assert complain(f"policy: {{{policy}}}").startswith(sentence)


def test_agents_are_told_apart_without_case(tmp_path: Path) -> None:
    """The names of crawlers are in lower case once they are read."""
    write = partial(write_config, tmp_path)
    assert load(write(MINIMAL + "policy: {agents: [CCBot, GPTBot]}")).policy.agents == ("ccbot", "gptbot")
