"""Versions: what the bytes of a dataset depend on besides input and config, and whether a worker has the same."""

import platform
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Final

from schemas.errors import WorkError

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
_PACKAGES: Final = ("configs", "schemas", "transforms")


@cache
def versions() -> Mapping[str, str]:
    """Versions of this package and of the libraries that read and write for it, as installed where this runs."""
    return MappingProxyType({name: version(name) for name in ("cleartitle", *LIBRARIES)})


def worker_versions() -> dict[str, str]:
    """What a worker must have in common with the machine that sends a job: `versions`, Python, and our very sources."""
    return {name: _found(name) for name in ("Python", "cleartitle", *LIBRARIES)}


def check_versions(sent: Mapping[str, str]) -> None:
    """Raise WorkError if anything here is missing, or other than it was where the job was `sent` from."""
    here = {name: _found(name) for name in sent}
    wrong = [f"  {name}: {here[name]} here, {asked} there" for name, asked in sent.items() if here[name] != asked]
    if wrong:
        raise WorkError(
            "A worker has other packages than the machine that sent the job, so its bytes may differ:\n"
            + "\n".join(wrong)
            + "\nInstall the same versions in the workers' image or environment: constraints.txt lists them."
        )


@cache
def _found(name: str) -> str:
    if name == "Python":
        return ".".join(platform.python_version_tuple()[:2])
    try:
        return f"{version(name)} ({_sources()})" if name == "cleartitle" else version(name)
    except PackageNotFoundError:
        return "none"


def _sources() -> str:
    """A digest of the modules that run on workers: all checkouts between two releases have one version."""
    digest, top = sha256(), Path(__file__).parents[1]
    for package in _PACKAGES:
        for path in sorted((top / package).rglob("*.py")):
            digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]
