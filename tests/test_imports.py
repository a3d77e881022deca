"""The walls between the folders, found by reading the sources; and the limits that keep them readable."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("schemas", "configs", "transforms", "lineage", "beam_jobs")
OURS = {*PACKAGES, "tests", "demo", "benchmarks"}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# What the modules under a prefix may import of ours; the longest prefix that fits holds.
MAY_IMPORT = {
    "schemas": {"schemas"},
    "configs": {"schemas", "configs"},
    "transforms.kernels": {"transforms.kernels"},
    "transforms": {"schemas", "configs", "transforms"},
    "lineage": {"schemas", "configs", "transforms", "lineage"},
    "beam_jobs": {"schemas", "configs", "transforms", "lineage", "beam_jobs"},
}
NEVER_IN_KERNELS = {"pyarrow", "apache_beam"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules that a source imports, wherever the import stands; a relative one begins with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            # `from transforms import kernels` imports transforms.kernels.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_under(module: str, prefix: str) -> bool:
    return f"{module}.".startswith(f"{prefix}.")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_imports_only_what_its_folder_may(path: Path) -> None:
    """schemas, then configs and kernels, transforms, lineage, beam_jobs; none of them tests or the demo."""
    folder = max((prefix for prefix in MAY_IMPORT if is_under(name_of(path), prefix)), key=len)
    ours = [module for module in imports(parsed(path)) if module.split(".")[0] in OURS or module.startswith(".")]
    assert [m for m in ours if not any(is_under(m, allowed) for allowed in MAY_IMPORT[folder])] == []


@pytest.mark.parametrize("later", [2, 1])
def test_wing_knows_none_that_comes_after_it(later: int) -> None:
    """measure, decide, publish: what a stage reads of another is what that one wrote before."""
    wings = [f"transforms.{wing}" for wing in ("measure", "decide", "publish")]
    for path in SOURCES:
        if any(is_under(name_of(path), wing) for wing in wings[:later]):
            assert not [m for m in imports(parsed(path)) if is_under(m, wings[later])], path


@pytest.mark.parametrize("path", [p for p in SOURCES if is_under(name_of(p), "transforms.kernels")], ids=name_of)
def test_kernel_knows_neither_arrow_nor_beam(path: Path) -> None:
    """Numbers only: numpy and numba."""
    assert {module.split(".")[0] for module in imports(parsed(path))} & NEVER_IN_KERNELS == set()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_source_stays_readable(path: Path) -> None:
    """No file over 400 lines, no function over 60."""
    functions = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 60] == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_source_never_prints(path: Path) -> None:
    """The command speaks through click and rich, the rest not at all; demo and benchmarks may."""
    calls = [node.func for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    assert [call.lineno for call in calls if isinstance(call, ast.Name) and call.id == "print"] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b, c", ["a.b", "c"]),
        ("from a import b as x", ["a.b"]),
        ("def f():\n    from a.b import c, d", ["a.b.c", "a.b.d"]),
        ("from . import x\nfrom ..y import z", ["..x", "..y.z"]),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, expected: list[str]) -> None:
    """The walls above are only as good as this."""
    assert list(imports(ast.parse(source))) == expected


def test_setup_installs_every_package_and_nothing_else() -> None:
    """What a worker installs: each folder with an `__init__.py`, named one by one, and never the tests or the demo."""
    (call,) = [n for n in ast.walk(parsed(ROOT / "setup.py")) if isinstance(n, ast.Call)]
    named = ast.literal_eval(next(k.value for k in call.keywords if k.arg == "packages"))
    folders = [name_of(path) for path in SOURCES if path.name == "__init__.py"]
    assert sorted(named) == sorted(folders)


def test_every_folder_with_sources_is_a_package() -> None:
    """A folder without an `__init__.py` would be missing on a worker."""
    assert [str(p.parent) for p in SOURCES if not (p.parent / "__init__.py").exists()] == []


def test_command_starts_without_beam_and_arrow() -> None:
    """Help and a wrong option answer at once; what a command needs is loaded when it runs."""
    code = "import sys, beam_jobs.cli; print(*{'apache_beam', 'pyarrow', 'numba'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
