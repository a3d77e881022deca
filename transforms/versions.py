"""Versions: what the bytes of a dataset depend on besides input and config, and whether a worker has the same."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
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


@cache
def versions() -> Mapping[str, str]:
    """Versions of this package and of the libraries that read and write for it, as installed where this runs."""
    return MappingProxyType({name: version(name) for name in ("cleartitle", *LIBRARIES)})


def check_versions(sent: Mapping[str, str]) -> None:
    """Raise WorkError if a package here is missing, or of another version than where the job was `sent` from."""
    wrong = [
        f"  {name}: {found} here, {asked} there" for name, asked in sent.items() if (found := _found(name)) != asked
    ]
    if wrong:
        raise WorkError(
            "A worker has other packages than the machine that sent the job, so its bytes may differ:\n"
            + "\n".join(wrong)
            + "\nInstall the same versions in the workers' image or environment: constraints.txt lists them."
        )


def _found(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
