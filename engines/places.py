"""Where engines lie: under `build/engines` of the checkout, or under $CLEARTITLE_ENGINES."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TOP: Final = Path(__file__).resolve().parents[1]


def place(name: str) -> Path:
    """The directory of that name; it need not be there."""
    return Path(os.environ.get("CLEARTITLE_ENGINES") or _TOP / "build" / "engines") / name


@contextmanager
def held(name: str) -> Iterator[Path]:
    """The directory of that name, made if need be, in which no other process makes anything while the block runs."""
    directory = place(name)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """The path, which `make` makes in a directory beside it where it is not there: whole or not at all."""
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as directory:
            make(unfinished := Path(directory, path.name))
            unfinished.rename(path)
    return path
