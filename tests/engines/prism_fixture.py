"""The fixture `prism`."""

from pathlib import Path

import pytest

from engines import prism as engine
from schemas.errors import UsageError


@pytest.fixture(scope="session")
def prism() -> Path:
    """The Prism binary of the installed Beam release; where it is not there and there is no Go, a skip says so."""
    try:
        return engine.prism()
    except UsageError as error:
        pytest.skip(str(error))
