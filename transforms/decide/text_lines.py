"""Read the lines of a list that is written by hand: UTF-8, comments, blank lines."""

import codecs
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from configs.shipped import shipped_path
from schemas.errors import ConfigError
from transforms.part_store import open_input

MOST_BYTES: Final = 1 << 20
"""Such lists are short; a larger file is another one than was meant."""
_SHOWN: Final = 10
Named = TypeVar("Named")
Read = TypeVar("Read")


class Line(NamedTuple):
    """A line that is neither blank nor a comment."""

    number: int
    """From 1 in the file."""
    text: str
    """Without white space at its ends."""


def read_each(lists: Iterable[Named], read: Callable[[Named], Read]) -> tuple[Read, ...]:
    """What `read` makes of every list. Raises ConfigError with the letters about all of those that it refuses."""
    made, letters = [], []
    for named in lists:
        try:
            made.append(read(named))
        except ConfigError as error:
            letters.append(str(error))
    if letters:
        raise ConfigError("\n".join(letters))
    return tuple(made)


def read_lines(what: str, path: str) -> tuple[str, list[Line]]:
    """SHA-256 of a file as it was read, hex, and its lines.

    Lines end in LF, CRLF or CR; a byte order mark is allowed; a line that begins with `#` is a comment. `what` names
    the list in letters to the user. Raises ConfigError if the file cannot be read, is larger than 1 MiB, is no text in
    UTF-8, or has no lines.
    """
    try:
        with open_input(shipped_path(path)) as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{what}: {path}: {error.strerror or error}.") from error
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{what}: {path} is larger than {MOST_BYTES >> 20} MiB. Check that it is the right file.")
    numbered = enumerate(re.split("\r\n|\r|\n", _decoded(raw, what, path)), 1)
    lines = [Line(number, text.strip()) for number, text in numbered if text.strip()]
    lines = [line for line in lines if not line.text.startswith("#")]
    if not lines:
        raise ConfigError(f"{what}: {path} is empty: no line but comments. Check its path.")
    return hashlib.sha256(raw).hexdigest(), lines


def _decoded(raw: bytes, what: str, path: str) -> str:
    if b"\0" in raw:
        raise ConfigError(f"{what}: {path} is no text: it holds bytes of zero. Check its path, or save it as UTF-8.")
    content = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        number = len(re.split(rb"\r\n|\r|\n", content[: error.start]))
        raise ConfigError(f"{what}: {path} is not in UTF-8, first in line {number}. Save it as UTF-8.") from error


def refuse(what: str, path: str, faults: Sequence[str]) -> None:
    """Raises ConfigError that lists the faults in a file, the first ten of them, if there are any."""
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise ConfigError("\n  ".join([f"{what}: {path} cannot be used:", *faults[:_SHOWN], *more]))
