"""The output directory: nothing of a stranger's is ever touched, and what is refused names the ways out."""

from pathlib import Path

import pytest

from beam_jobs.output_dir import claim_output, sweep_output
from schemas.errors import OutputError
from tests.memory_files import MemoryFiles

FOLDERS = ("documents", "fingerprints", "ledger", "rejected", "replaced")
RUN = ("manifest.json", *(f"{folder}/part-00000.parquet" for folder in FOLDERS))
WORK = ("_work/measured/stage.json", "_work/decided/pairs-1-1-8/edges-000-00000.arrow")
STAGE = (
    "stage.json",
    "part-00000.json",
    "part-00000.parquet",
    "part-123456.rejected.parquet",
    "part-00001.replaced.parquet",
    "clusters.json",
    "components/stage.json",
    "members/part-00000.arrow",
    "pairs-3-1-8/part-00000.json",
    "verdicts-12-9/part-00000.json",
    "verdicts-12-9/pass-00000/clusters-00000.json",
)
LEFT = (".manifest.json.tmp-01ab", ".stage.json.tmp-01ab", ".part-00000.parquet.tmp-01ab")


def fill(directory: Path, *names: str) -> str:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text('{"build_id": "b"}' if name == "manifest.json" else "content")
    return str(directory)


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def refusal(directory: str, *, resume: bool = False, overwrite: bool = False) -> str:
    with pytest.raises(OutputError) as refused:
        claim_output(directory, resume=resume, overwrite=overwrite)
    return str(refused.value)


@pytest.mark.parametrize(("resume", "overwrite"), [(False, False), (True, False), (False, True)])
def test_empty_or_missing_directory_is_free(tmp_path: Path, resume: bool, overwrite: bool) -> None:
    """With or without a flag; nothing is made there yet."""
    for place in (tmp_path, tmp_path / "not" / "there"):
        claim_output(str(place), resume=resume, overwrite=overwrite)
    assert list(tmp_path.iterdir()) == []


def test_directory_that_holds_anything_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    """A run that was begun there is finished or removed only when asked."""
    for names in (RUN, ("notes.txt",)):
        directory = fill(tmp_path / names[0], *names)
        assert refusal(directory) == (
            f"{directory} is not empty. Add\n"
            "  --resume     to finish the run that was begun there, or\n"
            "  --overwrite  to remove what is there and begin anew."
        )
        assert files(Path(directory)) == sorted(names)


def test_resume_and_overwrite_exclude_each_other(tmp_path: Path) -> None:
    """Before anything is looked at."""
    directory = fill(tmp_path, *RUN)
    assert refusal(directory, resume=True, overwrite=True) == (
        "--resume keeps what is there, --overwrite removes it: give one of them."
    )
    assert files(tmp_path) == sorted(RUN)


@pytest.mark.parametrize("overwrite", [False, True])
def test_file_in_the_place_of_the_directory_is_refused(tmp_path: Path, overwrite: bool) -> None:
    """It stays, also with --overwrite; so does a link that points nowhere."""
    fill(tmp_path, "out")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("out", "link"):
        assert refusal(f"{tmp_path}/{name}", overwrite=overwrite) == (
            f"{tmp_path}/{name} is a file; --output names a directory."
        )
    assert (tmp_path / "out").read_text() == "content"


def test_empty_name_is_refused() -> None:
    """As a shell gives it for a variable that is not set; it would mean the root of the disk."""
    assert refusal("") == "--output is empty; name a directory."


@pytest.mark.parametrize("sign", ["manifest.json", "_work/x", "stage.json"])
def test_resume_wants_one_sign_of_a_run(tmp_path: Path, sign: str) -> None:
    """And leaves all that is there, strange things included."""
    directory = fill(tmp_path, sign, "documents/part-00000.parquet", "notes.txt")
    before = files(tmp_path)
    claim_output(directory, resume=True, overwrite=False)
    assert files(tmp_path) == before


@pytest.mark.parametrize(("resume", "overwrite"), [(True, False), (False, True)])
def test_documents_of_a_stranger_are_never_touched(tmp_path: Path, resume: bool, overwrite: bool) -> None:
    """A folder has the name of one of ours, but nothing says that a run wrote it."""
    directory = fill(tmp_path, "documents/thesis.tex", "ledger/2023.xlsx")
    assert refusal(directory, resume=resume, overwrite=overwrite) == (
        f"{directory} holds documents, ledger, but no run. Choose an empty directory."
    )
    assert files(tmp_path) == ["documents/thesis.tex", "ledger/2023.xlsx"]


@pytest.mark.parametrize(
    "names",
    [
        RUN,
        (*RUN, *WORK),
        STAGE,
        ("stage.json", *(f"{step}/x" for step in ("lists", "sources", "members", "verdicts-2-8"))),
        (*STAGE, *LEFT),
    ],
)
def test_overwrite_removes_all_that_a_run_writes(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Finished, half finished, or a stage alone; files that a killed run left unfinished as well."""
    claim_output(fill(tmp_path, *names), resume=False, overwrite=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "foreign", ["notes.txt", "part-time.txt", "part-00000.csv", ".git/config", ".part-00000.parquet"]
)
def test_overwrite_refuses_where_anything_else_is(tmp_path: Path, foreign: str) -> None:
    """Then nothing at all is removed."""
    directory = fill(tmp_path, *RUN, foreign)
    assert refusal(directory, overwrite=True) == (
        f"{directory} holds things that no run wrote: {foreign.split('/')[0]}.\n"
        "Move them away, or choose another directory; nothing was removed."
    )
    assert files(tmp_path) == sorted([*RUN, foreign])


def test_overwrite_removes_the_manifest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it is interrupted, what is left must not look like a whole dataset."""
    removed: list[str] = []
    monkeypatch.setattr("beam_jobs.output_dir.remove_tree", removed.append)
    claim_output(fill(tmp_path, *RUN, *WORK), resume=False, overwrite=True)
    assert [path.removeprefix(f"{tmp_path}/") for path in removed] == [
        "manifest.json",
        *FOLDERS,
        "_work",
    ]


def test_object_store_is_claimed_and_cleared_alike() -> None:
    """The same signs, refusals and removals."""
    MemoryFiles.files.clear()
    names = ("run/manifest.json", "run/documents/part-00000.parquet", "runs/x")
    MemoryFiles.files.update({f"memory://b/{name}": b'{"build_id": "b"}' for name in names})
    claim_output("memory://b/empty", resume=False, overwrite=False)
    assert refusal("memory://b/run").startswith("memory://b/run is not empty.")
    assert (
        refusal("memory://b/runs", overwrite=True) == "memory://b/runs holds x, but no run. Choose an empty directory."
    )
    claim_output("memory://b/run", resume=False, overwrite=True)
    assert list(MemoryFiles.files) == ["memory://b/runs/x"]


def test_sweep_removes_what_was_left_unfinished_in_a_dataset(tmp_path: Path) -> None:
    """In the dataset and its folders, and nothing else."""
    unfinished = (".manifest.json.tmp-1", *(f"{folder}/.part-00000.parquet.tmp-1" for folder in FOLDERS))
    sweep_output(fill(tmp_path, *RUN, *unfinished, "documents/.hidden"))
    assert files(tmp_path) == sorted([*RUN, "documents/.hidden"])


@pytest.mark.parametrize("content", ["", "[]", '{"name": "a web app"}'])
def test_manifest_of_something_else_is_no_sign_of_a_run(tmp_path: Path, content: str) -> None:
    """Many programs write a manifest.json; what lies beside it is theirs."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "thesis.txt").write_text("mine")
    (tmp_path / "manifest.json").write_text(content)
    assert "but no run" in refusal(str(tmp_path), overwrite=True)
    assert (tmp_path / "documents" / "thesis.txt").exists()


def test_overwrite_refuses_strange_files_inside_our_folders(tmp_path: Path) -> None:
    """Only part files are ours there."""
    for folder in FOLDERS:
        directory = fill(tmp_path / folder, *RUN, f"{folder}/thesis.txt")
        assert f"no run wrote: {folder}/thesis.txt." in refusal(directory, overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_output_that_holds_input_is_refused(tmp_path: Path, overwrite: bool) -> None:
    """It would be removed before it is read, or read again as a crawl."""
    fill(tmp_path, *RUN)
    inputs = [str(tmp_path / "documents" / "part-00000.parquet")]
    with pytest.raises(OutputError, match="holds 1 of the input files"):
        claim_output(str(tmp_path), resume=False, overwrite=overwrite, inputs=inputs)
    claim_output(str(tmp_path / "new"), resume=False, overwrite=False, inputs=inputs)


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_output_elsewhere_that_holds_input_is_refused_however_it_is_written(end: str) -> None:
    """A prefix of a bucket is often written with a slash, and --overwrite would remove the crawl."""
    held = "memory://held/out/documents/part-00000.parquet"
    MemoryFiles.files |= {"memory://held/out/manifest.json": b'{"build_id": "x"}', held: b"PAR1"}
    with pytest.raises(OutputError, match="holds 1 of the input files"):
        claim_output(f"memory://held/out{end}", resume=False, overwrite=True, inputs=[held])
    assert MemoryFiles.files.pop(held) == b"PAR1"
    assert MemoryFiles.files.pop("memory://held/out/manifest.json")
