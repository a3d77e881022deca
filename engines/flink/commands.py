"""Programs that an engine needs: found, or asked for in a letter."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from schemas.errors import UsageError, WorkError

_ENOUGH_JAVA: Final = 11
_LAST_JAVA: Final = 21
_SAID: Final = 2000
"""Characters of what a failed program wrote that a letter quotes."""


def need_java() -> None:
    """Raise UsageError where there is no `java` of a version that Flink runs on."""
    need_program("java", "Flink needs Java 17")
    said = run(["java", "-version"], "Java does not start")
    found = re.search(r'version "(\d+)', said)
    if found is None or not _ENOUGH_JAVA <= int(found[1]) <= _LAST_JAVA:
        raise UsageError(
            f"Flink needs Java {_ENOUGH_JAVA} to {_LAST_JAVA}, and `java` is: {said.splitlines()[0]}\n"
            "Put another one first on the PATH, such as Java 17 from https://adoptium.net."
        )


def need_program(program: str, why: str) -> None:
    """Raise UsageError, which begins with `why`, where there is no such program."""
    if shutil.which(program) is None:
        raise UsageError(f"{why}, and there is no `{program}` on the PATH.\nInstall it; docs/flink.md says how.")


def run(command: Sequence[str], failed: str) -> str:
    """What a program says, stdout and stderr; WorkError, which begins with `failed`, if its exit code is not 0."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise WorkError(
            f"{failed}; `{' '.join(command)}` ended with {done.returncode}:\n\n{done.stdout.strip()[:_SAID]}"
        )
    return done.stdout
