"""Check the manifest: sealed, of this format, and complete."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lineage.verification.findings import Findings
from transforms.part_store import MANIFEST, exists, join, open_input
from transforms.publish.manifest import FORMAT_VERSION, is_sealed, read_manifest

_KEYS: Final[Mapping[str, type]] = {
    "build_id": str,
    "version_id": str,
    "crawl": str,
    "counts.dropped_by": dict,
    "counts.quarantined_by": dict,
    "marks": dict,
    "flags": dict,
    "rejected_by": dict,
    "rights_basis": dict,
    "bytes": dict,
    "files": dict,
    "index": dict,
    "duplicates.against": list,
    "duplicates.survivor_policy": str,
    "fingerprint.rules": int,
    "config.crawl.carry": list,
    "plan.files": list,
    "versions": dict,
    "sources": list,
    "takedowns": list,
    "urls_without_host": int,
}
"""What the other checks go by, and of which type it is; a dot leads into a key."""
_ENTRIES: Final[Mapping[str, Mapping[str, type]]] = {
    "files": {"bytes": int, "sha256": str},
    "sources": {"name": str, "matches": int},
    "duplicates.against": {"build": str},
    "plan.files": {"name": str},
    "takedowns": {"id": str, "sha256": str, "records": int, "witnesses": str},
}
"""What each entry of some keys must say."""


def check_manifest(dataset: str, findings: Findings) -> dict[str, Any] | None:
    """The manifest; None if it is not as it was written, so that nothing can be checked by it.

    Raises InputError where there is no finished dataset, or one of another format.
    """
    path = join(dataset, MANIFEST)
    content = b""
    if exists(path):
        with open_input(path) as stream:
            content = stream.read()
    if content and not is_sealed(content) and not _is_of_another_format(content):
        fault = "it was changed after it was written: its seal does not fit its content; restore it from a copy"
        findings.fault("manifest", fault, MANIFEST)
        findings.say("manifest", "damaged; nothing else can be checked without it")
        return None
    manifest = read_manifest(dataset)
    for fault in _incomplete(manifest):
        findings.fault("manifest", fault, MANIFEST)
    if findings.count:
        findings.say("manifest", "incomplete; nothing else can be checked by it")
        return None
    version = "" if manifest["version_id"] == manifest["build_id"] else f", version {manifest['version_id']}"
    findings.say("manifest", f"sealed, format {FORMAT_VERSION}, build {manifest['build_id']}{version}")
    return manifest


def _is_of_another_format(content: bytes) -> bool:
    """Whether it is a manifest of an earlier format, which had no seal."""
    try:
        found: object = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and "seal" not in found and found.get("format_version") != FORMAT_VERSION


def _incomplete(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield from _missing(manifest, _KEYS, "")
    for place, keys in _ENTRIES.items():
        entries = _follow(manifest, place)
        named = (
            entries.items() if isinstance(entries, dict) else enumerate(entries if isinstance(entries, list) else ())
        )
        for name, entry in named:
            yield from _missing(entry, keys, f"{place}.{name}.")


def _missing(said: object, wanted: Mapping[str, type], prefix: str) -> Iterator[str]:
    for key, kind in wanted.items():
        if not isinstance(_follow(said, key), kind):
            yield f"`{prefix}{key}` is missing, or is no {kind.__name__}"


def _follow(said: object, key: str) -> object:
    for step in key.split("."):
        said = said.get(step) if isinstance(said, dict) else None
    return said
