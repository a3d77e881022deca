"""Judge anew: of documents that were dropped only as duplicates of what goes, the next in line comes back.

What is kept stays as it is. Inside each cluster the others, in survivor order, join the first kept document with their
URL, their text or a similar one, or come back; as when a crawl is decided, every witness is proven.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.model import Dedup
from lineage.catalog import Dataset
from lineage.takedowns.row_ids import cut_blocks, places_of, row_ids
from lineage.takedowns.spread_to_followers import REPEATS, doc_ids, still_out
from lineage.texts.read_texts import read_texts
from schemas import reasons
from schemas.columns import BASIS, LEDGER, SKETCH, TEXT
from schemas.errors import InputError
from transforms.batches import digest_words, fixed_bytes
from transforms.decide.duplicate_rules import DuplicateRules, duplicate_rules
from transforms.decide.gather_members import gather_members, needed_columns
from transforms.decide.marks import flat_marks, marked_rows
from transforms.decide.order_survivors import Facts, order_survivors
from transforms.decide.sources_register import Register
from transforms.kernels.survivors import NONE, Found, Members, choose_survivors, groups

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_COLUMNS: Final = LEDGER.schema().names
_PLACE: Final = ("url_host_name", "url", "source_file")
"""What the register goes by."""
_FACTS: Final = ("url", "url_host_name", "source_file", "text_bytes", "fetch_time", "rights_basis", "cluster_id")


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that were judged anew."""

    ids: I64
    """Row ids, int64 of shape (rows,), ascending."""
    ledger: pa.Table
    """`LEDGER` and `text`, shape (rows,): what they become."""

    @property
    def returned(self) -> Flags:
        """Which of them are kept now."""
        return np.asarray(pc.equal(self.ledger["decision"], reasons.KEEP))


NONE_JUDGED: Final = Judged(np.empty(0, np.int64), LEDGER.schema([TEXT.field()]).empty_table())


def judge_anew(dataset: Dataset, gone: I64, followers: I64) -> Judged:
    """Judge those of the `followers` (row ids) of what is `gone` that were neither quarantined nor taken out before.

    Nor is one judged that repeats what an earlier takedown took out, which may have said `stay_out`. Texts are read
    again from the crawl files. Raises InputError where these are not at hand. Where the survivor policy drops every
    duplicate nobody comes back.
    """
    rules = duplicate_rules(Dedup.model_validate(dataset.manifest["config"]["dedup"]))
    ledger = dataset.ledger(places_of(followers), _COLUMNS)
    chosen = _may_return(dataset, gone, followers, ledger) & (rules.duplicates == "drop")
    ids, ledger = followers[chosen], ledger.filter(pa.array(chosen))
    cluster = np.asarray(ledger["cluster_id"].combine_chunks().dictionary_encode().indices)
    found = [NONE_JUDGED]
    for block in cut_blocks(np.bincount(cluster, ledger["text_bytes"].to_numpy()).astype(np.int64)):
        mine = np.flatnonzero((cluster >= block.start) & (cluster < block.stop))
        found.append(_judge(dataset, rules, gone, ids[mine], ledger.take(pa.array(mine))))
    order = np.argsort(np.concatenate([one.ids for one in found]))
    after = pa.concat_tables([one.ledger for one in found]).take(pa.array(order))
    judged = Judged(np.concatenate([one.ids for one in found])[order], after)
    if judged.returned.any() and (carried := dataset.manifest["config"]["crawl"]["carry"]):
        raise InputError(
            f"`witnesses: next_in_line` would bring {judged.returned.sum():,} documents back; their carried columns "
            f"({', '.join(carried)}) are not read again.\nSay `stay_out`, or make the dataset again with the request "
            "under `takedowns` in its config."
        )
    return judged


def _may_return(dataset: Dataset, gone: I64, followers: I64, ledger: pa.Table) -> Flags:
    """Which followers are out only by what goes now, and would not be quarantined without that."""
    before = dataset.ledger(places_of(gone), ["takedown_id"])["takedown_id"]
    now = np.union1d(gone[np.asarray(before.is_null())], followers)
    held = marked_rows(flat_marks(ledger), len(ledger), [reasons.MARK_QUARANTINE])
    return ~still_out(ledger, doc_ids(dataset, now)) & ~held


def _judge(dataset: Dataset, rules: DuplicateRules, gone: I64, ids: I64, ledger: pa.Table) -> Judged:
    """Judge the rows of some whole clusters."""
    kept = _kept(dataset, gone, ledger["cluster_id"])
    places = places_of(np.concatenate([kept, ids]))
    facts, prints = dataset.ledger(places, _FACTS), dataset.take("fingerprints", places)
    texts = _texts(dataset, places)
    columns = {name: table[name] for table in (facts, prints) for name in table.column_names} | {TEXT.name: texts}
    table = pa.table({name: columns[name] for name in needed_columns(rules)})
    cluster = np.asarray(facts["cluster_id"].combine_chunks().dictionary_encode().indices).astype(np.uint64)
    weighed = _weighed(dataset, rules, facts)
    batch, sets = gather_members(table, cluster, weighed, np.arange(len(table), dtype=np.uint64), rules)
    follows = np.arange(len(table)) >= len(kept)
    order_by = Facts(*(batch[name].to_numpy() for name in Facts._fields))
    order = order_survivors(rules.survivor, order_by, digest_words(batch["doc_id"]), [cluster, follows])
    members = _members(pa.table(batch).take(pa.array(order)).combine_chunks(), sets, rules)
    found = choose_survivors(members, rules.limits, follows[order], np.ones(len(order), np.bool_))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    mine = place[len(kept) :]
    verdicts = _verdicts(found, mine, batch["doc_id"].take(pa.array(order)))
    settled = _settle(dataset, rules, ledger, prints.slice(len(kept)), verdicts)
    return Judged(ids, settled.append_column(TEXT.field(), texts.slice(len(kept))))


def _kept(dataset: Dataset, gone: I64, clusters: pa.ChunkedArray) -> I64:
    """The rows of some clusters that are kept and not `gone`."""
    wanted = pc.unique(clusters)
    places = dataset.find("cluster", wanted.to_pylist())
    ledger = dataset.ledger(places, ["cluster_id", "decision"])
    same = pc.equal(ledger["cluster_id"], wanted.take(places["query"].combine_chunks()))
    found = row_ids(places.filter(pc.and_(same, pc.equal(ledger["decision"], reasons.KEEP))))
    return np.setdiff1d(found, gone)


def _texts(dataset: Dataset, places: pa.Table) -> pa.Array:
    texts = read_texts(dataset, places)[TEXT.name].combine_chunks()
    if texts.null_count:
        raise InputError(
            f"`witnesses: next_in_line` must compare {texts.null_count:,} texts that neither the dataset nor crawl "
            "files hold.\nPut the crawl files where they lay when the dataset was made, or say `stay_out`."
        )
    return texts


def _weighed(dataset: Dataset, rules: DuplicateRules, facts: pa.Table) -> pa.Table:
    """What the sources register says of the rows, as far as survivors are ordered by it."""
    priority = np.zeros(len(facts), np.int64)
    said = dataset.manifest["register"]
    if said and "source_priority" in rules.survivor:
        register = Register.read(dataset.manifest["config"]["sources"]["register"])
        if register.sha256 != said["sha256"]:
            raise InputError(
                "The sources register was changed since the dataset was made, and it says who is next in line.\n"
                "Restore it, or say `witnesses: stay_out`."
            )
        priority = register.match(*(facts[name].combine_chunks() for name in _PLACE)).priority
    no = np.zeros(len(facts), np.bool_)
    columns = {"rights_basis": facts["rights_basis"], "priority": priority, "excluded": no, "tainting": no}
    return pa.table({**columns, "takedown": np.full(len(facts), NONE, np.int64)})


def _members(rows: pa.Table, sets: npt.NDArray[np.uint64], rules: DuplicateRules) -> Members:
    def numbers(name: str, wanted: bool) -> I64:
        digest = rows[name].combine_chunks()
        return groups(digest_words(digest), np.asarray(digest.is_valid()) & wanted)

    nothing = np.zeros(len(rows), np.int64)
    by_text = bool(rules.permutations)
    return Members(
        component=rows["component"].to_numpy().astype(np.int64),
        url=numbers("url_digest", rules.url),
        text=numbers("text_digest", rules.exact),
        signed=np.asarray(rows["signed"]),
        sketches=fixed_bytes(rows[SKETCH].combine_chunks()).view("<u8") if by_text else np.zeros((len(rows), 0), "<u8"),
        shingles=sets,
        start=rows["set_start"].to_numpy() if by_text else nothing,
        size=rows["set_size"].to_numpy() if by_text else nothing,
    )


def _verdicts(found: Found, places: I64, doc_id: pa.Array) -> dict[str, pa.Array]:
    """Columns of `VERDICTS` that say something, of the members at some places."""
    columns = {"bounded": pa.array(found.bounded[places])}
    for kind in REPEATS.values():
        witness = getattr(found, kind)[places]
        columns[kind] = doc_id.take(pa.array(witness, mask=witness == NONE))
    columns["near_similarity"] = pa.array(found.similarity[places], mask=found.near[places] == NONE)
    return columns


def _settle(
    dataset: Dataset, rules: DuplicateRules, ledger: pa.Table, prints: pa.Table, found: dict[str, pa.Array]
) -> pa.Table:
    """The rows of the ledger with what was found in place of what was; all other marks stay, in the order of rules."""
    # Beam takes a second to load, and only this of all that is asked of a dataset needs what settles decisions.
    from transforms.decide.all_parts import OWN
    from transforms.decide.judge_members import VERDICTS, WITNESSES
    from transforms.decide.settle_decisions import NARROW, Settings, all_marks, settle

    rows = len(ledger)
    marks = flat_marks(ledger)
    others = marks.filter(pc.invert(pc.is_in(marks["rule"], pa.array([*REPEATS, reasons.COMPARISON_BOUND]))))
    empty = {field.name: pa.nulls(rows, field.type) for field in VERDICTS}
    stores = {f"{kind}_store": pa.repeat(pa.scalar(OWN, pa.int32()), rows) for kind in WITNESSES}
    no = {name: pa.repeat(False, rows) for name in ("taken_text", "estimated")}
    said = {"row": np.arange(rows, dtype=np.uint32), "cluster_size": ledger["cluster_size"]}
    columns = {**empty, **stores, **no, **said, **found}
    verdicts = pa.table([columns[name] for name in VERDICTS.names], schema=VERDICTS)
    settings = Settings(rules, (), dataset.build_id)
    digests = {name: prints[name] for name in ("doc_id", "text_digest")}
    table = pa.table({name: digests.get(name, ledger[name]) for name in NARROW}).combine_chunks()
    weighed = ledger.select([column.name for column in BASIS])
    after = settle(table, weighed, _in_order(all_marks(table, weighed, others, verdicts, settings)), verdicts, settings)
    same = ("cluster_id", "cluster_size")
    return pa.table([(ledger if name in same else after)[name] for name in _COLUMNS], schema=LEDGER.schema())


def _in_order(marks: pa.Table) -> pa.Table:
    """The marks (`FLAT`) of each row in the order of the rules; those of one rule stay as they stand."""
    rank = pc.index_in(marks["rule"], pa.array([*reasons.RULES])).to_numpy()
    return marks.take(pa.array(np.lexsort([rank, marks["row"].to_numpy()])))
