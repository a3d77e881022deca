"""Check the files: each one that the manifest lists is there, byte for byte, and no other lies beside it."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from lineage.verification.findings import Findings
from schemas.columns import TABLES
from transforms.part_store import MANIFEST, file_facts, file_size, is_unfinished, join, list_file_names
from transforms.publish.manifest import WORK
from transforms.remote_files import is_http

_FOLDERS: Final = [table.name for table in TABLES]
"""What a folder of a dataset may be called; there are other names among them, of which it has none."""


def check_files(dataset: str, manifest: Mapping[str, Any], findings: Findings) -> set[str]:
    """Names of the files that are as the manifest says; the others are faults.

    SHA-256 lets go of the interpreter, so files are hashed by a thread a core.
    """
    files: Mapping[str, Mapping[str, Any]] = manifest["files"]
    names = sorted(files)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = pool.map(lambda name: _fault(join(dataset, name), files[name]), names)
        faults = {name: fault for name, fault in zip(names, wrong, strict=True) if fault}
    for name, fault in faults.items():
        findings.fault("files", fault, name)
    size = sum(files[name]["bytes"] for name in names)
    findings.say("files", f"{len(names) - len(faults):,} of {len(names):,} are as listed, {size:,} bytes in all")
    _find_strangers(dataset, files, findings)
    return set(names) - faults.keys()


def _fault(path: str, said: Mapping[str, Any]) -> str | None:
    try:
        size = file_size(path)
        if size is None:
            return "it is not there; restore it from a copy"
        if size != said["bytes"]:
            return f"it has {size:,} bytes, and had {said['bytes']:,} when it was written; restore it from a copy"
        found = file_facts(path)["sha256"]
    except OSError as error:
        return f"it cannot be read: {error}"
    if found != said["sha256"]:
        return f"its bytes were changed: SHA-256 is {found}, and was {said['sha256']}; restore it from a copy"
    return None


def _find_strangers(dataset: str, files: Mapping[str, Any], findings: Findings) -> None:
    """Name what lies in the folders of the dataset and is not listed, and what a killed run left unfinished."""
    if is_http(dataset):
        findings.say("files", "what else lies there is not known: nothing can be listed over HTTP")
        return
    beside = list_file_names(dataset)
    folders = {*_FOLDERS, *(name.partition("/")[0] for name in files)}
    for folder in sorted(folders):
        for name in list_file_names(join(dataset, folder)):
            if f"{folder}/{name}" not in files:
                findings.fault("files", _stranger(name), f"{folder}/{name}")
    for name in beside:
        if name not in (MANIFEST, WORK, *folders):
            findings.fault("files", _stranger(name), name)
    if WORK in beside:
        findings.say("files", f"beside them lies {WORK}, of a run that ended early or is under way; not checked")


def _stranger(name: str) -> str:
    if is_unfinished(name):
        return "a killed run left it unfinished; remove it"
    return "the manifest does not list it; remove it, or find out who put it there"
