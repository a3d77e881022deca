"""Which keys of a config its digests depend on."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from configs.load import load
from configs.model import Config, digest, measure_digest
from configs.reference import SHORTEST
from tests.config_data import config_data


@pytest.fixture
def shortest(tmp_path: Path) -> str:
    """Path of the shortest useful config."""
    path = tmp_path / "demo.yaml"
    path.write_text(SHORTEST)
    return str(path)


EVERY_LIST = """
crawl: {name: demo, files: [a]}
sources:
  blocklists: [{name: b, path: b.txt, category: piracy}]
  allowlists: [{name: w, path: w.txt}]
  markers: [{name: m, path: m.txt, category: piracy}]
  publishers: [{name: p, path: p.txt}]
  register: register.yaml
"""
LISTS = {"b": "1", "w": "2", "m": "3", "p": "4", "register:": "5"}


def sha256(content: object) -> str:
    """Canonical JSON, hashed: the definition."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def test_digest_is_that_of_the_canonical_json(shortest: str) -> None:
    """Files, root, run and alarms are left out; a list's digest stands for its path, and what a preset fills in for
    its name."""
    config = load(shortest)
    content = config.model_dump(mode="json")
    del content["preset"], content["run"], content["alarms"], content["crawl"]["files"], content["crawl"]["root"]
    del content["dedup"]["near"]["preset"], content["dedup"]["near"]["permutations"]
    del content["sources"]["blocklists"][0]["path"]
    content["sources"]["blocklists"][0]["sha256"] = "ab12"
    assert digest(config, {"shadow-libraries": "ab12"}) == sha256(content)


def test_digest_holds_every_kind_of_list(tmp_path: Path) -> None:
    """Lists of all kinds and the register are known by their digests, wherever they lie."""
    path = tmp_path / "demo.yaml"
    path.write_text(EVERY_LIST)
    config = load(str(path))
    content = config.model_dump(mode="json")
    del content["preset"], content["run"], content["alarms"], content["crawl"]["files"], content["crawl"]["root"]
    del content["dedup"]["near"]["preset"], content["dedup"]["near"]["permutations"]
    for kind in ("blocklists", "allowlists", "markers", "publishers"):
        (listed,) = content["sources"][kind]
        del listed["path"]
        listed["sha256"] = LISTS[listed["name"]]
    content["sources"]["register"] = "5"
    assert digest(config, LISTS) == sha256(content)


@pytest.mark.parametrize("missing", ["b", "w", "m", "p", "register:"])
def test_digest_needs_every_list(tmp_path: Path, missing: str) -> None:
    """No list is left out of the digest in silence."""
    path = tmp_path / "demo.yaml"
    path.write_text(EVERY_LIST)
    with pytest.raises(KeyError, match=missing):
        digest(load(str(path)), {name: sha256 for name, sha256 in LISTS.items() if name != missing})


@pytest.mark.parametrize("name", ["b", "w", "m", "p", "register:"])
def test_digest_changes_with_the_content_of_a_list(tmp_path: Path, name: str) -> None:
    """A list or a register edited in place is another config."""
    path = tmp_path / "demo.yaml"
    path.write_text(EVERY_LIST)
    config = load(str(path))
    assert digest(config, LISTS) != digest(config, {**LISTS, name: "other"})


def test_measure_digest_is_that_of_what_measuring_needs(shortest: str) -> None:
    """Of dedup only the shape of the signature, and null where there is none."""
    config = load(shortest)
    content = config.model_dump(mode="json")
    measured = {
        "crawl": {key: content["crawl"][key] for key in ("name", "format", "columns", "carry", "main_content")},
        "dedup": {"near": {"ngram": 5, "bands": 25, "rows": 5}},
        "plan": {"part_size": 33_554_432},
    }
    assert measure_digest(config) == sha256(measured)
    without = load(shortest, ["dedup.near=null"])
    assert measure_digest(without) == sha256({**measured, "dedup": {"near": None}})


@pytest.mark.parametrize(
    ("override", "changes_output", "changes_measure"),
    [
        ("crawl.name=other", True, True),
        ("crawl.files=[other]", False, False),
        ("crawl.root=other", False, False),
        ("crawl.format=jsonl", True, True),
        ("crawl.columns.text=content", True, True),
        ("crawl.columns.url=null", True, True),
        ("crawl.columns={}", False, False),
        ("crawl.carry=[mine]", True, True),
        ("crawl.main_content=false", True, True),
        ("sources.blocklists.0.name=other", True, False),
        ("sources.blocklists.0.path=other", False, False),
        ("sources.blocklists.0.category=other", True, False),
        ("sources.blocklists=[]", True, False),
        ("sources.blocklists.0.format=auto", True, False),
        ("sources.allow=[example.org]", True, False),
        ("sources.allowlists=[{name: other, path: a}]", True, False),
        ("sources.markers=[{name: other, path: a, category: b}]", True, False),
        ("sources.publishers=[{name: other, path: a}]", True, False),
        ("sources.register=other", True, False),
        ("policy.categories={piracy: flag}", True, False),
        ("policy.signals.noai=drop", True, False),
        ("policy.agents=[]", True, False),
        ("policy.open_licences=[]", True, False),
        ("preset=cautious", True, False),
        ("dedup.url=null", True, False),
        ("dedup.exact=null", True, False),
        ("dedup.near=null", True, True),
        ("dedup.near.threshold=0.8", True, False),
        ("dedup.near.ngram=4", True, True),
        ("dedup.near.bands=4", True, True),
        ("dedup.near.rows=4", True, True),
        ("dedup.near.permutations=125", False, False),
        ("dedup.near.preset=fineweb", False, False),
        ("dedup.near={preset: fineweb}", True, True),
        ("dedup.near={permutations: 125}", True, True),
        ("dedup.near.verify=signature", True, False),
        ("dedup.near.most_estimates=10", True, False),
        ("dedup.near.most_comparisons=10", True, False),
        ("dedup.survivor=[longest]", True, False),
        ("dedup.survivor=none", True, False),
        ("dedup.survivor=flag", True, False),
        ("dedup.overlap=report", True, False),
        ("dedup.taint=drop", True, False),
        ("plan.part_size=1 MiB", True, True),
        ("run.shuffle_memory=1 MiB", False, False),
        ("run.component_rounds=7", False, False),
        ("alarms.cluster_size=7", False, False),
        ("alarms.source_loss=null", False, False),
        ("alarms.source_records=7", False, False),
        ("alarms.removal_rate=0.5", False, False),
        ("alarms.fail_on=[removal_rate]", False, False),
    ],
)
def test_digest_follows_what_can_change_the_output(
    shortest: str, override: str, changes_output: bool, changes_measure: bool
) -> None:
    """Each key changes exactly the digests of the stages that depend on it."""
    names = ("shadow-libraries", "other", "register:", "pirated-texts", "converter-stamps", "textbooks")
    lists = dict.fromkeys(names, "ab")
    before, after = load(shortest), load(shortest, [override])
    assert (digest(before, lists) != digest(after, lists)) == changes_output
    assert (measure_digest(before) != measure_digest(after)) == changes_measure


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("{preset: fineweb}", "{threshold: 0.719, ngram: 5, bands: 14, rows: 8}"),
        ("{preset: redpajama-v2}", "{threshold: 0.7, ngram: 13, bands: 14, rows: 9}"),
        ("{preset: slimpajama}", "{threshold: 0.8, ngram: 13, permutations: 128}"),
        ("{threshold: 0.8, permutations: 128}", "{threshold: 0.8, bands: 9, rows: 13}"),
        ("{preset: fineweb, bands: 25, rows: 5, threshold: 0.7}", "{}"),
    ],
)
def test_digest_is_the_same_for_the_same_numbers(shortest: str, short: str, long: str) -> None:
    """A build does not depend on whether its numbers came from a preset, from `permutations` or were written out."""
    lists = {"shadow-libraries": "ab"}
    a, b = (load(shortest, [f"dedup.near={near}"]) for near in (short, long))
    assert digest(a, lists) == digest(b, lists)
    assert measure_digest(a) == measure_digest(b)


def test_digest_follows_the_content_of_earlier_crawls_not_their_paths(shortest: str) -> None:
    """What `against` names counts by its digests, in its order; measuring does not depend on it."""
    lists = {"shadow-libraries": "ab"}
    here, there = (load(shortest, [f"dedup.against=[{path}/a, {path}/b]"]) for path in ("/here", "/there"))
    expected = digest(here, lists, ["1", "2"])
    assert digest(there, lists, ["1", "2"]) == expected
    assert len({expected, digest(here, lists, ["2", "1"]), digest(here, lists, ["1", "3"])}) == 3
    assert digest(load(shortest), lists) != expected
    assert measure_digest(here) == measure_digest(load(shortest))


@pytest.mark.parametrize("digests", [[], ["1"], ["1", "2", "3"]])
def test_digest_of_an_unread_earlier_crawl_is_an_error(shortest: str, digests: list[str]) -> None:
    """Nothing that `against` names is left out of the digest in silence."""
    with pytest.raises(ValueError, match="argument 2 is"):
        digest(load(shortest, ["dedup.against=[/a, /b]"]), {"shadow-libraries": "ab"}, digests)


def test_digest_follows_what_takedowns_say_not_their_paths(shortest: str) -> None:
    """Each counts by its digest, in the order in which they are named; measuring does not depend on them."""
    lists = {"shadow-libraries": "ab"}
    here, there = (load(shortest, [f"takedowns=[{path}/a.yaml, {path}/b.json]"]) for path in ("/here", "/there"))
    expected = digest(here, lists, takedown_digests=["1", "2"])
    assert digest(there, lists, takedown_digests=["1", "2"]) == expected
    assert digest(here, lists, takedown_digests=["2", "1"]) != expected
    assert digest(load(shortest), lists) != expected
    assert measure_digest(here) == measure_digest(load(shortest))
    with pytest.raises(ValueError, match="argument 2 is"):
        digest(here, lists, takedown_digests=["1"])


@settings(deadline=None)
@given(data=config_data)
def test_digest_does_not_depend_on_the_order_of_keys(data: Any) -> None:
    """The same YAML with its keys in another order has the same digests."""
    other = Config.model_validate(yaml.safe_load(yaml.safe_dump(data, sort_keys=True)))
    config = Config.model_validate(data)
    lists = {listed.name: "ab" for _, listed in config.sources.all_lists()} | {"register:": "cd"}
    against = [str(place) for place in range(len(config.dedup.against))]
    assert digest(config, lists, against) == digest(other, lists, against)
    assert measure_digest(config) == measure_digest(other)
