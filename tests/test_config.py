"""What a config means: defaults, values, paths."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.load import load
from configs.model import Alarms, Columns, Config, Crawl, Dedup, Exact, Plan, Run, SameUrl
from configs.near import Near
from configs.policy import Policy
from configs.reference import SHORTEST
from configs.sources import Blocklist, Sources
from tests.config_files import MINIMAL, write_config

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and returns its path."""
    return partial(write_config, tmp_path)


# Meaning


def test_shortest_file_means_what_it_says(write: Write, tmp_path: Path) -> None:
    """The file that the documents show loads, with its paths taken from its own directory."""
    assert load(write(SHORTEST)) == Config(
        crawl=Crawl(
            name="demo",
            files=(f"{tmp_path}/crawl/*.warc.gz",),
            root=None,
            format="auto",
            columns=Columns(id="id", text="text", url="url"),
            carry=(),
            main_content=True,
        ),
        sources=Sources(
            blocklists=(
                Blocklist(
                    name="shadow-libraries",
                    path="shipped:blocklists/shadow_libraries.txt",
                    format="domains",
                    category="piracy",
                ),
            ),
            allow=(),
        ),
        policy=Policy(),
        dedup=Dedup(
            exact=Exact(),
            near=Near(threshold=0.7, ngram=5, bands=25, rows=5),
            survivor=("source_priority", "longest", "earliest"),
            taint="flag",
        ),
        alarms=Alarms(),
        plan=Plan(part_size=33_554_432),
        run=Run(shuffle_memory=1_073_741_824),
    )


def test_minimal_file_gets_every_default(write: Write) -> None:
    """Name and files are all that must be said; the rest is exactly this."""
    config = load(write(MINIMAL)).model_dump(mode="json")
    config["crawl"].pop("files")
    assert config == {
        "preset": None,
        "crawl": {
            "name": "demo",
            "root": None,
            "format": "auto",
            "columns": {
                "id": "id",
                "text": "text",
                "url": "url",
                "fetch_time": None,
                "content_digest": None,
                "warc_filename": None,
                "warc_record_offset": None,
                "warc_record_length": None,
                "warc_record_id": None,
            },
            "carry": [],
            "main_content": True,
        },
        "sources": {
            "blocklists": [],
            "allow": [],
            "allowlists": [],
            "markers": [],
            "publishers": [],
            "register": None,
        },
        "policy": {
            "categories": {},
            "signals": {
                "pirated_marker": "flag",
                "tdm_reservation": "keep",
                "noai": "keep",
                "noimageai": "keep",
                "noindex": "keep",
                "copyright_notice": "keep",
                "rights_reserved": "keep",
                "publisher_isbn": "keep",
                "isbn": "keep",
                "issn": "keep",
                "doi": "keep",
                "arxiv": "keep",
                "licence": "keep",
                "unlicensed": "keep",
            },
            "agents": ["ccbot"],
            "open_licences": [
                *("CC0-1.0", "PDM-1.0", "public-domain", "CC-BY", "CC-BY-SA", "OGL-UK", "0BSD", "Apache-2.0"),
                *("BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "MIT-0", "Unlicense", "Zlib"),
            ],
        },
        "dedup": {
            "url": {},
            "exact": {},
            "near": {
                "preset": None,
                "threshold": 0.7,
                "ngram": 5,
                "permutations": None,
                "bands": 25,
                "rows": 5,
                "verify": "jaccard",
                "most_estimates": 200_000,
                "most_comparisons": 1000,
            },
            "survivor": ["source_priority", "longest", "earliest"],
            "taint": "flag",
            "against": [],
            "overlap": "old_stays",
            "within": True,
        },
        "takedowns": [],
        "alarms": {
            "cluster_size": 10_000,
            "source_loss": 0.9,
            "source_records": 1000,
            "removal_rate": 0.9,
            "fail_on": [],
        },
        "plan": {"part_size": 33_554_432},
        "run": {"shuffle_memory": 1_073_741_824, "component_rounds": 50},
    }


@pytest.mark.parametrize("kind", ["url", "exact", "near"])
def test_kind_of_duplicate_is_off_when_null(write: Write, kind: str) -> None:
    """`null` turns a kind off and leaves the others on."""
    dedup = load(write(MINIMAL + f"dedup: {{{kind}: null}}")).dedup
    on = {"url": SameUrl(), "exact": Exact(), "near": Near()}
    assert {name: getattr(dedup, name) for name in on} == {**on, kind: None}


@pytest.mark.parametrize(
    ("written", "survivor", "rules", "duplicates"),
    [
        ("[latest, longest]", ("latest", "longest"), ("latest", "longest"), "drop"),
        ("[]", (), (), "drop"),
        ("none", "none", ("source_priority", "longest", "earliest"), "drop_all"),
        ("flag", "flag", ("source_priority", "longest", "earliest"), "flag"),
    ],
)
def test_survivor_is_a_list_of_rules_or_a_word(
    write: Write, written: str, survivor: object, rules: tuple[str, ...], duplicates: str
) -> None:
    """A word says what happens to duplicates; the default rules still say which document comes first."""
    dedup = load(write(MINIMAL + f"dedup: {{survivor: {written}}}")).dedup
    assert (dedup.survivor, dedup.survivor_rules, dedup.duplicates) == (survivor, rules, duplicates)


def test_crawl_is_compared_with_earlier_ones_alone(write: Write, tmp_path: Path) -> None:
    """`within: false` takes away from this crawl what `against` holds already, and no more."""
    dedup = load(write(MINIMAL + "dedup: {against: [old/measured, 'gs://b/dataset'], within: false}")).dedup
    assert dedup.against == (f"{tmp_path}/old/measured", "gs://b/dataset")
    assert (dedup.overlap, dedup.within) == ("old_stays", False)


def test_alarm_is_off_when_null(write: Write) -> None:
    """`null` turns one alarm off and leaves the others on; those that are on may refuse to publish."""
    text = "alarms: {cluster_size: null, source_loss: 0.5, fail_on: [source_loss, removal_rate]}"
    assert load(write(MINIMAL + text)).alarms == Alarms(
        cluster_size=None,
        source_loss=0.5,
        source_records=1000,
        removal_rate=0.9,
        fail_on=("source_loss", "removal_rate"),
    )


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("65536", 65_536),
        ("64 KiB", 65_536),
        ("64KiB", 65_536),
        ("32 MiB", 33_554_432),
        ("64MB", 64_000_000),
        ("64mb", 64_000_000),
        ("3 gib", 3_221_225_472),
        ("2 TB", 2_000_000_000_000),
        ("70000 B", 70_000),
    ],
)
def test_size_is_read_in_bytes(write: Write, written: str, size: int) -> None:
    """A size is a number of bytes, or text with a unit of 1000 (`MB`) or 1024 (`MiB`)."""
    assert load(write(MINIMAL + f"plan: {{part_size: {written}}}")).plan.part_size == size


def test_config_cannot_be_changed(write: Write) -> None:
    """A config is a value: setting a field raises."""
    config = load(write(MINIMAL))
    with pytest.raises(ValidationError, match="frozen"):
        config.dedup.taint = "drop"


def test_columns_remember_which_were_named(write: Write) -> None:
    """A column that is named must exist, one left out need not, though both have the same name here."""
    columns = load(write("crawl: {name: a, files: [b], columns: {url: url, id: null}}")).crawl.columns
    assert (columns.id, columns.text, columns.url) == (None, "text", "url")
    assert columns.model_fields_set == {"url", "id"}


def test_yaml_date_is_text(write: Write) -> None:
    """A name that looks like a date, even an impossible one, is the name."""
    assert load(write("crawl: {name: 2024-13-45, files: [a]}")).crawl.name == "2024-13-45"


def test_yaml_merge_key_takes_over_a_section(write: Write) -> None:
    """YAML's own means against repetition, anchors and merge keys, work."""
    text = "crawl: {<<: &base {name: a, files: [b]}, name: c}"
    assert load(write(text)).crawl.name == "c"


def test_byte_order_mark_is_ignored(write: Write) -> None:
    """Editors that begin UTF-8 with a byte order mark do no harm."""
    assert load(write("\ufeff" + MINIMAL)).crawl.name == "demo"


# Paths


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("crawl/*.gz", "{base}/crawl/*.gz"),
        ("./a//b/../*.gz", "{base}/a/*.gz"),
        ("**/*.gz", "{base}/**/*.gz"),
        ("/abs/./x", "/abs/x"),
        ("gs://bucket/./x/*", "gs://bucket/./x/*"),
        ("s3+v2://bucket/x", "s3+v2://bucket/x"),
        ("a://b", "a://b"),
        ("1a://b", "{base}/1a:/b"),
    ],
)
def test_path_starts_from_the_config_file(write: Write, tmp_path: Path, written: str, meant: str) -> None:
    """Every kind of path starts from the config's directory, unless absolute or with a scheme."""
    dedup = f"dedup: {{against: ['{written}']}}"
    lists = ", ".join(
        f"{kind}: [{{name: {kind}, path: '{written}'{more}}}]"
        for kind, more in [
            ("blocklists", ", category: c"),
            ("allowlists", ""),
            ("markers", ", category: c"),
            ("publishers", ""),
        ]
    )
    sources = f"sources: {{{lists}, register: '{written}'}}"
    config = load(write(f"crawl: {{name: a, files: ['{written}'], root: '{written}'}}\n{sources}\n{dedup}"))
    expected = meant.format(base=tmp_path)
    assert config.crawl.files == (expected,)
    assert {config.crawl.root, config.sources.register, *(listed.path for _, listed in config.sources.all_lists())} == {
        expected
    }
    assert config.dedup.against == (expected,)


def test_path_does_not_depend_on_the_working_directory(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The config given by a relative path, from elsewhere, says the same."""
    write(MINIMAL)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load("../demo.yaml").crawl.files == (f"{tmp_path}/crawl/*.warc.gz",)


def test_path_of_a_config_made_in_python_starts_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a config file there is no other place to start from."""
    monkeypatch.chdir(tmp_path)
    assert Crawl(name="a", files=("b/*.gz",)).files == (f"{tmp_path}/b/*.gz",)
