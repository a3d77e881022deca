"""A hypothesis strategy of configs that are right, as the data that YAML gives."""

import os
from typing import Any

from hypothesis import strategies as st

from configs.model import Columns
from configs.policy import Signals
from configs.shipped import SHIPPED

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.text("abcXYZ019._-", min_size=1, max_size=8)
paths = st.one_of(words.map("/data/{}".format), words.map("gs://bucket/{}".format), st.just("crawl/**/*.gz"))
domains = st.lists(st.text("abcé0-", min_size=1, max_size=5), min_size=1, max_size=3).map(".".join)
columns = st.fixed_dictionaries(
    {},
    optional={
        "text": words,
        **{name: st.none() | words for name in Columns.model_fields if name != "text"},
    },
)
crawls = st.fixed_dictionaries(
    {"name": names, "files": st.lists(paths, min_size=1, max_size=3, unique_by=os.path.normpath)},
    optional={
        "root": st.none() | paths,
        "format": st.sampled_from(["auto", "jsonl", "parquet"]),
        "columns": columns,
        "carry": st.lists(words.map("my_{}".format), max_size=3, unique=True),
        "main_content": st.booleans(),
    },
)
formats = st.sampled_from(["auto", "domains", "hosts", "dnsmasq", "adblock", "ut1", "url_prefixes", "regex"])
list_paths = paths | st.sampled_from(SHIPPED).map("shipped:{}".format)


def named(kind: str, entry: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of entries with names that no other kind has."""
    entries = st.tuples(words.map(f"{kind} {{}}".format), entry).map(lambda pair: {"name": pair[0], **pair[1]})
    return st.lists(entries, max_size=3, unique_by=lambda listed: listed["name"])


blocklists = st.one_of(
    st.fixed_dictionaries({"path": list_paths, "category": words}, optional={"format": formats}),
    st.fixed_dictionaries({"path": paths, "format": st.just("ut1")}, optional={"only": st.just(["warez", "child"])}),
)
sources = st.fixed_dictionaries(
    {},
    optional={
        "blocklists": named("block", blocklists),
        "allow": st.lists(domains, max_size=3, unique=True),
        "allowlists": named("allow", st.fixed_dictionaries({"path": list_paths}, optional={"format": formats})),
        "markers": named("mark", st.fixed_dictionaries({"path": list_paths, "category": words})),
        "publishers": named("publish", st.fixed_dictionaries({"path": list_paths})),
        "register": st.none() | paths,
    },
)
actions = st.sampled_from(["keep", "flag", "quarantine", "drop"])
policies = st.fixed_dictionaries(
    {},
    optional={
        "categories": st.dictionaries(words, actions, max_size=3),
        "signals": st.fixed_dictionaries({}, optional=dict.fromkeys(Signals.model_fields, actions)),
        "agents": st.lists(st.sampled_from(["ccbot", "GPTBot", "*"]), unique=True),
        "open_licences": st.lists(words, max_size=3, unique=True),
    },
)
comparisons = {
    "preset": st.none() | st.sampled_from(["fineweb", "redpajama-v2", "slimpajama"]),
    "threshold": st.floats(0, 1, exclude_min=True) | st.just(1),
    "ngram": st.integers(1, 64),
    "verify": st.sampled_from(["jaccard", "signature"]),
    "most_estimates": st.integers(1, 1 << 40),
    "most_comparisons": st.integers(1, 1 << 40),
}
shapes = {"bands": st.integers(1, 1000), "rows": st.integers(1, 1000)}
near = st.one_of(
    st.fixed_dictionaries({}, optional={**comparisons, **shapes}),
    st.fixed_dictionaries({"permutations": st.none() | st.integers(1, 64)}, optional=comparisons),
)
survivors = ["source_priority", "longest", "shortest", "earliest", "latest", "url_shortest"]
dedups = st.fixed_dictionaries(
    {},
    optional={
        "url": st.none() | st.just({}),
        "exact": st.none() | st.just({}),
        "near": st.none() | near,
        "survivor": st.lists(st.sampled_from(survivors), unique=True) | st.sampled_from(["none", "flag"]),
        "taint": st.sampled_from(["drop", "flag", "ignore"]),
        "against": st.lists(paths, max_size=3, unique_by=os.path.normpath),
        "overlap": st.sampled_from(["old_stays", "new_replaces", "report"]),
        "within": st.just(True),
    },
)
shares = st.floats(0, 1) | st.integers(0, 1)
alarms = st.fixed_dictionaries(
    {},
    optional={
        "cluster_size": st.integers(1, 1 << 40),
        "source_loss": shares,
        "source_records": st.integers(1, 1 << 40),
        "removal_rate": st.none() | shares,
        "fail_on": st.lists(st.sampled_from(["cluster_size", "source_loss"]), unique=True),
    },
)
config_data = st.fixed_dictionaries(
    {"crawl": crawls},
    optional={
        "preset": st.none() | st.sampled_from(["permissive", "cautious", "licensed-only"]),
        "sources": sources,
        "policy": policies,
        "dedup": dedups,
        "alarms": alarms,
        "plan": st.fixed_dictionaries({}, optional={"part_size": st.integers(64 << 10, 1 << 50)}),
        "run": st.fixed_dictionaries(
            {}, optional={"shuffle_memory": st.integers(1, 1 << 50), "component_rounds": st.integers(1, 1 << 50)}
        ),
    },
)
