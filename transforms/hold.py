"""Hold a directory: two runs never write to one at the same time.

The hold ends with the process, however it ends. Directories that are not on a local disk cannot be held.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from schemas.errors import OutputError
from transforms.part_store import is_local

LOCK: Final = "lock"


@contextmanager
def hold(directory: str) -> Iterator[None]:
    """Hold a directory while the block runs; the file `lock` in it stays. Raises OutputError if another run has it."""
    if not is_local(directory):
        yield
        return
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, LOCK), "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{directory}: another run is writing there at this moment.\n"
                "Wait until it ends, or choose another output directory."
            ) from error
        yield
