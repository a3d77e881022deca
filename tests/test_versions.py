"""Versions: a worker with other packages than the machine that sent the job is found before it writes anything."""

import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from beam_jobs.runners.engine import Engine
from beam_jobs.runners.options import beam_options
from schemas.errors import WorkError
from transforms import spread_parts
from transforms import versions as module
from transforms.spread_parts import SpreadParts
from transforms.versions import LIBRARIES, check_versions, versions, worker_versions


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
    check_versions(worker_versions())


def test_worker_with_other_versions_is_told_of_all_that_differ() -> None:
    """Each by name with both versions, and what is missing altogether."""
    beam_here, python_here = version("apache-beam"), f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(WorkError) as refusal:
        check_versions({**worker_versions(), "apache-beam": "2.76.0", "no-such-package": "1.0", "Python": "3.9"})
    assert str(refusal.value) == (
        "A worker has other packages than the machine that sent the job, so its bytes may differ:\n"
        f"  Python: {python_here} here, 3.9 there\n"
        f"  apache-beam: {beam_here} here, 2.76.0 there\n"
        "  no-such-package: none here, 1.0 there\n"
        "Install the same versions in the workers' image or environment: constraints.txt lists them."
    )


def test_checkouts_of_one_version_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two releases every checkout has one version, so the sources themselves are compared."""
    ours = worker_versions()["cleartitle"]
    assert re.fullmatch(rf"{re.escape(version('cleartitle'))} \([0-9a-f]{{8}}\)", ours)
    other = ours[:-2] + ("0" if ours[-2] != "0" else "1") + ")"
    with pytest.raises(WorkError, match=re.escape(f"  cleartitle: {ours} here, {other} there\n")):
        check_versions({"cleartitle": other})


def test_digest_of_sources_follows_every_module_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By content and by name; what is no module does not count."""
    for package in ("configs", "schemas", "transforms"):
        (tmp_path / package / "deep").mkdir(parents=True)
    (tmp_path / "configs" / "deep" / "a.py").write_text("a = 1")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "transforms" / "versions.py"))
    seen = [module._sources()]
    for name, text in {"configs/deep/a.py": "a = 2", "schemas/b.py": "", "transforms/b.txt": "?"}.items():
        (tmp_path / name).write_text(text)
        seen.append(module._sources())
    assert len({*seen}) == 3
    assert seen[-1] == seen[-2]


def test_every_pipeline_finds_such_a_worker_in_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letter arrives as it was written, and no part is touched."""
    monkeypatch.setattr(spread_parts, "worker_versions", lambda: {"apache-beam": "2.76.0"})
    touched = list[Any]()
    with pytest.raises(WorkError, match=r"^A worker has other packages .*\n  apache-beam: .* here, 2\.76\.0 there\n"):
        Engine(beam_options(["--direct_num_workers=1"])).run(
            "measure", lambda root: root | SpreadParts([0, 1]) | beam.Map(touched.append)
        )
    assert touched == []
