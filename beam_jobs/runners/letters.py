"""Letters of an engine: what a failed job says in several screens of tracebacks, in the few lines that a user needs."""

import re
from typing import Final

_WORKER_ERROR: Final = re.compile(r"^((?:\w+\.)*)(\w+): (.*) \[while running '([^']*)'\]", re.DOTALL | re.MULTILINE)
_NOT_INSTALLED: Final = re.compile(
    r"ModuleNotFoundError: No module named '((?:beam_jobs|configs|lineage|schemas|transforms)[\w.]*)'"
)
_CANCELLED: Final = re.compile(
    r"failed in state CANCELL(?:ED|ING)\b|State: CANCELL(?:ED|ING)\b|JobCancellationException"
)
_NO_SLOTS: Final = re.compile(r"NoResourceAvailableException|\.TimeoutException: Timeout has occurred: \d+ ms")
GO_ON: Final = "What is done is kept; the same command with --resume goes on from there."


def failure_letter(report: str) -> str:
    """What to tell of a job that failed, from what its runner reports.

    >>> failure_letter("Pipeline x failed in state CANCELLED: unknown error").splitlines()[0]
    'The job was cancelled on the engine.'
    """
    if found := worker_letter(report):
        return found
    if missing := _NOT_INSTALLED.search(report):
        return (
            f"A worker does not have this package: it cannot import `{missing[1]}`.\n"
            "Install cleartitle, of the same version as here, in the workers' image or environment."
        )
    if _CANCELLED.search(report):
        return f"The job was cancelled on the engine.\n{GO_ON}"
    if _NO_SLOTS.search(report):
        return (
            "The engine had no free slots for the job: a TaskManager is lost, or other jobs hold them.\n"
            f"Look at the engine's page, and free or start some. {GO_ON}"
        )
    return f"The runner failed: {report}"


def worker_letter(report: str) -> str | None:
    """The message of the error in a worker's report, which a runner hands on as a traceback in text; None if none is.

    >>> worker_letter("Traceback …\\nschemas.errors.WorkError: part 3: disk full [while running 'Measure']\\n")
    'part 3: disk full'
    >>> worker_letter("Traceback …\\nKeyError: 'x' [while running 'Measure']")
    "Step Measure failed with KeyError: 'x'"
    """
    # In a traceback the first line that is not indented is the error; what follows may be more lines of its message.
    for traceback in reversed(report.split("Traceback (most recent call last):")):
        if found := _WORKER_ERROR.search(traceback):
            module, kind, message, step = found.groups()
            return message if module == "schemas.errors." else f"Step {step} failed with {kind}: {message}"
    return None
