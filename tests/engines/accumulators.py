"""What Flink's page shows of a job's counters."""

import base64
import json
from collections import Counter
from typing import Final

from engines.flink.cluster import Cluster
from schemas.names import NAMESPACE

_COUNTER: Final = "beam:metric:user:sum_int64:v1"


def counters(flink: Cluster, job: str) -> dict[str, int]:
    """Our counters, as the page of a job shows them under `Accumulators`, summed over the steps that keep them."""
    shown = flink.get(f"/jobs/{job}/accumulators")["user-task-accumulators"]
    (kept,) = (json.loads(one["value"]) for one in shown if one["name"] == "__metricscontainers")
    sums: Counter[str] = Counter()
    for one in kept["metrics"]["attempted"]:
        if one["urn"] == _COUNTER and one["labels"]["NAMESPACE"] == NAMESPACE:
            sums[one["labels"]["NAME"]] += varint(base64.b64decode(one["payload"]))
    return dict(sums)


def varint(payload: bytes) -> int:
    """A number as Beam encodes it: seven bits a byte, the lowest first."""
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(payload))
