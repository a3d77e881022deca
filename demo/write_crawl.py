"""Fetch the documentation of two SQLAlchemy releases and write it as a crawl.

    python -m demo.write_crawl demo/data

The pages come out of the source distributions (pinned by digest in `sdists.txt`); no page is part of this repository.
Beside the two sites the crawl holds what a real crawl holds: a mirror, edited copies, a pirate, pages fetched
twice, records that are no documents, an empty page, and a record cut short. The same pages give the same bytes
(with the same zlib).
"""

import base64
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.errors import CleartitleError, OutputError, UsageError, WorkError

PINS = Path(__file__).with_name("sdists.txt")
DAY = timedelta(days=1)

SITE_13 = "https://docs.sqlalchemy.org/en/13/"
SITE_14 = "https://docs.sqlalchemy.org/en/14/"
RELEASED_13 = datetime(2021, 3, 30, tzinfo=UTC)
RELEASED_14 = datetime(2024, 9, 5, tzinfo=UTC)

MIRROR = "https://mirror.example/sqlalchemy/13/"
MIRRORED = ("dialects/", "faq/")
"""Folders of 1.3 that the mirror repeats byte for byte."""

NOTES = "https://notes.example/sqlalchemy/"
EDITED = ("orm/extensions/",)
"""Folders of 1.3 that come again with small edits."""
EDITS = ((b" which ", b" that "), (b" such as ", b" like "), (b"in order to ", b"to "))
"""Most pages keep 0.91 to 0.99 of their word 5-grams (Jaccard) and become shorter."""

PIRATE = "https://library.pirate-books.example/shelf/"
PIRATED = ("faq/", "tutorial/")
"""Folders of 1.4 that the pirate repeats byte for byte."""
ONLY_PIRATED = ("tutorial/",)
"""Those of them that the crawl saw nowhere else."""

REFETCHED = ("errors.html", "glossary.html", "intro.html")
"""Pages of 1.4 that are fetched again, under the same URL, a week later and with edits."""

HTML = "text/html; charset=utf-8"
EMPTY_PAGE = b"<!DOCTYPE html><html><head><title></title></head><body></body></html>"
NOT_FOUND_PAGE = b"<!DOCTYPE html><html><body><p>There is no such page.</p></body></html>"
IMAGE = b"\x89PNG\r\n\x1a\n"


def fetch_sdist(pin: str, directory: Path) -> Path:
    """The source distribution that `pin` (`name==version --hash=sha256:...`) names, fetched unless it is there.

    Raises WorkError if pip cannot fetch it, or if what it fetched has another digest.
    """
    if found := _with_digest(directory, pin):
        return found
    print(f"Fetching {pin.split()[0]}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        # One pin at a time: pip takes no two versions of a project in one call.
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(f"{pin}\n")
        options = ["--quiet", "--retries", "2", "--no-deps", "--no-binary", "sqlalchemy", "--require-hashes"]
        places = ["--dest", str(directory), "--requirement", str(requirements)]
        command = [sys.executable, "-m", "pip", "download", *options, *places]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _with_digest(directory, pin)
    if done.returncode or found is None:
        raise WorkError(
            f"The demo needs {pin.split()[0]}, and pip could not fetch it:\n\n{done.stderr.strip()}\n\n"
            "Check the network and the package index that pip is set to, then run it again. Without a network, put the "
            f"source distribution (its sha256 is in {PINS.name}) into {directory}."
        )
    return found


def _with_digest(directory: Path, pin: str) -> Path | None:
    digest = pin.rpartition("sha256:")[2]
    archives = sorted(directory.glob("*.tar.gz"))
    return next((path for path in archives if hashlib.sha256(path.read_bytes()).hexdigest() == digest), None)


def read_pages(sdist: Path) -> dict[str, bytes]:
    """The HTML pages under `doc/` of a source distribution, by path, in sorted order.

    Raises WorkError if there is none.
    """
    pages = {}
    with tarfile.open(sdist) as archive:
        for member in archive:
            path = re.fullmatch(r"[^/]+/doc/(.+\.html)", member.name)
            if path and (file := archive.extractfile(member)):
                pages[path[1]] = file.read()
    if not pages:
        raise WorkError(f"{sdist} has no HTML page under doc/, so it is not the archive that the demo is made of.")
    return dict(sorted(pages.items()))


def write_record(kind: str, time: datetime, name: str, block: bytes, fields: Mapping[str, str]) -> bytes:
    """One WARC 1.1 record (ISO 28500:2017) as a gzip member of its own; its id comes from kind, time and `name`."""
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    header = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {date} {name}')}>",
        "WARC-Date": date,
        **fields,
        "Content-Length": str(len(block)),
    }
    lines = "".join(f"{key}: {value}\r\n" for key, value in header.items())
    packed = io.BytesIO()
    # Not gzip.compress: it names the operating system in its header, or not, as the Python version has it.
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as member:
        member.write(f"WARC/1.1\r\n{lines}\r\n".encode() + block + b"\r\n\r\n")
    return packed.getvalue()


def write_response(url: str, time: datetime, body: bytes, *, status: str = "200 OK", content_type: str = HTML) -> bytes:
    """A response record: what the server of `url` sent."""
    http = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    fields = {
        "WARC-Target-URI": url,
        "WARC-Payload-Digest": f"sha1:{base64.b32encode(hashlib.sha1(body).digest()).decode()}",
        "Content-Type": "application/http; msgtype=response",
    }
    return write_record("response", time, url, http.encode() + body, fields)


def write_pages(site: str, pages: Mapping[str, bytes], start: datetime) -> Iterator[bytes]:
    """Response records of `pages` under `site`, one a second from `start`."""
    for second, (path, html) in enumerate(pages.items()):
        yield write_response(site + path, start + timedelta(seconds=second), html)


def write_non_documents(site: str, time: datetime) -> Iterator[bytes]:
    """Records that a crawl holds and a dataset does not: a request, a page not found, an image."""
    request = {"WARC-Target-URI": site, "Content-Type": "application/http; msgtype=request"}
    yield write_record("request", time, site, b"GET / HTTP/1.1\r\nHost: docs.sqlalchemy.org\r\n\r\n", request)
    yield write_response(f"{site}gone.html", time, NOT_FOUND_PAGE, status="404 Not Found")
    yield write_response(f"{site}logo.png", time, IMAGE, content_type="image/png")


def edit(pages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pages with each of `EDITS` made wherever it fits.

    >>> edit({"a.html": b"<p>Types which are mapped, such as JSON</p>"})
    {'a.html': b'<p>Types that are mapped, like JSON</p>'}
    """
    edited = dict(pages)
    for old, new in EDITS:
        edited = {path: html.replace(old, new) for path, html in edited.items()}
    return edited


def cut_short(record: bytes) -> bytes:
    """The first half of a record, as an interrupted crawl leaves it."""
    return record[: len(record) // 2]


def build_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> dict[str, list[bytes]]:
    """The records of each crawl file, from the pages of 1.3 and of 1.4."""

    def under(pages: Mapping[str, bytes], folders: tuple[str, ...]) -> dict[str, bytes]:
        return {path: html for path, html in pages.items() if path.startswith(folders)}

    seen = {path: html for path, html in new.items() if not path.startswith(ONLY_PIRATED)}
    cut = next(iter(old))
    return {
        "sqlalchemy-13.warc.gz": [*write_pages(SITE_13, old, RELEASED_13)],
        "sqlalchemy-14.warc.gz": [
            *write_pages(SITE_14, seen, RELEASED_14),
            *write_pages(SITE_14, edit({path: new[path] for path in REFETCHED}), RELEASED_14 + 7 * DAY),
            *write_non_documents(SITE_14, RELEASED_14 + 7 * DAY),
        ],
        "mirror.warc.gz": [
            *write_pages(MIRROR, under(old, MIRRORED), RELEASED_13 + 30 * DAY),
            cut_short(write_response(MIRROR + cut, RELEASED_13 + 31 * DAY, old[cut])),
        ],
        "edited.warc.gz": [
            *write_pages(NOTES, edit(under(old, EDITED)), RELEASED_13 + 60 * DAY),
            write_response(f"{NOTES}empty.html", RELEASED_13 + 61 * DAY, EMPTY_PAGE),
        ],
        "pirate.warc.gz": [*write_pages(PIRATE, under(new, PIRATED), RELEASED_14 + 30 * DAY)],
    }


def write_crawl(old: Path, new: Path, directory: Path) -> list[Path]:
    """Write the crawl files made of the source distributions `old` (1.3) and `new` (1.4); returns them."""
    fields = {"Content-Type": "application/warc-fields"}
    paths = []
    for name, records in build_files(read_pages(old), read_pages(new)).items():
        about = b"software: cleartitle demo\r\nformat: WARC File Format 1.1\r\n"
        info = write_record("warcinfo", RELEASED_13, name, about, {"WARC-Filename": name, **fields})
        paths.append(directory / name)
        paths[-1].write_bytes(b"".join([info, *records]))
    return paths


def main(argv: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        if len(argv) != 1:
            raise UsageError("Say where the crawl shall be written: python -m demo.write_crawl DIR")
        directory = Path(argv[0])
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{directory} cannot be made a directory: {error.strerror}. Name another.") from error
        pins = [line for line in PINS.read_text().splitlines() if not line.startswith("#")]
        old, new = (fetch_sdist(pin, directory) for pin in pins)
        for path in write_crawl(old, new, directory):
            print(f"{path}  {path.stat().st_size:,} bytes")
    except CleartitleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
