"""`preset`: what a set of answers puts beneath a config, and what it leaves to it."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import configs
from configs.load import load, show
from configs.model import Config, Crawl, Dedup, digest
from configs.policy import Policy, Signals
from configs.preset import Preset, put_beneath
from configs.reference import SHORTEST
from configs.sources import REGISTER, Blocklist, Markers, Publishers, Sources
from tests.config_data import config_data
from tests.config_files import LIST_PATH, MINIMAL, QUOTES, complaint, write_config

Write = Callable[[str], str]
Complain = Callable[..., str]

PRESETS = get_args(Preset)
SHADOW = Blocklist(
    name="shadow-libraries", path="shipped:blocklists/shadow_libraries.txt", format="domains", category="piracy"
)
SHIPPED_LISTS = Sources(
    blocklists=(SHADOW,),
    markers=(
        Markers(name="pirated-texts", path="shipped:markers/pirated_texts.txt", category="pirated_text"),
        Markers(name="converter-stamps", path="shipped:markers/converter_stamps.txt", category="converter_stamp"),
    ),
    publishers=(Publishers(name="textbooks", path="shipped:publishers/textbooks.txt"),),
)
RESERVATIONS = ("tdm_reservation", "noai", "noimageai", "noindex")
SIGNAL_KEYS = ", ".join(f"`{name}`" for name in Signals.model_fields)
NOTICES = ("copyright_notice", "rights_reserved", "publisher_isbn", "licence")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and returns its path."""
    return partial(write_config, tmp_path)


def signals(*, pirated: str, reserved: str, noticed: str, unlicensed: str) -> Signals:
    """Actions by what the rules are about; mere numbers are kept by all presets."""
    return Signals.model_validate(
        {
            "pirated_marker": pirated,
            **dict.fromkeys(RESERVATIONS, reserved),
            **dict.fromkeys(NOTICES, noticed),
            "unlicensed": unlicensed,
        }
    )


@pytest.mark.parametrize(
    ("preset", "policy", "taint"),
    [
        (
            "permissive",
            Policy(
                categories={"piracy": "drop", "pirated_text": "flag", "converter_stamp": "flag"},
                signals=signals(pirated="flag", reserved="flag", noticed="flag", unlicensed="keep"),
            ),
            "flag",
        ),
        (
            "cautious",
            Policy(
                categories={"piracy": "drop", "pirated_text": "drop", "converter_stamp": "flag"},
                signals=signals(pirated="drop", reserved="drop", noticed="flag", unlicensed="keep"),
            ),
            "drop",
        ),
        (
            "licensed-only",
            Policy(
                categories={"piracy": "drop", "pirated_text": "drop", "converter_stamp": "flag"},
                signals=signals(pirated="drop", reserved="drop", noticed="flag", unlicensed="drop"),
            ),
            "drop",
        ),
    ],
)
def test_preset_means_what_its_name_says(write: Write, preset: Preset, policy: Policy, taint: Any) -> None:
    """All presets look for the same things; they differ in what follows. Nothing else of a config changes."""
    assert load(write(MINIMAL + f"preset: {preset}")) == load(write(MINIMAL)).model_copy(
        update={"preset": preset, "sources": SHIPPED_LISTS, "policy": policy, "dedup": Dedup(taint=taint)}
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_explains_itself(preset: Preset) -> None:
    """The file of each preset begins with what it is."""
    text = (Path(configs.__path__[0]) / "presets" / f"{preset}.yaml").read_text("utf-8")
    assert text.startswith(f"# {preset}: ")


def test_every_preset_has_its_file() -> None:
    """The names and the files are the same."""
    files = (Path(configs.__path__[0]) / "presets").glob("*")
    assert sorted(path.name for path in files) == sorted(f"{preset}.yaml" for preset in PRESETS)


# Merging


def test_config_beats_its_preset_key_by_key(write: Write) -> None:
    """A key that is given counts, its neighbours stay those of the preset."""
    text = "preset: cautious\npolicy: {categories: {piracy: flag, news: keep}, signals: {noai: quarantine}}\n"
    config = load(write(MINIMAL + text + "dedup: {taint: ignore, near: null}"))
    assert config.policy.categories == {
        "piracy": "flag",
        "pirated_text": "drop",
        "converter_stamp": "flag",
        "news": "keep",
    }
    assert (config.policy.signals.noai, config.policy.signals.noimageai) == ("quarantine", "drop")
    assert (config.dedup.taint, config.dedup.near) == ("ignore", None)
    assert config.sources == SHIPPED_LISTS


def test_lists_are_put_together_by_name(write: Write, tmp_path: Path) -> None:
    """An entry of the config keeps its place and takes what it does not say from the entry of that name."""
    text = """
preset: permissive
sources:
  blocklists:
    - {name: ours, path: ours.txt, category: phishing}
    - {name: shadow-libraries, path: newer.txt}
  publishers: []
"""
    sources = load(write(MINIMAL + text)).sources
    assert sources.blocklists == (
        Blocklist(name="ours", path=f"{tmp_path}/ours.txt", category="phishing"),
        Blocklist(name="shadow-libraries", path=f"{tmp_path}/newer.txt", format="domains", category="piracy"),
    )
    assert (sources.markers, sources.publishers) == (SHIPPED_LISTS.markers, SHIPPED_LISTS.publishers)


def test_override_names_the_preset_and_beats_it(write: Write) -> None:
    """`--set` counts as if it stood in the file; the preset comes beneath both."""
    path = write(MINIMAL + "policy: {signals: {noindex: keep}}")
    config = load(path, ["preset=cautious", "policy.signals.noai=flag"])
    assert (config.preset, config.policy.signals) == (
        "cautious",
        Signals(
            **{
                **signals(pirated="drop", reserved="drop", noticed="flag", unlicensed="keep").model_dump(),
                "noindex": "keep",
                "noai": "flag",
            }
        ),
    )
    assert load(write(MINIMAL + "preset: cautious"), ["preset=null"]) == load(write(MINIMAL))


def test_preset_lies_beneath_a_config_made_in_python() -> None:
    """What a section was made with counts as said, and only that."""
    config = Config(
        preset="cautious",
        crawl=Crawl(name="a", files=("b",)),
        sources=Sources(blocklists=(Blocklist(name="ours", path="/o", category="c"),)),
        policy=Policy(signals=Signals(noai="keep")),
        dedup=Dedup(near=None),
    )
    assert [listed.name for _, listed in config.sources.all_lists()] == [
        "ours",
        "shadow-libraries",
        "pirated-texts",
        "converter-stamps",
        "textbooks",
    ]
    assert (config.policy.signals.noai, config.policy.signals.noindex) == ("keep", "drop")
    assert (config.dedup.near, config.dedup.taint) == (None, "drop")


@given(config_data)
def test_preset_is_put_beneath_once_and_for_all(data: Any) -> None:
    """Doing it again changes nothing, without a preset nothing changes, and what was given is left as it was."""
    before = copy.deepcopy(data)
    filled = put_beneath(data)
    assert put_beneath(filled) == filled
    assert filled == data or data.get("preset")
    assert data == before


anything = st.recursive(
    st.none() | st.integers() | st.sampled_from(["shadow-libraries", "cautious"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "blocklists", "sources", "signals", "policy", 3]), inner)
    ),
)


@given(st.dictionaries(st.sampled_from(["sources", "policy", "dedup", "crawl", "x"]), anything))
def test_what_is_no_config_is_handed_on(data: Any) -> None:
    """Whatever stands in place of a section beats the preset, and is for validation to judge."""
    filled = put_beneath({"preset": "cautious", **data})
    for key, value in data.items():
        if not isinstance(value, dict):
            assert filled[key] == value


@pytest.mark.parametrize("preset", [None, "bold", 3, ["cautious"], {}])
def test_preset_that_there_is_not_fills_in_nothing(preset: object) -> None:
    """What is wrong with it is said elsewhere."""
    assert put_beneath({"preset": preset}) == {"preset": preset}
    assert put_beneath("cautious") == "cautious"


# The way back


@settings(deadline=None, max_examples=40)
@given(preset=st.sampled_from(PRESETS), data=config_data)
def test_preset_and_its_written_out_form_are_one_build(
    tmp_path_factory: pytest.TempPathFactory, preset: Preset, data: Any
) -> None:
    """What `show` gives loads to an equal config; with `preset: null` in it the digest is still the same."""
    directory = tmp_path_factory.getbasetemp()
    config = load(write_config(directory, yaml.safe_dump({**data, "preset": preset}, allow_unicode=True)))
    shown = show(config)
    assert yaml.safe_load(shown)["preset"] == preset
    again, written_out = (load(write_config(directory, shown), overrides) for overrides in ([], ["preset=null"]))
    assert again == config
    assert written_out == config.model_copy(update={"preset": None})
    lists = {listed.name: "ab" for _, listed in config.sources.all_lists()} | {REGISTER: "cd"}
    against = ["ef"] * len(config.dedup.against)
    assert digest(config, lists, against) == digest(written_out, lists, against)


# Errors


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """What `load` says of a config with a preset."""
    return lambda text, *overrides: complaint(tmp_path, f"{MINIMAL}preset: cautious\n{text}", overrides)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "sources: {blocklists: [{name: shadow-libraries}, {name: ours, path: 3, category: c}]}",
            f"`sources.blocklists.1.path`: expected {LIST_PATH}, got 3; {QUOTES}",
        ),
        (
            "sources: {blocklists: [{name: ours, category: c}]}",
            f"`sources.blocklists.0.path` is missing; expected {LIST_PATH}",
        ),
        (
            "sources: {blocklists: [{name: shadow-libraries}, {name: shadow-libraries}]}",
            "`sources.blocklists`: `shadow-libraries` stands here more than once; each may stand once",
        ),
        (
            "sources: {allowlists: [{name: shadow-libraries, path: a}]}",
            "`sources`: `shadow-libraries` in `allowlists` is a name in `blocklists` already; give each list its own",
        ),
        (
            "policy: {signals: null}",
            f"`policy.signals`: expected a section with {SIGNAL_KEYS}, got null",
        ),
        ("dedup: {taint: dorp}", "`dedup.taint`: expected `drop`, `flag` or `ignore`, got dorp"),
    ],
)
def test_mistake_is_that_of_the_config_and_not_of_its_preset(complain: Complain, text: str, sentence: str) -> None:
    """Places and values are those that the user wrote."""
    assert complain(text) == f"demo.yaml: 1 mistake\n  {sentence}"


def test_override_reaches_the_lists_of_the_file_and_not_those_of_the_preset(complain: Complain) -> None:
    """An index is that of the file, where the preset has put nothing in between."""
    setting = "sources.blocklists.0.path=''"
    assert complain("sources: {blocklists: [{name: ours, path: a, category: c}]}", setting) == (
        f"demo.yaml: 1 mistake\n  `sources.blocklists.0.path`: expected {LIST_PATH}, got '' (with --set {setting})"
    )


def test_unknown_preset_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """The names are in the answer; the shortest config takes any of them."""
    assert complaint(tmp_path, MINIMAL + "preset: fineweb") == (
        "demo.yaml: 1 mistake\n  `preset`: expected `permissive`, `cautious` or `licensed-only`, or null, got fineweb"
    )
    path = write_config(tmp_path, SHORTEST)
    assert [load(path, [f"preset={preset}"]).dedup.taint for preset in PRESETS] == ["flag"] * 3
