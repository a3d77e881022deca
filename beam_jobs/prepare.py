"""Prepare: everything a run must know, checked before any work starts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from configs.model import Config, digest, measure_digest
from transforms.decide.all_parts import EarlierStore
from transforms.decide.duplicate_rules import DuplicateRules, duplicate_rules
from transforms.decide.earlier_stores import open_earlier
from transforms.decide.lists.load_lists import SourceLists
from transforms.decide.markers import MarkerLists
from transforms.decide.publishers import PublisherLists
from transforms.decide.sources_register import Register
from transforms.decide.weigh_sources import SourceRules
from transforms.measure.fingerprint import RULES_VERSION, NearSettings, fingerprint_facts
from transforms.measure.list_files import list_files
from transforms.measure.map_columns import map_columns
from transforms.measure.plan_parts import Plan, plan_parts
from transforms.measure.read_records import ReadRules
from transforms.measure.rights.find_rights import SIGNALS_VERSION
from transforms.takedowns.match_selectors import Asked, SelectorIndex
from transforms.takedowns.open_takedowns import asked_by, open_takedowns
from transforms.takedowns.read_takedown import Takedown
from transforms.versions import versions

_WITHOUT_NEAR: Final = (
    "warning: `dedup.near` is null, so of what `takedowns` take out only equal texts are found again. "
    "Leave it out to find edited copies too."
)


@dataclass(frozen=True)
class Prepared:
    """A config with all that follows from it and from the files it names."""

    config: Config
    plan: Plan
    sources: SourceRules
    read: ReadRules
    near: NearSettings | None
    duplicates: DuplicateRules
    earlier: tuple[EarlierStore, ...]
    takedowns: tuple[Takedown, ...]
    versions: Mapping[str, str]

    @property
    def config_digest(self) -> str:
        earlier = [store.digest for store in self.earlier]
        takedowns = [asked.content for asked in self.sources.takedowns.takedowns]
        return digest(self.config, self.sources.digests(), earlier, takedowns)

    @property
    def measured_digest(self) -> str:
        """What the measured store depends on: the input, how it is read, and by which versions of what reads it."""
        rules = {"rules": RULES_VERSION, "signals": SIGNALS_VERSION}
        versions = json.dumps({**self.versions, **rules}, sort_keys=True)
        return _sha256(self.plan.digest(), measure_digest(self.config), versions)

    @property
    def build_digest(self) -> str:
        """What the dataset depends on. Its first 16 digits are the `build_id`."""
        return _sha256(self.measured_digest, self.config_digest)

    @property
    def build_id(self) -> str:
        return self.build_digest[:16]


def prepare(config: Config) -> Prepared:
    """List and check the input, read the lists. Raises UsageError for all that is wrong with them."""
    near = config.dedup.near
    settings = NearSettings(near.ngram, near.bands, near.rows) if near else None
    rules = duplicate_rules(config.dedup)
    takedowns = open_takedowns(config.takedowns, fingerprint_facts(settings))
    asked = [asked_by(takedown, rules.threshold) for takedown in takedowns]
    sources = _source_rules(config, asked)
    files = list_files(config.crawl.files, config.crawl.root, config.crawl.format)
    return Prepared(
        config=config,
        plan=plan_parts(files, config.plan.part_size),
        sources=sources,
        read=map_columns(files, config.crawl),
        near=settings,
        duplicates=replace(rules, takedowns=tuple(one.limit for one in asked)),
        earlier=open_earlier(config.dedup.against, fingerprint_facts(settings)),
        takedowns=takedowns,
        versions=versions(),
    )


def _source_rules(config: Config, asked: Sequence[Asked]) -> SourceRules:
    named = config.sources
    blind = config.dedup.near is None and any(one.limit is not None for one in asked)
    return SourceRules(
        lists=SourceLists.read(named.blocklists, named.allow, named.allowlists),
        markers=MarkerLists.read(named.markers),
        publishers=PublisherLists.read(named.publishers),
        register=Register.read(named.register),
        policy=config.policy,
        takedowns=SelectorIndex.build(asked),
        notes=(_WITHOUT_NEAR,) if blind else (),
    )


def _sha256(*digests: str) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
