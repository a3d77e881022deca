"""Versions: a worker with other packages than the machine that sent the job is found before it writes anything."""

from importlib.metadata import version
from typing import Any

import apache_beam as beam
import pytest

from beam_jobs.engine import Engine
from beam_jobs.options import beam_options
from schemas.errors import WorkError
from transforms import spread_parts
from transforms.spread_parts import SpreadParts
from transforms.versions import LIBRARIES, check_versions, versions


def test_versions_are_those_installed() -> None:
    """Ours, and all libraries that read or write the bytes of a dataset."""
    assert list(versions()) == ["cleartitle", *LIBRARIES]
    assert versions()["pyarrow"] == version("pyarrow")


def test_versions_cannot_be_changed() -> None:
    """They are looked up once and shared."""
    with pytest.raises(TypeError):
        versions()["pyarrow"] = "0"  # type: ignore[index]


def test_worker_with_the_same_versions_passes() -> None:
    """Nothing is raised."""
    check_versions(versions())


def test_worker_with_other_versions_is_told_of_all_that_differ() -> None:
    """Each by name with both versions, and what is missing altogether."""
    beam_here = version("apache-beam")
    with pytest.raises(WorkError) as refusal:
        check_versions({**versions(), "apache-beam": "2.76.0", "no-such-package": "1.0"})
    assert str(refusal.value) == (
        "A worker has other packages than the machine that sent the job, so its bytes may differ:\n"
        f"  apache-beam: {beam_here} here, 2.76.0 there\n"
        "  no-such-package: none here, 1.0 there\n"
        "Install the same versions in the workers' image or environment: constraints.txt lists them."
    )


def test_every_pipeline_finds_such_a_worker_in_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letter arrives as it was written, and no part is touched."""
    monkeypatch.setattr(spread_parts, "versions", lambda: {"apache-beam": "2.76.0"})
    touched = list[Any]()
    with pytest.raises(WorkError, match=r"^A worker has other packages .*\n  apache-beam: .* here, 2\.76\.0 there\n"):
        Engine(beam_options(["--direct_num_workers=1"])).run(
            "measure", lambda root: root | SpreadParts([0, 1]) | beam.Map(touched.append)
        )
    assert touched == []
