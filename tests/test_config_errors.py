"""What is said of a wrong config: every mistake at once, word for word."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from configs.policy import Signals
from tests.config_files import FILES, LIST_PATH, MEND, MINIMAL, NAME, NEAR, NEAR_KEYS, QUOTES, ROWS, TOP_KEYS, complaint

# Phrases that return; each stands in full in one golden text below or here.
CARRY = "would clash with our own column of that name; rename it in the crawl files"
DOMAIN = "expected a domain such as `example.org` or `*.github.io`, without scheme or path, got"
THRESHOLD = "`dedup.near.threshold`: expected a number, above 0 and at most 1, got"
SURVIVOR = (
    "`dedup.survivor`: expected `none` or `flag`, or a list, "
    "each entry `source_priority`, `longest`, `shortest`, `earliest`, `latest` or `url_shortest`, got"
)
SIZE = "expected a size in bytes, such as 33554432 or `32 MiB` or `64MB`, at least"
TWICE = "stands here more than once; each may stand once"
FORMATS = "`auto`, `domains`, `hosts`, `dnsmasq`, `adblock`, `ut1`, `url_prefixes` or `regex`"
SIGNAL_KEYS = f"known here: {', '.join(Signals.model_fields)}"
ALARM_KEYS = "known here: cluster_size, source_loss, source_records, removal_rate, fail_on"
PARTIAL = "`dedup.near`: `permutations` goes with both `bands` and `rows` or neither, not with"
OFF = "is turned off by null and can refuse nothing; give it a limit or take it out here"

Complain = Callable[..., str]


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """What `load` says of a config."""
    return partial(complaint, tmp_path)


def test_error_lists_all_mistakes_at_once(complain: Complain) -> None:
    """One letter names every mistake: key path, value given, what was expected."""
    text = """
        crawl: {name: 2024, files: [], format: wart, main_content: "no"}
        sources: {blocklists: [{name: a, path: x, format: urls}, {name: b}], allow: [no, "http://x.y/z"]}
        policy: {categories: {piracy: dorp}, signals: {noia: drop}}
        dedup:
          near: {treshold: 0.8, threshold: 1.5, rows: 0, ngram: 2.5}
          exact: off
          survivor: longest
        plan: {part_size: 1 KiB}
        threshold: 0.8
        run:
    """
    assert complain(text).splitlines() == [
        "demo.yaml: 19 mistakes",
        f"  `crawl.name`: expected text of letters, digits, `.`, `_` and `-`, got 2024; {QUOTES}",
        "  `crawl.files`: expected a list of at least one entry, each entry a path or glob, got []",
        "  `crawl.format`: expected `auto`, `warc`, `wet`, `jsonl` or `parquet`, got wart",
        "  `crawl.main_content`: expected true or false, got 'no'",
        f"  `sources.blocklists.0.format`: expected {FORMATS}, got urls",
        f"  `sources.blocklists.1.path` is missing; expected {LIST_PATH}",
        f"  `sources.allow.0`: {DOMAIN} false; {QUOTES}",
        f"  `sources.allow.1`: {DOMAIN} http://x.y/z",
        "  `policy.categories.piracy`: expected `keep`, `flag`, `quarantine` or `drop`, got dorp",
        f"  unknown key `policy.signals.noia`; did you mean `noai`? {SIGNAL_KEYS}",
        "  `dedup.exact`: expected an empty section `{}`, or null, got false",
        "  `dedup.near.threshold`: expected a number, above 0 and at most 1, got 1.5",
        "  `dedup.near.ngram`: expected a whole number, at least 1 and at most 64, got 2.5",
        "  `dedup.near.rows`: expected a whole number, at least 1 and at most 1000, got 0",
        f"  unknown key `dedup.near.treshold`; did you mean `threshold`? {NEAR_KEYS}",
        f"  {SURVIVOR} longest",
        f"  `plan.part_size`: {SIZE} 64 KiB, got 1 KiB",
        "  `run`: expected a section with `shuffle_memory`, `component_rounds`, got null",
        f"  unknown key `threshold`; did you mean `dedup.near.threshold`? {TOP_KEYS}",
    ]


# Unknown keys


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dedup: {near: {treshold: 1}}", f"`dedup.near.treshold`; did you mean `threshold`? {NEAR_KEYS}"),
        ("dedup: {near: {Rows: 1}}", f"`dedup.near.Rows`; did you mean `rows`? {NEAR_KEYS}"),
        (
            "dedup: {near: {num_permutations: 128}}",
            f"`dedup.near.num_permutations`; did you mean `permutations`? {NEAR_KEYS}",
        ),
        (
            "dedup: {near: {max_comparisons: 9}}",
            f"`dedup.near.max_comparisons`; did you mean `most_comparisons`? {NEAR_KEYS}",
        ),
        ("alarms: {fails_on: []}", f"`alarms.fails_on`; did you mean `fail_on`? {ALARM_KEYS}"),
        ("alarm: {}", f"`alarm`; did you mean `alarms`? {TOP_KEYS}"),
        ("plan: {rows: 1}", "`plan.rows`; did you mean `dedup.near.rows`? known here: part_size"),
        ("near: {}", f"`near`; did you mean `dedup.near`? {TOP_KEYS}"),
        ("source: {}", f"`source`; did you mean `sources`? {TOP_KEYS}"),
        ("category: a", f"`category`; did you mean `sources.blocklists[].category`? {TOP_KEYS}"),
        ("xyzzy: 1", f"`xyzzy`; {TOP_KEYS}"),
        ("dedup: {exact: {a: 1}}", "`dedup.exact.a`; known here: no keys"),
        ("a.b: 1", f"`a.b`; {TOP_KEYS}"),
        ("7: 1", f"`7`; {TOP_KEYS}"),
        ("plan: {on: 1}", "`plan.true`; known here: part_size"),
        ("plan: {null: 1}", "`plan.null`; known here: part_size"),
    ],
)
def test_unknown_key_is_answered_with_the_nearest_known_one(complain: Complain, text: str, sentence: str) -> None:
    """The nearest key of the same section by its name alone, one of another section by its whole path."""
    assert complain(MINIMAL + text) == f"demo.yaml: 1 mistake\n  unknown key {sentence}"


# Values


@pytest.mark.parametrize(
    ("crawl", "sentence"),
    [
        ("name: a b, files: [a]", f"{NAME} a b"),
        ("name: '', files: [a]", f"{NAME} ''"),
        ('name: "a\\n", files: [a]', f'{NAME} "a\\n"'),
        ("name: null, files: [a]", f"{NAME} null"),
        ("name: a, files: b.gz", f"{FILES} b.gz"),
        ("name: a, files: {b: 1}", f"{FILES} {{b: 1}}"),
        ("name: a, files: [b, '']", "`crawl.files.1`: expected a path or glob, got ''"),
        ("name: a, files: [3]", f"`crawl.files.0`: expected a path or glob, got 3; {QUOTES}"),
        ("name: a, files: [/b, /c/../b]", f"`crawl.files`: `/b` {TWICE}"),
        ("name: a, files: [b], root: ''", "`crawl.root`: expected a path, or null, got ''"),
        ("name: a, files: [b], columns: {text: null}", "`crawl.columns.text`: expected non-empty text, got null"),
        (
            "name: a, files: [b], columns: {id: 1}",
            f"`crawl.columns.id`: expected non-empty text, or null, got 1; {QUOTES}",
        ),
        ("name: a, files: [b], main_content: 1", "`crawl.main_content`: expected true or false, got 1"),
        ("name: a, files: [b], carry: [URL, own, band_07]", f"`crawl.carry`: `URL`, `band_07` {CARRY}"),
        ("name: a, files: [b], carry: [shingle_count]", f"`crawl.carry`: `shingle_count` {CARRY}"),
        ("name: a, files: [b], carry: [c, d, c, d]", f"`crawl.carry`: `c`, `d` {TWICE}"),
        (
            "name: a, files: [b], carry: [c], format: wet",
            "`crawl.carry`: files of format wet have no columns to carry; leave it out",
        ),
    ],
)
def test_wrong_crawl_is_answered_with_what_was_expected(complain: Complain, crawl: str, sentence: str) -> None:
    """Key path, the value as written, and what was expected, in plain words."""
    assert complain(f"crawl: {{{crawl}}}") == f"demo.yaml: 1 mistake\n  {sentence}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sources: {allow: ['a.*.org']}", f"`sources.allow.0`: {DOMAIN} a.*.org"),
        ("sources: {allow: [a.org/b]}", f"`sources.allow.0`: {DOMAIN} a.org/b"),
        ("sources: {allow: [a.org, b.org, a.org]}", f"`sources.allow`: `a.org` {TWICE}"),
        (
            "sources: {blocklists: [{name: a, path: b, category: c}, {name: a, path: d, category: e}]}",
            f"`sources.blocklists`: `a` {TWICE}",
        ),
        ("dedup: {survivor: [longest, longest]}", f"`dedup.survivor`: `longest` {TWICE}"),
        ("dedup: {survivor: null}", f"{SURVIVOR} null"),
        ("dedup: {survivor: None}", f"{SURVIVOR} None"),
        ("dedup: {survivor: [none]}", f"{SURVIVOR} [none]"),
        ("dedup: {survivor: [longest, [latest], 3]}", f"{SURVIVOR} [longest, [latest], 3]"),
        ("dedup: {survivor: {longest: 1}}", f"{SURVIVOR} {{longest: 1}}"),
        ("dedup: {overlap: keep}", "`dedup.overlap`: expected `old_stays`, `new_replaces` or `report`, got keep"),
        ("dedup: {against: old}", "`dedup.against`: expected a list, each entry a path, got old"),
        ("dedup: {against: [/a, /b/../a]}", f"`dedup.against`: `/a` {TWICE}"),
        (
            "dedup: {within: false}",
            (
                "`dedup.within`: false compares documents with those of `dedup.against` only, which names none; "
                "name a measured store or a dataset there, or leave out `within`"
            ),
        ),
        ("dedup: {within: false, against: [3]}", f"`dedup.against.0`: expected a path, got 3; {QUOTES}"),
        ("dedup: {near: {threshold: 0}}", f"{THRESHOLD} 0"),
        ("dedup: {near: {preset: slimpajama, threshold: 1.5}}", f"{THRESHOLD} 1.5"),
        (
            "dedup: {near: {preset: refinedweb}}",
            "`dedup.near.preset`: expected `fineweb`, `redpajama-v2` or `slimpajama`, or null, got refinedweb",
        ),
        (
            "dedup: {near: {permutations: 1001}}",
            "`dedup.near.permutations`: expected a whole number, at least 1 and at most 1000, or null, got 1001",
        ),
        (
            "dedup: {near: {permutations: 128, bands: 25, rows: 5}}",
            f"`dedup.near`: `bands` 25 x `rows` 5 = 125, but `permutations` is 128; {MEND}",
        ),
        ("dedup: {near: {permutations: 128, bands: 16}}", f"{PARTIAL} `bands` alone"),
        ("dedup: {near: {preset: fineweb, permutations: 112, rows: 8}}", f"{PARTIAL} `rows` alone"),
        ("dedup: {near: {verify: estimate}}", "`dedup.near.verify`: expected `jaccard` or `signature`, got estimate"),
        (
            "dedup: {near: {most_estimates: 0}}",
            "`dedup.near.most_estimates`: expected a whole number, at least 1, got 0",
        ),
        ("alarms: {cluster_size: 0}", "`alarms.cluster_size`: expected a whole number, at least 1, or null, got 0"),
        (
            "alarms: {source_loss: 90}",
            "`alarms.source_loss`: expected a number, at least 0 and at most 1, or null, got 90",
        ),
        (
            "alarms: {source_loss: 0.5, removal_rate: .nan}",
            "`alarms.removal_rate`: expected a number, at least 0 and at most 1, or null, got .nan",
        ),
        (
            "alarms: {fail_on: [source_records]}",
            ("`alarms.fail_on.0`: expected `cluster_size`, `source_loss` or `removal_rate`, got source_records"),
        ),
        (
            "alarms: {cluster_size: null, removal_rate: null, fail_on: [removal_rate, source_loss, cluster_size]}",
            f"`alarms.fail_on`: `removal_rate`, `cluster_size` {OFF}",
        ),
        (
            "alarms: {fail_on: [source_loss], source_loss: 2}",
            "`alarms.source_loss`: expected a number, at least 0 and at most 1, or null, got 2",
        ),
        (
            "alarms: null",
            (
                "`alarms`: expected a section with `cluster_size`, `source_loss`, `source_records`, "
                "`removal_rate`, `fail_on`, got null"
            ),
        ),
        (
            "run: {component_rounds: 0}",
            "`run.component_rounds`: expected a whole number, at least 1, got 0",
        ),
        ("dedup: {near: {threshold: .nan}}", f"{THRESHOLD} .nan"),
        ("dedup: {near: {threshold: true}}", f"{THRESHOLD} true"),
        ("dedup: {near: {rows: '5'}}", f"{ROWS} '5'"),
        ("dedup: {near: {rows: 1001}}", f"{ROWS} 1001"),
        (
            "dedup: {near: {bands: 1001}}",
            "`dedup.near.bands`: expected a whole number, at least 1 and at most 1000, got 1001",
        ),
        (
            "dedup: {near: off}",
            f"`dedup.near`: expected a section with {', '.join(f'`{name}`' for name in NEAR)}, or null, got false",
        ),
        ("dedup: {taint: Drop}", "`dedup.taint`: expected `drop`, `flag` or `ignore`, got Drop"),
        ("plan: [1]", "`plan`: expected a section with `part_size`, got [1]"),
        ("run: {shuffle_memory: 0}", f"`run.shuffle_memory`: {SIZE} 1, got 0"),
    ],
)
def test_wrong_value_is_answered_with_what_was_expected(complain: Complain, text: str, sentence: str) -> None:
    """The same beyond `crawl`."""
    assert complain(MINIMAL + text) == f"demo.yaml: 1 mistake\n  {sentence}"


@pytest.mark.parametrize(
    "size", ["1.5 MiB", "64 MiBs", "32 Mi", "-64 KiB", "1e9", "64KB", "\uff11\uff12\uff18 KiB", "true"]
)
def test_wrong_size_is_answered_with_examples(complain: Complain, size: str) -> None:
    """Only whole numbers, with B, kB to TB or KiB to TiB, of at least the minimum, are sizes."""
    sentence = f"`plan.part_size`: {SIZE} 64 KiB, got {size}"
    assert complain(MINIMAL + f"plan: {{part_size: {size}}}") == f"demo.yaml: 1 mistake\n  {sentence}"


def test_missing_section_is_answered_with_its_keys(complain: Complain) -> None:
    """A config without `crawl` says what belongs there."""
    keys = "`name`, `files`, `root`, `format`, `columns`, `carry`, `main_content`"
    assert complain("{}") == f"demo.yaml: 1 mistake\n  `crawl` is missing; expected a section with {keys}"


def test_long_value_is_cut_in_the_answer(complain: Complain) -> None:
    """A value takes at most 80 characters of its line."""
    text = f"crawl: {{name: {'x' * 200}!, files: [a]}}"
    assert complain(text) == f"demo.yaml: 1 mistake\n  {NAME} {'x' * 77}..."
