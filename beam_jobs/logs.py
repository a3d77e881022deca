"""Logs: all that the command writes to stderr, as lines for people or as one JSON object a line for machines.

What is said to the user goes through `tell`, what workers log through the loggers `cleartitle.<stage>`; the handler of
`log_to_stderr` writes both. The format changes how things are said, and `--verbose` which: with it the records of
Beam, and of the begin and the end of every part, are written too.
"""

import datetime
import json
import logging
import os
import select
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, TextIO

from schemas.names import NAMESPACE

FORMATS: Final = ("text", "json")
COMMAND: Final = "cleartitle: "
"""How a line of text begins that is no progress."""
_LOGGER: Final = logging.getLogger(NAMESPACE)
_OTHERS: Final = ("stderr", "py.warnings")
"""Loggers of what is written past the log: by libraries and processes that were started, and Python's warnings."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PIPE_BYTES: Final = 1 << 20
"""No less than a pipe holds, so that one read empties it."""


def tell(message: str, fields: Mapping[str, object] | None = None, level: int = logging.INFO) -> None:
    """Say something to the user; `fields` are what a machine should read out of it."""
    _LOGGER.log(level, "%s", message, extra=fields)


@contextmanager
def log_to_stderr(*, as_json: bool, verbose: bool) -> Iterator[None]:
    """Write to stderr what is told while the block runs; with `verbose`, all that is logged from INFO on."""
    root = logging.getLogger()
    levels = root.level, _LOGGER.level
    with ExitStack() as stack:
        stream = stack.enter_context(_lines_of_others()) if as_json else sys.stderr
        handler = _Handler(stream) if stream else logging.NullHandler()
        handler.setFormatter(_Json() if as_json else _Text("%(levelname)s %(name)s: %(message)s"))
        if not verbose:
            handler.addFilter(_is_told)
        root.addHandler(handler)
        root.setLevel(logging.INFO if verbose else root.level)
        _LOGGER.setLevel(logging.INFO)
        # An engine looks here whether to hold back what a failed step prints, tracebacks where one letter does.
        logging.disable(logging.NOTSET if verbose else logging.DEBUG)
        logging.captureWarnings(as_json)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            logging.disable(logging.NOTSET)
            stack.close()  # the last lines of others are logged
            root.removeHandler(handler)
            root.setLevel(levels[0])
            _LOGGER.setLevel(levels[1])


def _is_told(record: logging.LogRecord) -> bool:
    if record.name.startswith(f"{NAMESPACE}."):
        return record.levelno >= logging.WARNING
    return record.name == NAMESPACE or record.name in _OTHERS


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream until that takes no more, as its reader has gone or its disk is full; drops what comes then.

    Errors are not written anywhere: in JSON their words would come back from the pipe as lines to be logged, each of
    which would be an error again.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (a method of logging)
        if isinstance(sys.exception(), OSError):
            self.setLevel(logging.CRITICAL + 1)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.name == NAMESPACE:
            return record.getMessage()
        if record.name.startswith(f"{NAMESPACE}."):
            return COMMAND + record.getMessage()
        return super().format(record)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        said = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().removeprefix(COMMAND),
        }
        return json.dumps(said | fields, default=str)


@contextmanager
def _lines_of_others() -> Iterator[TextIO | None]:
    """Log what anybody else writes to stderr, line by line, while the block runs; gives the stream to write logs to.

    That is done below Python, so that libraries in C and processes that are started are heard too; so it is done only
    where `sys.stderr` is that of the process.
    """
    own: TextIO | None = sys.stderr
    of_process = own is sys.__stderr__
    if own is None or not of_process:
        yield own
        return
    (reading, writing), (ended, end) = os.pipe(), os.pipe()
    log = os.fdopen(os.dup(own.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(writing, own.fileno())
    os.close(writing)
    listener = threading.Thread(target=_listen, args=(reading, ended), daemon=True)
    listener.start()
    try:
        yield log
    finally:
        with suppress(OSError):  # if somebody put stderr elsewhere
            own.flush()
        os.dup2(log.fileno(), own.fileno())
        os.write(end, b"\n")  # never blocks: nothing else goes through this pipe
        listener.join()
        os.close(ended)
        os.close(end)
        with suppress(OSError):  # what could not be written before cannot be now
            log.close()


def _listen(reading: int, ended: int) -> None:
    """Log the lines of a pipe until something comes through the pipe `ended`, with what has been written by then.

    The end of the lines may never come: processes that were started may still hold the pipe.
    """
    logger = logging.getLogger(_OTHERS[0])
    rest, last = b"", False
    os.set_blocking(reading, False)
    with open(reading, "rb", buffering=0) as pipe:
        while not last:
            ready, _, _ = select.select([reading, ended], [], [])
            block = pipe.read(_PIPE_BYTES)  # None if it is empty
            last = ended in ready or block == b""
            *lines, rest = (rest + (block or b"")).split(b"\n")
            for line in [*lines, rest] if last else lines:
                if said := line.decode(errors="backslashreplace").strip():
                    logger.warning("%s", said)
