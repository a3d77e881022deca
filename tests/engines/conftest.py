"""Fixtures: engines that run on this machine."""

import sys
from collections.abc import Iterator

import pytest

from engines.flink.cluster import Cluster
from schemas.errors import UsageError
from tests.engines.prism_fixture import prism

__all__ = ["flink", "prism"]


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of Flink of the tests' own; where there is no Java or no Maven, a skip says so."""
    try:
        cluster = Cluster.start(tmp_path_factory.mktemp("flink"))
    except UsageError as error:
        pytest.skip(str(error))
    if cluster.server.note:
        print(cluster.server.note, file=sys.__stderr__)
    yield cluster
    cluster.stop()
