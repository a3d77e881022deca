"""Prepare: everything a run must know, checked before any work starts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from configs.model import Config, digest, measure_digest
from transforms.decide.load_lists import SourceLists
from transforms.decide.mark_duplicates import DuplicateRules
from transforms.measure.fingerprint import NearSettings
from transforms.measure.list_files import list_files
from transforms.measure.map_columns import map_columns
from transforms.measure.plan_parts import Plan, plan_parts
from transforms.measure.read_records import ReadRules

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
    lists: SourceLists
    read: ReadRules
    near: NearSettings | None
    duplicates: DuplicateRules
    versions: Mapping[str, str]

    @property
    def config_digest(self) -> str:
        return digest(self.config, {listed.name: listed.sha256 for listed in self.lists.references})

    @property
    def measured_digest(self) -> str:
        """What the measured store depends on: the input, how it is read, and by which versions of what reads it."""
        versions = json.dumps(dict(self.versions), sort_keys=True)
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
    lists = SourceLists.read(config.sources.blocklists, config.sources.allow)
    files = list_files(config.crawl.files, config.crawl.root, config.crawl.format)
    near = config.dedup.near
    return Prepared(
        config=config,
        plan=plan_parts(files, config.plan.part_size),
        lists=lists,
        read=map_columns(files, config.crawl),
        near=NearSettings(near.ngram, near.bands, near.rows) if near else None,
        duplicates=DuplicateRules(
            url=config.dedup.url is not None,
            exact=config.dedup.exact is not None,
            threshold=near.threshold if near else 1.0,
            bands=near.bands if near else 0,
            rows=near.rows if near else 0,
            survivor=config.dedup.survivor,
            taint=config.dedup.taint,
        ),
        versions={name: version(name) for name in ("cleartitle", *LIBRARIES)},
    )


def _sha256(*digests: str) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
