"""Prism, the runner that Beam ships as one Go program: built from the Go module of the installed release.

    python -m engines.prism

prints the path of the binary, for `cleartitle curate … -- --runner=PrismRunner --prism_location=PATH`.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from engines.places import held, made, place
from schemas.errors import CleartitleError, UsageError, WorkError

MODULE: Final = "github.com/apache/beam/sdks/v2/go/cmd/prism"
"""Go package of the program; releases of the module are tagged as those of Beam."""
_SAID: Final = 2000
"""Characters at the end of what Go wrote that a letter quotes."""


def prism() -> Path:
    """The Prism binary of the installed Beam release, built first if it is not there (ten seconds to two minutes).

    Of processes that want it at the same time one builds it and the others wait. Raises UsageError where there is no
    Go, WorkError if the build fails.
    """
    release = version("apache-beam")
    with held(f"prism-{release}") as directory:
        return made(directory / "prism", lambda binary: _build(release, binary))


def on_prism() -> list[str]:
    """Beam options that run a job on Prism, with workers in this process."""
    return ["--runner=PrismRunner", f"--prism_location={prism()}", "--environment_type=LOOPBACK"]


def _build(release: str, binary: Path) -> None:
    command = ["go", "install", f"{MODULE}@v{release}"]
    other = f"put a binary of Prism {release} at {place(f'prism-{release}') / binary.name}."
    try:
        environment = {**os.environ, "GOBIN": str(binary.parent)}
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UsageError(
            f"Prism is built with Go, and there is no `go` on the PATH.\nInstall Go (https://go.dev/dl), or {other}"
        ) from error
    except subprocess.CalledProcessError as error:
        raise WorkError(
            f"Prism cannot be built; `{' '.join(command)}` ended with {error.returncode}:\n\n"
            f"{error.stderr.strip()[-_SAID:]}\n\n"
            f"It takes a recent Go and a Go module proxy that can be reached (`go env GOPROXY`).\nOr {other}"
        ) from error


def main() -> int:
    """Print the path of the binary; returns the exit code."""
    try:
        print(prism())
    except CleartitleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
