"""Prices that `docs/scale.md` reckons with, and what it assumes of machines: look them up before you budget.

Prices are list prices in US dollars, without discounts, of one region, as they were published on the pages named here.
"""

from dataclasses import dataclass
from typing import Final

REGION: Final = "us-central1 (Iowa)"
TAKEN: Final = "2025"
SOURCES: Final = {
    "Dataflow": "cloud.google.com/dataflow/pricing",
    "machines and disks": "cloud.google.com/compute/all-pricing",
    "Cloud Storage": "cloud.google.com/storage/pricing",
}


@dataclass(frozen=True)
class Prices:
    """Dollars."""

    dataflow_core_hour: float = 0.056
    """A vCPU of a batch worker."""
    dataflow_gb_hour: float = 0.003557
    """A GB of memory of a batch worker."""
    dataflow_shuffled_gb: float = 0.011
    """A GB that Dataflow Shuffle processes, in batch."""
    machine_core_hour: float = 0.031611
    """A vCPU of an n2 machine, on demand."""
    machine_gb_hour: float = 0.004237
    """A GB of memory of one."""
    disk_gb_month: float = 0.10
    """A GB of a balanced persistent disk, on which Flink keeps its shuffles."""
    stored_gb_month: float = 0.020
    """A GB of Cloud Storage, standard class."""
    write_requests_1000: float = 0.005
    """A thousand requests of class A: writes and lists."""
    read_requests_1000: float = 0.0004
    """A thousand requests of class B: reads, sizes."""


@dataclass(frozen=True)
class Machines:
    """What is assumed of workers, the store and the engine."""

    cores: int = 4
    """vCPUs of a worker, each with one thread of work; a vCPU is taken for a core of the machine measured on."""
    memory_gb: float = 32.0
    busy: float = 0.7
    """Share of the time in which the vCPUs of a step have work: stragglers and starts are the rest."""
    request_seconds: float = 0.03
    """From a request to an object store to its first byte."""
    store_bytes_second: float = 50e6
    """What one thread reads from the store, or writes to it, in a second."""
    start_seconds: float = 240.0
    """From the order of a pipeline to its first worker at work, on Dataflow; on a cluster that stands, a few."""
    month_hours: float = 730.0


PRICES: Final = Prices()
MACHINES: Final = Machines()
