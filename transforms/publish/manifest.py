"""The manifest as a file: written last and sealed; and letters for what is no finished dataset."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from schemas.errors import InputError
from transforms.part_store import MANIFEST, STAGE_FILE, exists, join, open_input, write_file

FORMAT_VERSION: Final = 4
"""4 added fingerprints of all documents, the indexes, takedowns and the seal; 3 `quarantine/`, the rights columns,
`register`, and more to `sources`; 2 `fingerprints/`, `replaced/`, and more keys."""
WORK: Final = "_work"
"""Folder of a dataset in which a run keeps what it needs until the manifest is written."""
_SEAL: Final = b' "seal": "'
_END: Final = b'"\n}\n'


def write_sealed_manifest(dataset: str, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json`, whose last line is the SHA-256 of all that stands before that line."""
    body = json.dumps({name: value for name, value in manifest.items() if name != "seal"}, indent=1, ensure_ascii=False)
    content = body.removesuffix("\n}").encode() + b",\n"
    with write_file(join(dataset, MANIFEST)) as file:
        file.write(content + _SEAL + hashlib.sha256(content).hexdigest().encode() + _END)


def is_sealed(content: bytes) -> bool:
    """Whether the bytes of a manifest are those that were written.

    >>> is_sealed(b"{}")
    False
    """
    body, seal, rest = content.rpartition(_SEAL)
    return bool(seal) and rest == hashlib.sha256(body).hexdigest().encode() + _END


def read_manifest(dataset: str) -> dict[str, Any]:
    """The manifest of a finished dataset. Raises InputError if there is none, or one that is damaged or foreign."""
    path = join(dataset, MANIFEST)
    try:
        if not exists(path):
            raise InputError(_letter_for_none(dataset))
        with open_input(path) as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    try:
        found: object = json.loads(content)
    except ValueError as error:
        raise InputError(f"{path} cannot be read: {error}.\nIt was damaged, or another program wrote it.") from error
    version = found.get("format_version") if isinstance(found, dict) else None
    if not isinstance(found, dict) or version is None:
        raise InputError(f"{path} is no manifest of a dataset: it has no `format_version`.\nAnother program wrote it.")
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        raise InputError(
            f"{path} is of format {version}; this version of cleartitle reads format {FORMAT_VERSION}.\n"
            + ("Install the version that wrote it" if newer else "Read it with the version that wrote it")
            + " (`versions` in the manifest), or make the dataset again."
        )
    if not is_sealed(content):
        raise InputError(
            f"{path} was changed after it was written: its seal does not fit its content.\n"
            "Restore it from a copy, or make the dataset again."
        )
    return found


def _letter_for_none(dataset: str) -> str:
    if exists(join(dataset, WORK, STAGE_FILE)) or exists(join(dataset, WORK, "takedown.json")):
        return (
            f"{dataset} holds a dataset that is not finished: its run was interrupted, or is still at work.\n"
            "Finish it: the command that began it, with --resume; a takedown: the same command again."
        )
    if exists(join(dataset, STAGE_FILE)):
        return (
            f"{dataset} holds a stage of a run (measured records or decisions) and no dataset.\n"
            "Name the output directory of `cleartitle curate` or `publish`."
        )
    return (
        f"{dataset} holds no finished dataset: there is no {MANIFEST} in it.\n"
        "Name the output directory of `cleartitle curate` or `publish`; finish a broken run with --resume."
    )
