"""Take work out of a dataset: what a request names goes, in a new version, and a certificate says what went."""

import datetime
from dataclasses import dataclass

import pyarrow as pa

from lineage.catalog import Dataset, open_dataset
from lineage.takedowns.carry_out import carry_out
from lineage.takedowns.claim_output import Claim, claim_output, finished
from lineage.takedowns.plan_takedown import Plan, plan_takedown
from schemas.errors import ConfigError, InputError, OutputError
from transforms.part_store import join, remove_tree
from transforms.publish.manifest import WORK
from transforms.takedowns.read_takedown import Takedown, read_takedown


@dataclass(frozen=True)
class Outcome:
    """What came of a takedown."""

    plan: Plan
    finished_before: bool
    """The output held the finished result already, so that nothing was written."""


def takedown(
    dataset: str | Dataset, request: str, output: str | None = None, dry_run: bool = False, crawl: bool = True
) -> pa.Table:
    """Take out what a request file names, and what repeats it; returns what goes, a row a document.

        takedown("dataset", "request.yaml", dry_run=True)
        takedown("dataset", "request.yaml", "dataset-2")

    The columns are `doc_id`, `url`, `part` and `row` in the ledger, `decision` before, `selector` with what of it
    `matched`, and, of copies, `similarity`, `method` and `evidence`, the document that is repeated. The old version
    stays as it is. With `dry_run` nothing is written. Without `crawl` texts that the dataset does not hold are not read
    again from crawl files. Raises ConfigError for the request, InputError for the dataset, OutputError for the output,
    WorkError if the work fails; done again it goes on, and once it is done nothing changes any more.
    """
    if output is None and not dry_run:
        raise OutputError("There is no output: name a directory for the new version, or ask for a dry run.")
    return take_out(open_dataset(dataset), read_request(request), None if dry_run else output, crawl).plan.records


def take_out(dataset: Dataset, takedown: Takedown, output: str | None, crawl: bool) -> Outcome:
    """Plan a takedown and carry it out, or, without an output, only plan it."""
    done = output is not None and finished(dataset, takedown, output) is not None
    try:
        plan = plan_takedown(dataset, takedown, crawl)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{dataset.directory} cannot be read: {error}.\n"
            f"`cleartitle verify {dataset.directory}` says what is damaged."
        ) from error
    if output is not None and not done:
        with claim_output(output, Claim.of(dataset, takedown, crawl), now()) as began:
            done = finished(dataset, takedown, output) is not None  # by another run since
            if not done:
                carry_out(dataset, plan, output, began, crawl)
    if output is not None:
        remove_tree(join(output, WORK))  # left there also by a run that ended right after the manifest was written
    return Outcome(plan, done)


def now() -> str:
    """The time in UTC, to the second, which a certificate says it was begun at."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def read_request(path: str) -> Takedown:
    """The takedown in a request file. Raises ConfigError, also for a certificate, which holds no texts."""
    takedown = read_takedown(path)
    if takedown.evidence is not None:
        raise ConfigError(
            f"{path}: this is the certificate of a takedown that was carried out. Give the request itself, which holds "
            "its texts; certificates are for `takedowns` in the config of a crawl."
        )
    return takedown
