"""The ways to undo a mark, by its rule: in words, with the config keys between backticks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lineage.explanations.quote import at_least, at_most, quoted
from schemas import reasons, signals

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A mark with all that may have a say in it."""

    mark: Fields
    row: Fields
    config: Fields

    @property
    def rule(self) -> str:
        return str(self.mark["rule"])

    @property
    def entry(self) -> str:
        """Where the entry of a list stands that the mark cites."""
        file = f" in {quoted(self.mark['file'])}" if self.mark["file"] else ""
        return f"line {self.mark['line']}{file} of list {quoted(self.mark['list'])}"

    @property
    def category(self) -> str:
        """The key by which the category of the mark's list decides."""
        return quoted(f"policy.categories.{self.mark['category']}")


def signal_key(rule: str) -> str:
    return f"`policy.signals.{rule}`"


def _lift_takedown(case: Case) -> list[str]:
    request = quoted(case.mark["list"])
    return [f"nothing but the withdrawal of request {request}, and a build whose `takedowns` do not name it"]


def _lift_empty_text(case: Case) -> list[str]:
    ways = ["the crawl holds a text for it: an empty one is dropped under every config"]
    if case.config["crawl"]["main_content"]:
        ways.append("`crawl.main_content` set to false, if it is HTML whose visible text is no main content")
    return ways


def _lift_blocklist(case: Case) -> list[str]:
    host = quoted(case.row["url_host_name"] or "its host")
    return [
        f"the entry {quoted(case.mark['matched'])} taken off {case.entry}",
        f"{host} put on `sources.allow`",
        f"{case.category} set to `flag`",
    ]


def _marker_keys(case: Case) -> str:
    """The key that decides on a phrase: that of its category if the policy names it."""
    named = case.mark["category"] in case.config["policy"]["categories"]
    return case.category if named else f"{signal_key(case.rule)} (or {case.category})"


def _lift_marker(case: Case) -> list[str]:
    entry = f"the phrase {quoted(case.mark['matched'])} taken off {case.entry}"
    return [entry, f"{_marker_keys(case)} set to `flag`"]


def _basis(case: Case) -> str:
    return "a basis other than `crawl` for its source in `sources.register`"


def _lift_reservation(case: Case) -> list[str]:
    ways = [f"{signal_key(case.rule)} set to `flag`", f"{_basis(case)}, which leaves a mere flag"]
    agent = (case.mark["matched"] or "").partition(":")[0]
    if agent.lower() in case.config["policy"]["agents"] and agent not in signals.RESERVATIONS:
        ways.append(f"{quoted(agent)} taken out of `policy.agents`")
    return ways


def _lift_signal(case: Case) -> list[str]:
    return [f"{signal_key(case.rule)} set to `flag`"]


def _lift_publisher(case: Case) -> list[str]:
    return [f"the prefix of its ISBN {quoted(case.mark['matched'])} taken off {case.entry}", *_lift_signal(case)]


def _lift_unlicensed(case: Case) -> list[str]:
    licences = [found["value"] for found in case.row["licences"] if found["source"].startswith(signals.DECLARED)]
    declared = [
        f"{quoted(name)}, which the page declares, put on `policy.open_licences`" for name in dict.fromkeys(licences)
    ]
    return [_basis(case), *(declared or ["an open licence that the page declares"]), *_lift_signal(case)]


def _lift_same_url(case: Case) -> list[str]:
    return ["`dedup.url` set to null", *_without_witness(case)]


def _lift_exact(case: Case) -> list[str]:
    key = "`dedup.exact` set to null"
    if case.config["dedup"]["near"]:
        key += ", and `dedup.near` too, as equal texts have similarity 1"
    return [key, *_without_witness(case)]


def _lift_near(case: Case) -> list[str]:
    return [*_threshold(case), "`dedup.near` set to null", *_without_witness(case)]


def _threshold(case: Case) -> list[str]:
    """Another threshold, where there is one that the mark's similarity does not reach."""
    value = case.mark["value"]
    if value is None or value == 1 or not case.config["dedup"]["near"]:
        return []
    bound = at_most(value)
    higher = "`dedup.near.threshold` set to 1" if bound == "1" else f"`dedup.near.threshold` above {bound}"
    return [f"{higher}, as its similarity is {at_least(value)}"]


def _without_witness(case: Case) -> list[str]:
    build = case.mark["evidence_build"]
    flag = "`dedup.survivor` set to `flag`, which drops no duplicate"
    if build:
        overlap = "`dedup.overlap` set to `report` or `new_replaces`"
        return [f"the store of build {quoted(build)} taken out of `dedup.against`", overlap, flag]
    order = "a `dedup.survivor` order that puts it before its witness"
    if case.config["dedup"]["survivor"] == "none":
        order = "`dedup.survivor` set to a list of rules, by which it comes first"
    return [f"its witness {case.mark['evidence']} gone from the crawl, or taken out itself", order, flag]


def _lift_taint(case: Case) -> list[str]:
    evidence = f"what takes {case.mark['evidence']} out lifted, whose text it has"
    return ["`dedup.taint` set to `flag`", f"{_basis(case)}, which leaves a mere flag", evidence, *_threshold(case)]


def _flag_to_drop(key: str) -> list[str]:
    return [f"{key} set to `drop` or `quarantine`"]


def _make_blocklist(case: Case) -> list[str]:
    """A blocklist flags by its category, or because an exception beats it."""
    if case.config["policy"]["categories"].get(case.mark["category"]) == reasons.MARK_FLAG:
        return _flag_to_drop(case.category)
    return [f"the exception gone that beats the entry {quoted(case.mark['matched'])} on {case.entry}"]


def _make_allowed(case: Case) -> list[str]:
    where = "`sources.allow`" if case.mark["list"] == "allow" else case.entry
    return [f"the exception {quoted(case.mark['matched'])} taken off {where}, if no other lets it in"]


def _make_marker(case: Case) -> list[str]:
    return _flag_to_drop(_marker_keys(case))


def _make_signal(case: Case) -> list[str]:
    return _flag_to_drop(signal_key(case.rule))


def _make_reservation(case: Case) -> list[str]:
    """Where the register gives a basis, a reservation is flagged whatever the policy says."""
    (way,) = _make_signal(case)
    return [way + _if_entitled(case)]


def _if_entitled(case: Case) -> str:
    basis = case.row["rights_basis"]
    return "" if basis == reasons.CRAWL else f", and no basis {quoted(basis)} for its source in `sources.register`"


def _make_duplicate(case: Case) -> list[str]:
    return ["`dedup.survivor` set to a list of rules, unless it comes first by them", "`dedup.survivor` set to `none`"]


def _make_taint(case: Case) -> list[str]:
    return [f"`dedup.taint` set to `drop`{_if_entitled(case)}"]


def _make_overlap(case: Case) -> list[str]:
    return ["`dedup.overlap` set to `old_stays`"]


def _make_bound(case: Case) -> list[str]:
    return ["`dedup.near.most_estimates` or `dedup.near.most_comparisons` raised, if it then meets a similar document"]


Ways = Mapping[str, Callable[[Case], list[str]]]
_RESERVED: Final = (reasons.TDM_RESERVATION, reasons.NOAI, reasons.NOIMAGEAI, reasons.NOINDEX)
LIFTS: Final[Ways] = {
    **dict.fromkeys(reasons.POLICY_RULES, _lift_signal),
    **dict.fromkeys(_RESERVED, _lift_reservation),
    reasons.TAKEDOWN: _lift_takedown,
    reasons.EMPTY_TEXT: _lift_empty_text,
    reasons.BLOCKLIST: _lift_blocklist,
    reasons.PIRATED_MARKER: _lift_marker,
    reasons.PUBLISHER_ISBN: _lift_publisher,
    reasons.UNLICENSED: _lift_unlicensed,
    reasons.SAME_URL: _lift_same_url,
    reasons.EXACT_DUPLICATE: _lift_exact,
    reasons.NEAR_DUPLICATE: _lift_near,
    reasons.TAINT: _lift_taint,
}
"""What lifts a mark that takes a document out, by its rule."""
TAKES_OUT: Final[Ways] = {
    **dict.fromkeys(reasons.POLICY_RULES, _make_signal),
    **dict.fromkeys(_RESERVED, _make_reservation),
    **dict.fromkeys((reasons.SAME_URL, reasons.EXACT_DUPLICATE, reasons.NEAR_DUPLICATE), _make_duplicate),
    reasons.BLOCKLIST: _make_blocklist,
    reasons.ALLOWED: _make_allowed,
    reasons.PIRATED_MARKER: _make_marker,
    reasons.TAINT: _make_taint,
    reasons.OVERLAP: _make_overlap,
    reasons.COMPARISON_BOUND: _make_bound,
}
"""What makes a flag take a document out, by its rule."""
