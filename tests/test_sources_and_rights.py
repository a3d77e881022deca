"""Sources and rights through the whole command: lists, markers, register, policy, presets and quarantine."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import configs
from configs import near
from tests.jobs import assert_books_balance, digests, ledger, manifest, run, table, write_config, write_jsonl
from tests.warc_files import conversion, http, response, warc_file
from transforms.measure import read_records as reading

WORDS = "the clerk shall file {0} complaint {0} and the court shall hear {0} party {0} on every day {0} of the term {0}"
NOTICES = (
    "© 2019 Harper & Daughters",
    "Copyright (c) 1998-2003 Jane Q. Doe. All rights reserved.",
    "Tous droits réservés",
    "ISBN 978-0-13-110362-7",
    "No part of this book may be reproduced",
)


def words(seed: int) -> str:
    """A text of its own, like none of another seed."""
    return " ".join(WORDS.format(f"{number}x{seed}") for number in range(12))


def decisions(dataset: Path) -> dict[str, tuple[str, str | None]]:
    return {name: (row["decision"], row["reason"]) for name, row in ledger(dataset).items()}


def rules(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(mark["rule"], mark["action"]) for mark in row["marks"]]


def page(body: str, head: str = "", **fields: str) -> bytes:
    html = f"<html><head><title>t</title>{head}</head><body>{body}</body></html>"
    return http(html.encode(), "text/html; charset=utf-8", fields)


def footer_page(seed: int, notice: str) -> bytes:
    main = "".join(f"<p>{words(seed + 100 * number)}</p>" for number in range(3))
    return page(f"<nav><a href=/>Home</a></nav><main>{main}</main><footer><div>{notice}</div></footer>")


@pytest.fixture
def noticed(tmp_path: Path) -> dict[str, Any]:
    """Documents with notices in every format, in the text and in footers; each declares or is given a licence."""
    links = {"Link": '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'}
    pages = []
    for number, notice in enumerate(NOTICES):
        message = footer_page(number, notice).replace(b"\r\n\r\n", f"\r\nLink: {links['Link']}\r\n\r\n".encode(), 1)
        pages.append(response(message, f"urn:uuid:{number}", f"https://pages.example/{number}"))
    (tmp_path / "pages.warc").write_bytes(warc_file(pages))
    texts = [f"{words(50 + n)}\n{notice}\n{words(60 + n)}" for n, notice in enumerate(NOTICES)]
    wet = [conversion(text, f"urn:uuid:w{n}", f"https://texts.example/{n}") for n, text in enumerate(texts)]
    (tmp_path / "texts.warc.wet").write_bytes(warc_file(wet))
    lines = [f"{words(70 + n)} {notice}" for n, notice in enumerate(NOTICES)]
    rows = [{"id": f"j{n}", "text": text, "url": f"https://lines.example/{n}"} for n, text in enumerate(lines)]
    write_jsonl(tmp_path / "lines.jsonl", rows)
    free = [{"host": host, "basis": "public_domain"} for host in ("texts.example", "lines.example")]
    write_config(tmp_path / "register.yaml", {"sources": free})
    return {
        "crawl": {"name": "n", "files": ["pages.warc", "texts.warc.wet", "lines.jsonl"]},
        "sources": {"register": "register.yaml"},
    }


SHIPPED_PRESETS: list[dict[str, Any]] = [
    {},
    *({"preset": path.stem} for path in sorted(Path(configs.__file__).with_name("presets").glob("*.yaml"))),
    *({"dedup": {"near": {"preset": name}}} for name in get_args(near.Preset)),
]


@pytest.mark.parametrize("preset", SHIPPED_PRESETS, ids=str)
def test_every_notice_is_still_in_the_text_under_every_preset(
    noticed: dict[str, Any], tmp_path: Path, preset: dict[str, Any]
) -> None:
    """Prose, WET and JSON Lines as they are; of HTML the main content, and the notices of footers with it."""
    config = write_config(tmp_path / "c.yaml", {**noticed, **preset})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    counts = assert_books_balance(tmp_path / "out")
    assert counts["kept"] == counts["records"] == 3 * len(NOTICES)
    texts = {row["url"]: row["text"] for row in table(tmp_path / "out", "documents")}
    for number, notice in enumerate(NOTICES):
        for host in ("pages", "texts", "lines"):
            assert notice in texts[f"https://{host}.example/{number}"]
    assert "Home" not in texts["https://pages.example/0"]


@pytest.mark.parametrize("preset", [None, "cautious"])
def test_positions_of_all_signals_are_those_in_the_published_text(
    noticed: dict[str, Any], tmp_path: Path, preset: str | None
) -> None:
    """Statement by statement, in bytes; the columns are the same under any policy."""
    config = write_config(tmp_path / "c.yaml", {**noticed, **({"preset": preset} if preset else {})})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    found = 0
    for row in table(tmp_path / "out", "documents"):
        data = row["text"].encode()
        for notice in row["copyright_notices"]:
            assert data[notice["start"] : notice["end"]].decode() == notice["statement"]
            found += 1
        for isbn in row["isbns"]:
            assert data[isbn["start"] : isbn["end"]] == b"978-0-13-110362-7"
    assert found == 6


CASES: dict[str, tuple[str, bytes]] = {
    "noai": ("https://a.example/1", page(f"<p>{words(1)}</p>", **{"X-Robots-Tag": "noai"})),
    "noindex": ("https://a.example/2", page(f"<p>{words(2)}</p>", '<meta name="robots" content="noindex, follow">')),
    "tdm_reservation": ("https://a.example/3", page(f"<p>{words(3)}</p>", **{"TDM-Reservation": "1"})),
    "noimageai": ("https://a.example/4", page(f"<p>{words(4)}</p>", '<meta name="robots" content="noimageai">')),
    "blocklist": ("https://sub.libgen.rs/5", page(f"<p>{words(5)}</p>")),
    "pirated_marker": ("https://a.example/6", page(f"<p>{words(6)} OceanofPDF.com {words(16)}</p>")),
    "copyright_notice": ("https://a.example/7", page(f"<p>{words(7)}</p><p>© 2001 Jane Doe</p>")),
    "publisher_isbn": ("https://a.example/8", page(f"<p>{words(8)}</p><p>ISBN 978-0-13-110362-7</p>")),
    "plain": ("https://a.example/9", page(f"<p>{words(9)}</p>")),
}


@pytest.fixture
def signalled(tmp_path: Path) -> dict[str, Any]:
    """A page for each rule, named by it."""
    records = [response(message, name, url) for name, (url, message) in CASES.items()]
    (tmp_path / "crawl.warc").write_bytes(warc_file(records))
    return {"crawl": {"name": "s", "files": ["crawl.warc"]}}


PRESETS: dict[str, dict[str, str]] = {
    "permissive": {"blocklist": "drop"},
    "cautious": dict.fromkeys(
        ("noai", "noindex", "tdm_reservation", "noimageai", "blocklist", "pirated_marker"), "drop"
    ),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_drops_what_it_says_and_flags_the_rest(signalled: dict[str, Any], tmp_path: Path, preset: str) -> None:
    """Whatever is kept has its mark, and the plain page has none."""
    config = write_config(tmp_path / "c.yaml", {**signalled, "preset": preset})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    dropped = PRESETS[preset]
    rows = ledger(tmp_path / "out")
    for name in CASES:
        assert (rows[name]["decision"], rows[name]["reason"]) == (("drop", name) if name in dropped else ("keep", None))
        assert (name, dropped.get(name, "flag")) in rules(rows[name]) or name == "plain"
    assert rules(rows["plain"]) == []


def test_licensed_only_drops_all_that_nobody_has_allowed(signalled: dict[str, Any], tmp_path: Path) -> None:
    """Rules that come before are the reason where they drop too."""
    config = write_config(tmp_path / "c.yaml", {**signalled, "preset": "licensed-only"})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    rows = ledger(tmp_path / "out")
    assert {row["decision"] for row in rows.values()} == {"drop"}
    assert [rows[name]["reason"] for name in ("plain", "copyright_notice", "noai")] == [
        "unlicensed",
        "unlicensed",
        "noai",
    ]


def test_other_policy_reruns_decide_and_never_reads_the_crawl(
    signalled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policy, lists, markers and register change; the measured store is the same and is not made again."""
    config = write_config(tmp_path / "c.yaml", signalled)
    assert run("measure", config, "--output", tmp_path / "measured") == 0

    def refuse(*_: object) -> None:
        raise AssertionError("the crawl was read again")

    monkeypatch.setattr(reading, "open_input", refuse)
    (tmp_path / "mine.txt").write_text("a.example\n")
    (tmp_path / "phrases.txt").write_text("hear 3x9 party\n")
    write_config(
        tmp_path / "register.yaml", {"sources": [{"host": "a.example", "basis": "licensed", "contract": "K1"}]}
    )
    mine = {"name": "mine", "path": "mine.txt", "format": "domains", "category": "mine"}
    phrases = {"name": "phrases", "path": "phrases.txt", "category": "stamp"}
    variants: dict[str, tuple[dict[str, Any], tuple[str, str | None]]] = {
        "none": ({}, ("keep", None)),
        "list": ({"sources": {"blocklists": [mine]}}, ("drop", "blocklist")),
        "flagged": (
            {"sources": {"blocklists": [mine]}, "policy": {"categories": {"mine": "flag"}}},
            ("keep", None),
        ),
        "phrase": (
            {"sources": {"markers": [phrases]}, "policy": {"signals": {"pirated_marker": "quarantine"}}},
            ("quarantine", "pirated_marker"),
        ),
        "unlicensed": ({"policy": {"signals": {"unlicensed": "quarantine"}}}, ("quarantine", "unlicensed")),
        "registered": (
            {"sources": {"register": "register.yaml"}, "policy": {"signals": {"unlicensed": "drop"}}},
            ("keep", None),
        ),
    }
    for name, (more, expected) in variants.items():
        changed = write_config(tmp_path / f"{name}.yaml", {**signalled, **more})
        decided, out = tmp_path / f"{name}-decided", tmp_path / name
        assert run("decide", changed, "--measured", tmp_path / "measured", "--output", decided) == 0
        stores = ("--measured", tmp_path / "measured", "--decided", decided)
        assert run("publish", changed, *stores, "--output", out) == 0
        assert decisions(out)["plain"] == expected
        assert_books_balance(out)


def test_worker_processes_make_the_same_bytes(signalled: dict[str, Any], tmp_path: Path) -> None:
    """They load the compiled lists from files, which are gone when they are not needed any more."""
    more = {"preset": "cautious", "policy": {"signals": {"noai": "quarantine"}}, "plan": {"part_size": "64 KiB"}}
    config = write_config(tmp_path / "c.yaml", {**signalled, **more})
    assert run("curate", config, "--output", tmp_path / "one", "--work", tmp_path / "work") == 0
    assert "lists" not in [path.name for path in (tmp_path / "work" / "decided").iterdir()]
    processes = ("--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert run("curate", config, "--output", tmp_path / "two", "--", *processes) == 0
    assert digests(tmp_path / "two") == digests(tmp_path / "one")


def test_quarantined_document_lies_apart_with_text_and_lineage(signalled: dict[str, Any], tmp_path: Path) -> None:
    """Not among the documents; its row has marks, basis and place, and the manifest counts it."""
    policy = {"signals": {"noai": "quarantine"}}
    config = write_config(tmp_path / "c.yaml", {**signalled, "policy": policy})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    (row,) = table(tmp_path / "out", "quarantine")
    assert (row["record_id"], row["decision"], row["reason"]) == ("noai", "quarantine", "noai")
    assert (row["url"], row["warc_filename"], row["rights_basis"]) == ("https://a.example/1", "crawl.warc", "crawl")
    assert row["text"].startswith("the clerk shall file 0x1")
    assert "noai" not in [row["record_id"] for row in table(tmp_path / "out", "documents")]
    counts = assert_books_balance(tmp_path / "out")
    assert (counts["quarantined"], counts["quarantined_by"]) == (1, {"noai": 1})
    assert "quarantine/part-00000.parquet" in manifest(tmp_path / "out")["files"]


@pytest.mark.parametrize("action", ["quarantine", "drop"])
def test_excluded_document_is_never_the_witness_of_a_clean_one(tmp_path: Path, action: str) -> None:
    """The longest would survive, but its licence is missing: the shorter copy stays and names nobody."""
    rows = [
        {"id": "long", "text": words(1) + " more", "url": "https://a.example/"},
        {"id": "short", "text": words(1), "url": "https://b.example/"},
    ]
    write_jsonl(tmp_path / "crawl.jsonl", rows)
    write_config(tmp_path / "register.yaml", {"sources": [{"host": "b.example", "basis": "public_domain"}]})
    config = {
        "crawl": {"name": "q", "files": ["crawl.jsonl"]},
        "sources": {"register": "register.yaml"},
        "policy": {"signals": {"unlicensed": action}},
        "dedup": {"taint": "drop"},
    }
    assert run("curate", write_config(tmp_path / "c.yaml", config), "--output", tmp_path / "out") == 0
    found = ledger(tmp_path / "out")
    assert found["short"]["decision"] == "keep"
    assert found["short"]["marks"] == []
    assert (found["long"]["decision"], found["long"]["duplicate_of"]) == ("drop", found["short"]["doc_id"])


def test_licensed_copy_survives_the_scraped_and_the_pirated_one(tmp_path: Path) -> None:
    """Its priority makes it the witness; that it repeats a pirated text is flagged and drops only what has no basis."""
    rows = [
        {"id": "pirate", "text": words(1) + " one two", "url": "https://libgen.rs/book"},
        {"id": "scraped", "text": words(1) + " one", "url": "https://blog.example/book"},
        {"id": "licensed", "text": words(1), "url": "https://publisher.example/book"},
    ]
    write_jsonl(tmp_path / "crawl.jsonl", rows)
    source = {"host": "publisher.example", "basis": "licensed", "contract": "2024-17", "priority": 10}
    write_config(tmp_path / "register.yaml", {"sources": [source]})
    config = {
        "preset": "cautious",
        "crawl": {"name": "l", "files": ["crawl.jsonl"]},
        "sources": {"register": "register.yaml"},
    }
    assert run("curate", write_config(tmp_path / "c.yaml", config), "--output", tmp_path / "out") == 0
    found = ledger(tmp_path / "out")
    kept = found["licensed"]
    assert (kept["decision"], kept["rights_basis"], kept["rights_reference"]) == ("keep", "licensed", "2024-17")
    assert ("taint", "flag") in rules(kept)
    assert ("taint", "drop") in rules(found["scraped"])
    assert {found[name]["duplicate_of"] for name in ("pirate", "scraped")} == {kept["doc_id"]}
    assert manifest(tmp_path / "out")["rights_basis"] == {"crawl": 2, "licensed": 1}
    assert manifest(tmp_path / "out")["register"]["sources"] == 1


def test_manifest_lists_every_list_with_digest_entries_and_matches(signalled: dict[str, Any], tmp_path: Path) -> None:
    """Of every kind: blocklists, markers and publishers; two lists that both match give two marks."""
    (tmp_path / "second.txt").write_text("||libgen.rs^\n")
    second = {"name": "second", "path": "second.txt", "format": "adblock", "category": "other"}
    config = {**signalled, "preset": "cautious", "sources": {"blocklists": [second]}}
    assert run("curate", write_config(tmp_path / "c.yaml", config), "--output", tmp_path / "out") == 0
    facts = {one["name"]: one for one in manifest(tmp_path / "out")["sources"]}
    assert set(facts) == {"shadow-libraries", "second", "pirated-texts", "converter-stamps", "textbooks"}
    assert {name: one["matches"] for name, one in facts.items()} == {
        "shadow-libraries": 1,
        "second": 1,
        "pirated-texts": 1,
        "converter-stamps": 0,
        "textbooks": 1,
    }
    assert all(len(one["sha256"]) == 64 and one["entries"] for one in facts.values())
    blocks = [m for m in ledger(tmp_path / "out")["blocklist"]["marks"] if m["rule"] == "blocklist"]
    assert [(m["list"], m["category"]) for m in blocks] == [("second", "other"), ("shadow-libraries", "piracy")]
    assert [m["list_sha256"] for m in blocks] == [facts[name]["sha256"] for name in ("second", "shadow-libraries")]


def test_marker_says_where_in_the_text_the_phrase_stands(signalled: dict[str, Any], tmp_path: Path) -> None:
    """In bytes of the published text, with list and line; permissive keeps the document."""
    config = write_config(tmp_path / "c.yaml", {**signalled, "preset": "permissive"})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    marks = [m for m in ledger(tmp_path / "out")["pirated_marker"]["marks"] if m["rule"] == "pirated_marker"]
    texts = {row["record_id"]: row["text"].encode() for row in table(tmp_path / "out", "documents")}
    assert [texts["pirated_marker"][m["start"] : m["end"]] for m in marks] == [b"OceanofPDF.com"]
    assert (marks[0]["list"], marks[0]["source"], marks[0]["category"]) == ("pirated-texts", "text", "pirated_text")


def test_published_config_names_the_preset_written_out(signalled: dict[str, Any], tmp_path: Path) -> None:
    """What decided is in the manifest in full, not by the name of a file that may change."""
    config = write_config(tmp_path / "c.yaml", {**signalled, "preset": "cautious"})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    written = manifest(tmp_path / "out")["config"]
    assert written["policy"]["signals"]["noai"] == "drop"
    assert written["dedup"]["taint"] == "drop"
    again = write_config(tmp_path / "again.yaml", yaml.safe_load(yaml.safe_dump(written)))
    assert run("config", "check", again) == 0
