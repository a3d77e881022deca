"""What a config means: defaults, paths, --set, and the way back to YAML."""

import doctest
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

import configs.bands
import configs.model
import configs.near
import configs.reference
import schemas.reference
from configs.load import load, show
from configs.model import (
    Alarms,
    Blocklist,
    Columns,
    Config,
    Crawl,
    Dedup,
    Exact,
    Plan,
    Run,
    SameUrl,
    Sources,
)
from configs.near import Near
from configs.reference import SHORTEST
from configs.values import BASE
from tests.config_data import config_data

MINIMAL = "crawl: {name: demo, files: [crawl/*.warc.gz]}\n"

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and returns its path."""

    def write_text(text: str) -> str:
        path = tmp_path / "demo.yaml"
        path.write_text(text, "utf-8")
        return str(path)

    return write_text


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
                    path=f"{tmp_path}/configs/blocklists/shadow_libraries.txt",
                    format="domains",
                    category="piracy",
                ),
            ),
            allow=(),
        ),
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
        "sources": {"blocklists": [], "allow": []},
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
    blocklist = f"sources: {{blocklists: [{{name: a, path: '{written}', category: c}}]}}"
    config = load(write(f"crawl: {{name: a, files: ['{written}'], root: '{written}'}}\n{blocklist}\n{dedup}"))
    expected = meant.format(base=tmp_path)
    assert config.crawl.files == (expected,)
    assert (config.crawl.root, config.sources.blocklists[0].path) == (expected, expected)
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


# --set


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("dedup.near.threshold=0.8", "dedup.near.threshold", 0.8),
        ("dedup.near.threshold=1", "dedup.near.threshold", 1.0),
        ("dedup.near=null", "dedup.near", None),
        ("dedup.near=", "dedup.near", None),
        ("dedup.near={rows: 7}", "dedup.near", Near(rows=7)),
        ("dedup.exact={}", "dedup.exact", Exact()),
        ("dedup.near={preset: fineweb}", "dedup.near", Near(preset="fineweb")),
        ("dedup.survivor=[longest]", "dedup.survivor", ("longest",)),
        ("dedup.survivor=none", "dedup.survivor", "none"),
        ("dedup.against=[/a, /b]", "dedup.against", ("/a", "/b")),
        ("alarms.removal_rate=null", "alarms.removal_rate", None),
        ("run.component_rounds=3", "run.component_rounds", 3),
        ("crawl.files=[/a, /b]", "crawl.files", ("/a", "/b")),
        ("crawl.files.0=/c", "crawl.files", ("/c",)),
        ("crawl.name='2024'", "crawl.name", "2024"),
        ("crawl.columns.text=a=b", "crawl.columns.text", "a=b"),
        ("plan.part_size=64MB", "plan.part_size", 64_000_000),
        ("sources.allow=[example.org]", "sources.allow", ("example.org",)),
    ],
)
def test_override_beats_the_file(write: Write, override: str, key: str, value: object) -> None:
    """The value is YAML; it replaces what the file says there, and makes the sections on the way."""
    found: Any = load(write(MINIMAL), [override])
    for step in key.split("."):
        found = getattr(found, step)
    assert found == value


def test_override_reaches_into_a_list(write: Write, tmp_path: Path) -> None:
    """An index names an entry; its path starts from the config file as any other, and the rest stays."""
    (blocklist,) = load(write(SHORTEST), ["sources.blocklists.0.path=x/mine.txt"]).sources.blocklists
    assert (blocklist.name, blocklist.path) == ("shadow-libraries", f"{tmp_path}/x/mine.txt")


def test_override_turns_on_what_the_file_turned_off(write: Write) -> None:
    """A key of a section that is null turns the section on."""
    path = write(MINIMAL + "dedup: {near: null}")
    assert load(path, ["dedup.near.rows=9"]).dedup.near == Near(rows=9)


def test_later_override_beats_an_earlier_one(write: Write) -> None:
    """Overrides are put in place in their order."""
    path = write(MINIMAL)
    assert load(path, ["crawl.name=a", "crawl.name=b"]).crawl.name == "b"
    assert load(path, ["dedup.near.rows=3", "dedup.near={}"]).dedup.near == Near()


def test_override_leaves_the_other_user_of_an_anchor_alone(write: Write) -> None:
    """Two lists written once by an anchor are two all the same."""
    text = "crawl: {name: a, files: &list [/x], carry: *list}"
    crawl = load(write(text), ["crawl.files.0=/y"]).crawl
    assert (crawl.files, crawl.carry) == (("/y",), ("/x",))


# The way back


@settings(deadline=None)
@given(config_data.map(Config.model_validate))
def test_dumped_config_loads_back_equal(config: Config) -> None:
    """What goes into the manifest is the config again, in Python's types and in JSON's."""
    assert Config.model_validate(config.model_dump()) == config
    assert Config.model_validate(json.loads(json.dumps(config.model_dump(mode="json")))) == config


@settings(deadline=None)
@given(data=config_data)
def test_shown_config_loads_back_equal(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """`show` writes YAML that loads to the same config, also about which columns were named."""
    directory = tmp_path_factory.getbasetemp()
    config = Config.model_validate(data, context={BASE: str(directory / "elsewhere")})
    path = directory / "shown.yaml"
    path.write_bytes(show(config).encode())
    again = load(str(path))
    assert again == config
    assert again.crawl.columns.model_fields_set == config.crawl.columns.model_fields_set
    assert show(again) == show(config)


def test_shown_config_keeps_every_line_break(write: Write) -> None:
    """Among line breaks is U+0085, which YAML reads as a newline unless it is escaped."""
    config = Config(crawl=Crawl(name="a", files=("/a\x85b", "/c\u2028d\r\ne", "/é")))
    assert load(write(show(config))) == config


def test_shown_config_names_every_section_and_default(write: Write, tmp_path: Path) -> None:
    """All keys are there in the order of the reference; columns that were not named stay out."""
    assert show(load(write(MINIMAL + "dedup: {near: null}"))) == (
        "crawl:\n"
        "  name: demo\n"
        "  files:\n"
        f"  - {tmp_path}/crawl/*.warc.gz\n"
        "  root: null\n"
        "  format: auto\n"
        "  columns: {}\n"
        "  carry: []\n"
        "  main_content: true\n"
        "sources:\n"
        "  blocklists: []\n"
        "  allow: []\n"
        "dedup:\n"
        "  url: {}\n"
        "  exact: {}\n"
        "  near: null\n"
        "  survivor:\n"
        "  - source_priority\n"
        "  - longest\n"
        "  - earliest\n"
        "  taint: flag\n"
        "  against: []\n"
        "  overlap: old_stays\n"
        "  within: true\n"
        "alarms:\n"
        "  cluster_size: 10000\n"
        "  source_loss: 0.9\n"
        "  source_records: 1000\n"
        "  removal_rate: 0.9\n"
        "  fail_on: []\n"
        "plan:\n"
        "  part_size: 33554432\n"
        "run:\n"
        "  shuffle_memory: 1073741824\n"
        "  component_rounds: 50\n"
    )


@pytest.mark.parametrize("module", [configs.bands, configs.model, configs.near, configs.reference, schemas.reference])
def test_docstring_example_runs(module: Any) -> None:
    """The examples in the docstrings print what they say."""
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)
