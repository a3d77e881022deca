"""What a Flink cluster says of itself over its REST interface, and what it is told there."""

import json
import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

SECONDS: Final = 5.0
_ON_THIS_MACHINE: Final = ("[local]", "[auto]", "")
_ENDED: Final = ("CANCELED", "CANCELLING", "FAILED", "FINISHED")


def address_of(master: str | None) -> str | None:
    """The URL that an option names, with or without its scheme; None where Flink is to run inside the job server."""
    master = (master or "").strip()
    if master in _ON_THIS_MACHINE:
        return None
    return master if urlsplit(master).scheme in ("http", "https") else f"http://{master}"


def ask(address: str, path: str) -> Any:
    """What the cluster answers, of JSON. Raises OSError or ValueError."""
    with urllib.request.urlopen(f"{address}{path}", timeout=SECONDS) as answer:
        return json.load(answer)


def cancel_jobs(address: str, name: str) -> list[str]:
    """Cancel the jobs of a name that have not ended, and return their ids. Raises OSError or ValueError."""
    found = [
        job for job in ask(address, "/jobs/overview")["jobs"] if job["name"] == name and job["state"] not in _ENDED
    ]
    for job in found:
        request = urllib.request.Request(f"{address}/jobs/{job['jid']}?mode=cancel", method="PATCH")
        urllib.request.urlopen(request, timeout=SECONDS).close()
    return [job["jid"] for job in found]
