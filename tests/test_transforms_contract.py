"""One contract for all PTransforms: compiled coders only, verbs as names, pickled small, documented."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import apache_beam as beam
import pytest
from apache_beam.coders import coders
from apache_beam.internal import pickler
from apache_beam.options.pipeline_options import PipelineOptions

import transforms
from configs.policy import Policy
from transforms.decide.all_parts import AllParts
from transforms.decide.choose_leaders import ChooseLeaders
from transforms.decide.chunks import Chunks, Turn
from transforms.decide.connect_components import ConnectComponents
from transforms.decide.count_components import CountComponents
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.lists.load_lists import SourceLists
from transforms.decide.mark_duplicates import JudgePass, MarkDuplicates
from transforms.decide.markers import MarkerLists
from transforms.decide.pair_candidates import PairCandidates, PairPass
from transforms.decide.publishers import PublisherLists
from transforms.decide.relabel_nodes import RelabelNodes
from transforms.decide.settle_decisions import Settings, SettleDecisions
from transforms.decide.sources_register import Register
from transforms.decide.weigh_sources import SourceRules, WeighSources
from transforms.decide.write_members import WriteMembers
from transforms.measure.fingerprint import NearSettings
from transforms.measure.measure_parts import MeasureParts
from transforms.measure.read_records import ReadRules
from transforms.measure.readers.columns import ColumnMap
from transforms.part_store import Stage
from transforms.publish.build_index import Range
from transforms.publish.count_sources import CountSources
from transforms.publish.merge_index import MergeIndex
from transforms.publish.write_parts import WriteParts
from transforms.spread_parts import SpreadParts

STAGE = Stage("somewhere", "digest")
SOURCES = SourceRules(SourceLists(), MarkerLists(()), PublisherLists(()), Register.of(()), Policy())
RULES = DuplicateRules(True, True, ("longest",), "flag")
PARTS = AllParts(STAGE, 1)
JUDGE, PAIR = JudgePass(0, 1, 8), PairPass(0, ("text_digest",), 0, 1, 8)

MADE: dict[type[beam.PTransform], Callable[[], beam.PTransform]] = {
    MeasureParts: lambda: MeasureParts(
        STAGE, "crawl", ReadRules(ColumnMap((("text", "text"),)), True), NearSettings(5, 25, 5), "lz4"
    ),
    PairCandidates: lambda: PairCandidates(PARTS, STAGE, PAIR, 4, 85),
    ConnectComponents: lambda: ConnectComponents(STAGE, STAGE),
    ChooseLeaders: lambda: ChooseLeaders(Chunks("edges"), "leaders", 1, 8, Turn(0, 1)),
    RelabelNodes: lambda: RelabelNodes(Chunks("edges"), "leaders", 8, "relabeled"),
    CountComponents: lambda: CountComponents(Chunks("labels"), STAGE, 8, Turn(0, 1)),
    WriteMembers: lambda: WriteMembers(Chunks("components"), "members", Turn(0, 1)),
    MarkDuplicates: lambda: MarkDuplicates(PARTS, STAGE, STAGE, STAGE, RULES, JUDGE),
    SettleDecisions: lambda: SettleDecisions(PARTS, STAGE, STAGE, [JUDGE], STAGE, Settings(RULES, (), "build")),
    WeighSources: lambda: WeighSources(PARTS, STAGE, SOURCES),
    CountSources: lambda: CountSources(STAGE, "directory", 8, 1000, 0.9),
    WriteParts: lambda: WriteParts(STAGE, STAGE, STAGE, "dataset"),
    MergeIndex: lambda: MergeIndex(STAGE, 1, [Range(0, 0, None, None)], STAGE, "dataset"),
}
COMPILED = {
    "beam:coder:bytes:v1",
    "beam:coder:varint:v1",
    "beam:coder:kv:v1",
    "beam:coder:iterable:v1",
    "beam:coder:windowed_value:v1",
    "beam:coder:global_window:v1",
}


def build(transform: beam.PTransform) -> beam.Pipeline:
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    pipeline | SpreadParts([0]) | "Step" >> transform
    return pipeline


def all_transforms() -> set[type[beam.PTransform]]:
    found = set()
    for info in pkgutil.walk_packages(transforms.__path__, "transforms."):
        for _, value in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            if issubclass(value, beam.PTransform) and value.__module__.startswith("transforms."):
                found.add(value)
    return found


def test_contract_covers_every_transform() -> None:
    """A new PTransform must stand in the table above."""
    assert all_transforms() == MADE.keys() | {SpreadParts}


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_elements_cross_shuffles_by_compiled_coders(kind: type[beam.PTransform]) -> None:
    """Integers and bytes only: a coder that runs Python can be cut in two by the worker's timer thread."""
    pipeline = build(MADE[kind]())
    components = pipeline.to_runner_api().components
    reshuffled = {
        components.pcollections[name].coder_id
        for step in components.transforms.values()
        if step.spec.urn == "beam:transform:group_by_key:v1"
        for name in [*step.inputs.values(), *step.outputs.values()]
    }
    assert reshuffled
    queue, seen = list(reshuffled), set()
    while queue:
        name = queue.pop()
        seen.add(components.coders[name].spec.urn)
        queue.extend(components.coders[name].component_coder_ids)
    assert seen <= COMPILED


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_no_coder_falls_back_on_pickling(kind: type[beam.PTransform]) -> None:
    """Every collection has a declared type with a coder of its own."""
    pipeline = build(MADE[kind]())
    components = pipeline.to_runner_api().components
    fallback = {coders.FastPrimitivesCoder, coders.PickleCoder}
    assert not [
        name
        for name, coder in components.coders.items()
        if coder.spec.urn not in COMPILED and type(coders.Coder.from_runner_api(coder, _context(pipeline))) in fallback
    ]


def test_runs_of_parts_are_sent_by_compiled_coders_too() -> None:
    """Where a run resumes, its parts stand in several runs, which Beam spreads by a shuffle of its own."""
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    pipeline | SpreadParts([0, 2, 3, 9])
    assert {coder.spec.urn for coder in pipeline.to_runner_api().components.coders.values()} <= COMPILED


def _context(pipeline: beam.Pipeline) -> object:
    from apache_beam.runners.pipeline_context import PipelineContext

    return PipelineContext(pipeline.to_runner_api().components)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_name_is_a_verb_with_its_file_and_a_docstring(kind: type[beam.PTransform]) -> None:
    """`PairCandidates` lives in pair_candidates.py, and says from what to what it leads."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")
    assert kind.__module__.rpartition(".")[2] == snake
    assert (kind.__doc__ or "").startswith("From ")
    labels = [step.full_label for step in build(MADE[kind]()).transforms_stack[0].parts]
    assert all(label[0].isupper() for label in labels)


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_step_is_pickled_small(kind: type[beam.PTransform]) -> None:
    """A worker is sent settings and paths, never lists or tables."""
    made = MADE[kind]()
    steps = [value for value in vars(made).values() if isinstance(value, beam.DoFn)]
    assert steps
    assert all(len(pickler.dumps(step)) < 20_000 for step in steps)
