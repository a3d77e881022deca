"""The distribution: jars of Flink, as the PyPI package `apache-flink-libraries` carries them."""

import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from engines.flink.commands import run
from engines.places import held, made
from schemas.errors import UsageError


class Release(NamedTuple):
    """A release of Flink: its version, and the SHA-256 of its `apache-flink-libraries` on PyPI."""

    version: str
    sha256: str


RELEASES: Final[Mapping[str, Release]] = MappingProxyType(
    {
        "1.19": Release("1.19.3", "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60"),
        "1.20": Release("1.20.1", "be28293619b1d7b04c970b947133ae8d0ca86681f23694be063b3659ea69bb79"),
    }
)
"""By the version that job servers are named by."""


def release_of(flink: str) -> Release:
    """The release that is fetched for a version such as `1.19`. Raises UsageError if there is none."""
    if flink not in RELEASES:
        raise UsageError(f"The job server is one for Flink {flink}; here Flink {' or '.join(RELEASES)} can be started.")
    return RELEASES[flink]


def distribution(release: Release) -> Path:
    """Directory of the release's jars (`lib` of its distribution), fetched from PyPI first if it is not there (230 MB).

    Of processes that want it at the same time one fetches it and the others wait. Raises WorkError if that fails.
    """
    with held(f"flink-{release.version}") as directory:
        return made(directory / "lib", lambda lib: _fetch(release, lib))


def _fetch(release: Release, lib: Path) -> None:
    name = f"apache-flink-libraries-{release.version}"
    with tempfile.TemporaryDirectory(dir=lib.parent) as directory:
        wanted = Path(directory, "wanted.txt")
        wanted.write_text(f"apache-flink-libraries=={release.version} --hash=sha256:{release.sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run([*pip, "--dest", directory, "--requirement", str(wanted)], f"Flink {release.version} cannot be fetched")
        with tarfile.open(Path(directory, f"{name}.tar.gz")) as archive:
            jars = [file for file in archive.getmembers() if file.name.startswith(f"{name}/deps/lib/")]
            archive.extractall(directory, jars, filter="data")
        Path(directory, name, "deps", "lib").rename(lib)
