"""The package as `--setup_file` sends it to workers: all that a worker needs, and nothing else."""

import ast
import subprocess
import sys
import tarfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from apache_beam.runners.portability.stager import Stager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.dataflow_runs import ROOT, copy_checkout
from tests.jobs import write_config, write_jsonl
from tests.test_imports import SOURCES, imports, parsed

ABOUT = {"MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg", "setup.py"}
FOLDERS = sorted({path.relative_to(ROOT).parts[0] for path in SOURCES})


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as Beam builds it from a clone, unpacked."""
    place = tmp_path_factory.mktemp("sdist")
    packed = Stager._build_setup_package(str(copy_checkout(place / "clone") / "setup.py"), str(place))
    with tarfile.open(packed) as archive:
        archive.extractall(place, filter="data")
    return place / Path(packed).name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def installed(sdist: Path) -> Path:
    """What an install of it puts into `site-packages`."""
    command = [sys.executable, "setup.py", "--quiet", "build", "--build-lib", "../installed"]
    subprocess.run(command, cwd=sdist, check=True, capture_output=True)
    return sdist.parent / "installed"


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def our_files() -> set[str]:
    """Every file of the packages, but those that Python and numba leave there."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def test_sdist_is_the_packages_and_their_data(sdist: Path) -> None:
    """Lists, presets and tables too; neither tests nor benchmarks nor the demo."""
    sent = {name for name in files_of(sdist) if ".egg-info" not in name}
    assert sent - ABOUT == our_files()


def test_install_from_the_sdist_has_every_file(installed: Path) -> None:
    """A file that is sent and not installed would be missing on a worker alone."""
    assert files_of(installed) == our_files()


def test_installed_command_finds_its_lists_presets_and_tables(installed: Path, tmp_path: Path) -> None:
    """In a process that sees the installed files alone."""
    write_jsonl(tmp_path / "crawl.jsonl", [{"text": "a"}])
    crawl = {"name": "t", "files": ["crawl.jsonl"]}
    config = write_config(tmp_path / "config.yaml", {"preset": "cautious", "crawl": crawl})
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from beam_jobs import cli; from transforms.kernels import characters\n"
        "assert cli.__file__.startswith(sys.path[0]) and characters.__file__.startswith(sys.path[0])\n"
        "cli.main()"
    )
    command = [sys.executable, "-I", "-c", script, str(installed), "config", "check", str(config)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == f"{config} is right: 1 files, 14 B, 1 parts.\n"


def test_everything_imported_is_required() -> None:
    """A worker has what `install_requires` and the extras for object stores name, and what that requires in turn."""
    (call,) = [n for n in ast.walk(parsed(ROOT / "setup.py")) if isinstance(n, ast.Call)]
    named = ast.literal_eval(next(k.value for k in call.keywords if k.arg == "install_requires"))
    named += _required("apache-beam", "aws", "gcp")
    further = [line for name in named for line in _required(Requirement(name).name)]
    given = {canonicalize_name(Requirement(line).name) for line in [*named, *further]}
    of_module = packages_distributions()
    modules = {module.split(".")[0] for path in SOURCES for module in imports(parsed(path))}
    foreign = modules - set(FOLDERS) - set(sys.stdlib_module_names)
    wanted = {module: {canonicalize_name(name) for name in of_module.get(module, [])} for module in foreign}
    assert {module for module, names in wanted.items() if not names & given} == set()


def _required(name: str, *extras: str) -> list[str]:
    """What an installed package requires here, with those extras of it; nothing if it is not installed."""
    try:
        lines = [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:
        return []
    chosen = [{"extra": extra} for extra in ("", *extras)]
    return [line.name for line in lines if not line.marker or any(line.marker.evaluate(one) for one in chosen)]
