"""Allocator: let the C library keep memory that was freed, for what comes next."""

import ctypes
from contextlib import suppress
from typing import Final

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_SETTINGS: Final = {_ARENA_MAX: 1, _MMAP_THRESHOLD: 1 << 30, _TRIM_THRESHOLD: (1 << 31) - 1, _TOP_PAD: 256 << 20}
"""Parameters of glibc's `mallopt`, by its manual."""


def keep_freed_memory() -> None:
    """Tell glibc not to give large blocks back to the system one by one; another C library is left as it is.

    What crosses a local shuffle is freed and asked for again many times over, in blocks of megabytes. Given back and
    fetched anew, every page is cleared by the system each time: half of the time of decide. One arena for all threads,
    so that one thread can use what another freed; the peak of memory stays about the same.
    """
    with suppress(AttributeError):  # no glibc
        for parameter, value in _SETTINGS.items():
            ctypes.CDLL(None).mallopt(parameter, value)
