"""The configuration as classes; every key, its default, its limits and its meaning stand here and nowhere else.

>>> config = Config(preset="cautious", crawl=Crawl(name="demo", files=("/data/crawl/*.warc.gz",)))
>>> config.dedup.survivor_rules, config.dedup.duplicates, config.dedup.taint
(('source_priority', 'longest', 'earliest'), 'drop', 'drop')

`configs.load` reads a file into these classes and words the mistakes; `docs/config.md` is generated from them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from configs.near import Near
from configs.policy import Policy
from configs.preset import Preset, put_beneath
from configs.sources import LISTS, REGISTER, Sources
from configs.values import Count, Glob, Location, Many, Name, Section, Share, Size, Text, distinct
from schemas.columns import MEASURED, QUARANTINE, RECORDS, is_near_field

_OWN_COLUMNS: Final = {column.name for table in (QUARANTINE, MEASURED, RECORDS) for column in table.columns}

Format = Literal["auto", "warc", "wet", "jsonl", "parquet"]
SurvivorRule = Literal["source_priority", "longest", "shortest", "earliest", "latest", "url_shortest"]
NoSurvivor = Literal["none", "flag"]
Taint = Literal["drop", "flag", "ignore"]
Alarm = Literal["cluster_size", "source_loss", "removal_rate"]

_SURVIVOR_RULES: Final[tuple[SurvivorRule, ...]] = ("source_priority", "longest", "earliest")


def _survivor(value: object) -> object:
    """A word or a list of rules. Of a union pydantic reports a mistake for each alternative; here it shall be one."""
    if value in get_args(NoSurvivor):
        return value
    if not isinstance(value, list | tuple) or any(rule not in get_args(SurvivorRule) for rule in value):
        raise PydanticCustomError("survivor", "neither `none` nor `flag` nor a list of survivor rules")
    return distinct(tuple(value))


class Columns(Section):
    """Which columns of the crawl files hold what. JSONL and Parquet only; WARC and WET files have no columns.

    A column that is named here must exist. Left out, `id`, `text` and `url` are used where such columns exist.
    """

    id: Text | None = "id"
    """The user's own id of a record; it becomes `record_id`."""
    text: Text = "text"
    """The text."""
    url: Text | None = "url"
    """The URL."""
    fetch_time: Text | None = None
    """When the page was fetched."""
    content_digest: Text | None = None
    """Digest of the page as it was fetched."""
    warc_filename: Text | None = None
    """WARC file that the record was taken from."""
    warc_record_offset: Text | None = None
    """Byte offset of the record in that WARC file."""
    warc_record_length: Text | None = None
    """Bytes of the record in that WARC file."""
    warc_record_id: Text | None = None
    """WARC-Record-ID."""


class Crawl(Section):
    """What is read."""

    name: Name
    """Name of the crawl. It is part of every `doc_id`: keep it, and the same record keeps its id."""
    files: Many[Glob] = Field(min_length=1)
    """Crawl files: local, or on any file system that Beam can read."""
    root: Location | None = None
    """Directory that file names in ids and in the lineage are relative to; null: the deepest one common to all
    patterns. Name it where patterns may be added later: one that lies elsewhere moves the default, and with it every
    `doc_id`."""
    format: Format = "auto"
    """Format of the files; `auto` looks at each file."""
    columns: Columns = Columns()
    """Columns of JSONL and Parquet files; without effect on WARC and WET."""
    carry: Many[Text] = ()
    """Columns of JSONL and Parquet files to carry along to `documents/`, under their own names."""
    main_content: bool = True
    """HTML: true takes the main text of a page, false all text that is visible."""

    @field_validator("carry")
    @classmethod
    def _beside_our_own(cls, carry: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        form = info.data.get("format")
        if carry and form in ("warc", "wet"):
            raise ValueError(f"files of format {form} have no columns to carry; leave it out")
        # DuckDB, which reads documents/, takes no notice of case.
        taken = [name for name in carry if name.lower() in _OWN_COLUMNS or is_near_field(name.lower())]
        if taken:
            names = ", ".join(f"`{name}`" for name in taken)
            raise ValueError(f"{names} would clash with our own column of that name; rename it in the crawl files")
        return carry


class SameUrl(Section):
    """Documents with the same normalised URL. It has no keys."""


class Exact(Section):
    """Documents with the same normalised text. It has no keys."""


class Dedup(Section):
    """Which duplicates are removed, and which document of several stays."""

    url: SameUrl | None = SameUrl()
    """Same URL; null turns it off. It removes documents without comparing their texts."""
    exact: Exact | None = Exact()
    """Same text; null turns it off."""
    near: Near | None = Near()
    """Similar text; null turns it off."""
    survivor: Annotated[NoSurvivor | tuple[SurvivorRule, ...], BeforeValidator(_survivor)] = _SURVIVOR_RULES
    """Which of several duplicates stays: the first by the first rule, ties by the next; `doc_id` always breaks what
    ties are left. `source_priority` is that of `sources.register`. Or a word in place of the list:
    `none` drops every document that has a duplicate, also the one that would have stayed; `flag` marks duplicates and
    drops none for being one."""
    taint: Taint = "flag"
    """What happens to a document whose text is that of a pirated or blocked one, exactly or nearly: it is dropped,
    flagged in the ledger, or nothing."""
    against: Many[Location] = ()
    """Earlier measured stores or published datasets, whose documents are compared with those of this crawl."""
    overlap: Literal["old_stays", "new_replaces", "report"] = "old_stays"
    """What happens to a document of this crawl that repeats one of `against`: it is dropped, it stays in place of the
    old one, or the ledger says so and no more."""
    within: bool = True
    """Whether documents of this crawl are compared with each other; false compares them with `against` only."""

    @field_validator("within")
    @classmethod
    def _with_something_to_compare(cls, within: bool, info: ValidationInfo) -> bool:
        if not within and info.data.get("against") == ():
            raise ValueError(
                "false compares documents with those of `dedup.against` only, which names none; "
                "name a measured store or a dataset there, or leave out `within`"
            )
        return within

    @property
    def survivor_rules(self) -> tuple[SurvivorRule, ...]:
        """The order of documents that share something; the default one where `survivor` is a word."""
        return _SURVIVOR_RULES if isinstance(self.survivor, str) else self.survivor

    @property
    def duplicates(self) -> Literal["drop", "drop_all", "flag"]:
        """What happens to duplicates: all but the survivor are dropped, all are, or none is."""
        match self.survivor:
            case "none":
                return "drop_all"
            case "flag":
                return "flag"
            case _:
                return "drop"


class Alarms(Section):
    """From where on numbers look wrong. An alarm stands in the manifest; null turns one off.

    Nothing here changes a decision or a row, so nothing here is in the digest: the same build with other alarms has the
    same `build_id`.
    """

    cluster_size: Count | None = 10_000
    """Documents in a cluster of candidates, or with equal texts, above which there is an alarm."""
    source_loss: Share | None = 0.9
    """Share of the documents of a registered domain that are dropped, above which there is an alarm."""
    source_records: Count = 1000
    """Documents that a registered domain must have to raise an alarm."""
    removal_rate: Share | None = 0.9
    """Share of all documents that are dropped, above which there is an alarm."""
    fail_on: Many[Alarm] = ()
    """Alarms that refuse to publish."""

    @field_validator("fail_on")
    @classmethod
    def _that_can_be_raised(cls, fail_on: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        off = ", ".join(f"`{name}`" for name in fail_on if name in info.data and info.data[name] is None)
        if off:
            raise ValueError(f"{off} is turned off by null and can refuse nothing; give it a limit or take it out here")
        return fail_on


class Plan(Section):
    """How the input is cut into parts."""

    part_size: Size = Field(default=32 << 20, ge=64 << 10)
    """Target size of a part, as its input is stored. One part is one documents file and one ledger file."""


class Run(Section):
    """How a run spends the machine. Nothing here changes the output, nor its digest."""

    shuffle_memory: Size = Field(default=1 << 30, ge=1)
    """About how much memory one pass of a shuffle may take on a local runner; less memory, more passes. On a cluster
    shuffles lie on disks and take one pass, and this is what one worker may take to connect candidates."""
    component_rounds: Count = 50
    """Rounds after which connecting candidates to clusters gives up and the run fails."""


class Config(Section):
    """All that a run may be told."""

    preset: Preset | None = None
    """A set of answers for `sources`, `policy` and `dedup.taint` beneath this config, which it fills up: see the rules.
    What is said here beats what the preset says."""
    crawl: Crawl
    """What is read."""
    sources: Sources = Sources()
    """Where documents may come from, and what tells of their origin."""
    policy: Policy = Policy()
    """What follows from what lists and signals say of a document."""
    dedup: Dedup = Dedup()
    """Which duplicates are removed."""
    takedowns: Many[Location] = ()
    """Requests to take work out (YAML), or certificates of `cleartitle takedown` (JSON, with the Parquet beside each).
    What they name is dropped, and by default what repeats it; no list, register or policy lets it in."""
    alarms: Alarms = Alarms()
    """From where on numbers look wrong."""
    plan: Plan = Plan()
    """How the input is cut into parts."""
    run: Run = Run()
    """How a run spends the machine."""

    @model_validator(mode="before")
    @classmethod
    def _above_its_preset(cls, data: Any) -> Any:
        return put_beneath(data)


def digest(
    config: Config,
    list_digests: Mapping[str, str],
    against_digests: Sequence[str] = (),
    takedown_digests: Sequence[str] = (),
) -> str:
    """SHA-256, in hex, of everything in the config that can change what the output says.

    `list_digests` gives for each list of `sources`, by name, the SHA-256 of what it holds, and under the name
    `REGISTER` that of the register, if there is one; `against_digests` gives for each entry of `dedup.against`, in its
    order, the digest of its content, and `takedown_digests` the same for `takedowns`. They stand for the paths. The
    plan of the input stands for `crawl.files` and `crawl.root`, and what a preset fills in for its name; `run` and
    `alarms` change nothing. KeyError if a list or the register has no digest; ValueError if `against_digests` is not as
    long as `dedup.against`, or `takedown_digests` as `takedowns`.
    """
    content = config.model_dump(
        mode="json",
        exclude={
            "preset": True,
            "run": True,
            "alarms": True,
            "crawl": {"files", "root"},
            "sources": {kind: {"__all__": {"path"}} for kind in LISTS},
            "dedup": {"near": {"preset", "permutations"}},
        },
    )
    sources = content["sources"]
    for listed in (listed for kind in LISTS for listed in sources[kind]):
        listed["sha256"] = list_digests[listed["name"]]
    sources["register"] = config.sources.register and list_digests[REGISTER]
    content["dedup"]["against"] = [sha256 for _, sha256 in zip(config.dedup.against, against_digests, strict=True)]
    content["takedowns"] = [sha256 for _, sha256 in zip(config.takedowns, takedown_digests, strict=True)]
    return _sha256(content)


def measure_digest(config: Config) -> str:
    """SHA-256, in hex, of what measuring depends on: configs that share it can share a measured store."""
    measured: dict[str, Any] = {
        "crawl": {"name", "format", "columns", "carry", "main_content"},
        "dedup": {"near": {"ngram", "bands", "rows"}},
        "plan": True,
    }
    return _sha256(config.model_dump(mode="json", include=measured))


def _sha256(content: object) -> str:
    """Digest of the canonical JSON: keys sorted, no spaces, ASCII only."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
