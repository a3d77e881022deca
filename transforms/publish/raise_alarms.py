"""Raise alarms: which numbers of a build are above their limits, and whether it may be published all the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from configs.model import Alarms
from schemas.errors import AlarmError
from transforms.printable import printable

Raised = dict[str, Any]
"""An `alarm` by its name in the config, the `value`, the `limit` that it is above, and a `message` for people."""


def raise_alarms(
    alarms: Alarms,
    clusters: Sequence[Mapping[str, Any]],
    texts: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Any],
) -> list[Raised]:
    """The alarms of a build, in the order of the config.

    `clusters` and `texts` are the largest groups, the largest first, with named samples; `sources` is what
    `merge_ranks` says of all sources.
    """
    return [
        *_cluster_size(alarms.cluster_size, clusters, "The largest cluster", "cluster_id"),
        *_cluster_size(alarms.cluster_size, texts, "The largest group of equal texts", "text_digest"),
        *_source_loss(alarms, sources),
        *_removal_rate(alarms.removal_rate, sources["records"], sources["dropped"]),
    ]


def refuse(raised: Sequence[Raised], fail_on: Sequence[str], decided: str) -> None:
    """Raise AlarmError if an alarm of `fail_on` is raised; `decided` is where the decisions lie."""
    wrong = [alarm for alarm in raised if alarm["alarm"] in fail_on]
    if not wrong:
        return
    names = list(dict.fromkeys(alarm["alarm"] for alarm in wrong))
    lines = "\n".join(f"  {alarm['alarm']}: {alarm['message']}" for alarm in wrong)
    keys = ", ".join(f"`alarms.{name}`" for name in names)
    raise AlarmError(
        f"Nothing is published, as `alarms.fail_on` names {', '.join(names)}:\n{lines}\n"
        f"The decisions lie in {decided}, where the ledger is.\n"
        f"If they are right, raise {keys}, or take {'it' if len(names) == 1 else 'them'} out of `alarms.fail_on`; "
        "the same command with --resume then decides nothing again."
    )


def _cluster_size(limit: int | None, groups: Sequence[Mapping[str, Any]], whose: str, column: str) -> list[Raised]:
    if limit is None or not groups or groups[0]["documents"] <= limit:
        return []
    value, sample = groups[0]["documents"], groups[0]["samples"][0]
    message = (
        f"{whose} has {value:,} documents, above the limit of {limit:,}: "
        f"look at {printable(sample['url'] or sample['doc_id'])} ({column} {groups[0]['id']})."
    )
    return [{"alarm": "cluster_size", "value": value, "limit": limit, "message": message}]


def _source_loss(alarms: Alarms, sources: Mapping[str, Any]) -> list[Raised]:
    limit, above = alarms.source_loss, sources["above"]
    if limit is None or not above:
        return []
    worst = sources["sources"][0]
    message = (
        f"{above:,} source{'s' * (above > 1)} of {alarms.source_records:,} or more documents lost more than the limit "
        f"of {limit:.2%} of them: look at {printable(worst['source'])}, which lost {worst['dropped']:,} of "
        f"{worst['records']:,}, {worst['share']:.2%}."
    )
    return [{"alarm": "source_loss", "value": worst["share"], "limit": limit, "message": message}]


def _removal_rate(limit: float | None, records: int, dropped: int) -> list[Raised]:
    rate = dropped / max(records, 1)
    if limit is None or rate <= limit:
        return []
    message = (
        f"{dropped:,} of {records:,} documents were dropped, {rate:.2%}, above the limit of {limit:.2%}: "
        "look at the reasons in the ledger."
    )
    return [{"alarm": "removal_rate", "value": rate, "limit": limit, "message": message}]
