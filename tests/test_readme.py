"""The README is true: its commands run as they stand, its first screen is what the demo prints, its links exist."""

import re
import shlex
from pathlib import Path

import pytest

from demo.write_crawl import main as write_crawl
from tests.jobs import assert_books_balance, run, write_jsonl
from tests.warc_files import http, response, warc_file

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIG = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the README's config and the files it names."""
    place = tmp_path_factory.mktemp("readme")
    for name in ("crawl", "more", "lists"):
        (place / name).mkdir()
    assert CONFIG is not None
    (place / "crawl.yaml").write_text(CONFIG[1])
    pages = [response(http(f"<p>Page {i} of many.</p>".encode()), f"urn:uuid:{i}") for i in range(3)]
    (place / "crawl" / "a.warc.gz").write_bytes(warc_file(pages, gzipped=True))
    write_jsonl(place / "more" / "b.jsonl", [{"id": "b", "text": "A line of text."}])
    (place / "lists" / "shadow_libraries.txt").write_text("library.example\n")
    return place


def test_readme_has_commands() -> None:
    """So that the test below cannot pass by finding none."""
    assert len(COMMANDS) == 8


def test_commands_run_in_the_order_of_the_readme(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each exits with 0, and the datasets they make balance."""
    monkeypatch.chdir(place)
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "cleartitle"
        assert run(*arguments) == 0, command
    for name in ("dataset", "strict", "processes"):
        assert_books_balance(place / name)


def test_first_screen_has_two_commands_and_the_table_of_the_demo() -> None:
    """Within the first 40 lines: one sentence, two commands, and the rows that a summary has."""
    screen = "\n".join(README.splitlines()[:40])
    assert re.findall(r"^    make (\w+)", screen, re.MULTILINE) == ["setup", "demo"]
    for row in ("records in", "kept", "dropped", "rejected", "near_duplicate", "blocklist", "time"):
        assert f"│ {row}" in screen.replace("│   ", "│ ")


def test_table_is_what_the_demo_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every count of the table, if the demo's crawl has been fetched before (it is not fetched by tests)."""
    data = ROOT / "demo" / "data"
    if not list(data.glob("*.tar.gz")):
        pytest.skip("the demo's crawl is not fetched yet: run `make demo`")
    assert write_crawl([str(data)]) == 0
    assert run("curate", ROOT / "demo" / "config.yaml", "--output", tmp_path / "out", "--quiet") == 0
    printed = capsys.readouterr().out
    counts = {tuple(re.findall(r"[\w ]*\w", line)[:2]) for line in printed.splitlines() if line.startswith("│")}
    for line in README.splitlines():
        row = tuple(re.findall(r"[\w ]*\w", line)[:2])
        if line.startswith("    │") and row[0].strip() not in ("time", "written", "read"):
            assert tuple(cell.strip() for cell in row) in {tuple(cell.strip() for cell in found) for found in counts}


def test_links_lead_to_files() -> None:
    """Relative links of the README and the documents."""
    for page in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"
