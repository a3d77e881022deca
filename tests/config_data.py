"""A hypothesis strategy of configs that are right, as the data that YAML gives."""

import os

from hypothesis import strategies as st

from configs.model import Columns

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
blocklists = st.fixed_dictionaries(
    {"name": words, "path": paths, "category": words}, optional={"format": st.just("domains")}
)
sources = st.fixed_dictionaries(
    {},
    optional={
        "blocklists": st.lists(blocklists, max_size=3, unique_by=lambda blocklist: blocklist["name"]),
        "allow": st.lists(domains, max_size=3, unique=True),
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
        "sources": sources,
        "dedup": dedups,
        "alarms": alarms,
        "plan": st.fixed_dictionaries({}, optional={"part_size": st.integers(64 << 10, 1 << 50)}),
        "run": st.fixed_dictionaries(
            {}, optional={"shuffle_memory": st.integers(1, 1 << 50), "component_rounds": st.integers(1, 1 << 50)}
        ),
    },
)
