"""Prepare: everything a run must know, checked before any work starts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final

from configs.model import Config, Dedup, digest, measure_digest
from transforms.decide.all_parts import EarlierStore
from transforms.decide.duplicate_rules import DuplicateRules
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

LIBRARIES: Final = (
    "apache-beam",
    "pyarrow",
    "numpy",
    "numba",
    "FastWARC",
    "Resiliparse",
    "publicsuffixlist",
    "ada-url",
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
    versions: Mapping[str, str]

    @property
    def config_digest(self) -> str:
        return digest(self.config, self.sources.digests(), [store.digest for store in self.earlier])

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
    sources = _source_rules(config)
    files = list_files(config.crawl.files, config.crawl.root, config.crawl.format)
    near = config.dedup.near
    settings = NearSettings(near.ngram, near.bands, near.rows) if near else None
    return Prepared(
        config=config,
        plan=plan_parts(files, config.plan.part_size),
        sources=sources,
        read=map_columns(files, config.crawl),
        near=settings,
        duplicates=_duplicate_rules(config.dedup),
        earlier=open_earlier(config.dedup.against, fingerprint_facts(settings)),
        versions={name: version(name) for name in ("cleartitle", *LIBRARIES)},
    )


def _source_rules(config: Config) -> SourceRules:
    named = config.sources
    return SourceRules(
        lists=SourceLists.read(named.blocklists, named.allow, named.allowlists),
        markers=MarkerLists.read(named.markers),
        publishers=PublisherLists.read(named.publishers),
        register=Register.read(named.register),
        policy=config.policy,
    )


def _duplicate_rules(dedup: Dedup) -> DuplicateRules:
    rules = DuplicateRules(
        url=dedup.url is not None,
        exact=dedup.exact is not None,
        survivor=dedup.survivor_rules,
        duplicates=dedup.duplicates,
        taint=dedup.taint,
        overlap=dedup.overlap,
        within=dedup.within,
    )
    near = dedup.near
    if near is None:
        return rules
    return replace(
        rules,
        threshold=near.threshold,
        ngram=near.ngram,
        bands=near.bands,
        rows=near.rows,
        signature=near.verify == "signature",
        most_estimates=near.most_estimates,
        most_comparisons=near.most_comparisons,
    )


def _sha256(*digests: str) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
