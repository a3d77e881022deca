"""Fixtures that several files share."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.flink_rest import cluster
from tests.takedown_data import write_request

__all__ = ["cluster"]

# A machine that does other work beside the tests is slow, and not wrong.
settings.register_profile("cleartitle", deadline=None)
settings.load_profile("cleartitle")


@pytest.fixture
def request_of(tmp_path: Path) -> Any:
    """Writes a request for some selectors, and gives its path."""

    def write(selectors: dict[str, Any], name: str = "request.yaml", **keys: Any) -> str:
        return str(write_request(tmp_path / name, selectors, **keys))

    return write
