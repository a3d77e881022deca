"""The crawl files that a dataset was made of: where they are now, and whether they are what they were."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from configs.model import Crawl
from transforms.measure.list_files import MAGIC, common_root, list_files
from transforms.measure.plan_parts import Piece
from transforms.part_store import file_size, is_local, join, open_input

_HEAD_BYTES: Final = 8
"""What tells a compression."""


def places_of(name: str, crawl: Crawl, root: str | None) -> list[str]:
    """Where a file of that name may lie: below `root` if it is given, and where the config says.

    >>> crawl = Crawl(name="demo", files=["/data/a/*.warc.gz", "/data/b.warc"])
    >>> places_of("a/1.warc.gz", crawl, "/mnt")
    ['/mnt/a/1.warc.gz', '/data/a/1.warc.gz']
    """
    if name.startswith("/") or not is_local(name):  # it did not lie below the root
        return [name]
    said = common_root(crawl.files) if crawl.root is None else crawl.root
    return [join(place, name) for place in (root, said) if place is not None]


def find_piece(planned: Mapping[str, Any], places: Sequence[str]) -> Piece | str:
    """A file of the manifest's plan (`Plan.facts`) as a whole, at the first place where it is; else a fault in words.

    A file of another size than that of the plan is not used.
    """
    fault = f"it is not at hand: there is no {' and no '.join(places)}"
    for path in places:
        try:
            if (size := file_size(path)) is None:
                continue
            if size != planned["bytes"]:
                fault = f"{path} has {size} bytes, and had {planned['bytes']} when it was measured"
                continue
            with open_input(path) as stream:
                head = stream.read(_HEAD_BYTES)
        except (OSError, ValueError) as error:  # ValueError: of a file system that is not installed
            fault = f"{path} cannot be read: {error}"
            continue
        compression = next((name for name, magic in MAGIC.items() if magic.match(head)), "none")
        return Piece(path, planned["name"], planned["format"], compression, 0, None, size)
    return fault


def check_digest(planned: Mapping[str, Any], piece: Piece) -> str | None:
    """What is said of a local file, which is read whole, if its digest is not that of the plan; else None."""
    if not is_local(piece.path):
        return None  # a server has its own digests
    (found,) = list_files([piece.path], None, piece.format)
    if found.digest == planned["digest"]:
        return None
    return f"{piece.path} was changed: its digest is {found.digest}, and was {planned['digest']} when it was measured"
