"""`dedup.near`: what presets and permutations stand for once they are read."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.bands import choose_bands
from configs.load import load, show
from configs.near import SCHEMES, Near, Preset
from tests.config_data import near

NUMBERS = ("ngram", "bands", "rows", "threshold")


def numbers(given: Near) -> tuple[float, ...]:
    """The four numbers that callers ask for."""
    return tuple(getattr(given, name) for name in NUMBERS)


def load_near(directory: Path, section: dict[str, Any], *overrides: str) -> Near:
    """`dedup.near` of a config file with this section."""
    path = directory / "near.yaml"
    path.write_text(yaml.safe_dump({"crawl": {"name": "a", "files": ["b"]}, "dedup": {"near": section}}))
    found = load(str(path), overrides).dedup.near
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (None, (5, 25, 5, 0.7)),
        ("fineweb", (5, 14, 8, 0.719)),
        ("redpajama-v2", (13, 14, 9, 0.7)),
        ("slimpajama", (13, 9, 13, 0.8)),
    ],
)
def test_preset_fills_in_its_numbers(preset: Preset | None, expected: tuple[float, ...]) -> None:
    """ngram, bands, rows and threshold, as published; without a preset, the defaults."""
    assert numbers(Near(preset=preset)) == expected


def test_every_preset_has_its_numbers() -> None:
    """The names and the table are the same, and the default is first."""
    assert list(SCHEMES) == [None, *get_args(Preset)]


def test_fineweb_threshold_is_the_steep_part_of_its_curve() -> None:
    """(1/bands)^(1/rows), to three digits, since FineWeb itself has none."""
    scheme = SCHEMES["fineweb"]
    assert scheme.threshold == round((1 / scheme.bands) ** (1 / scheme.rows), 3)


@given(st.sampled_from(get_args(Preset)), st.sets(st.sampled_from(NUMBERS)))
def test_key_beside_a_preset_overrides_its_number(preset: Preset, given: set[str]) -> None:
    """Each number that is given counts, and the others stay those of the preset."""
    own = {name: 0.5 if name == "threshold" else 3 for name in sorted(given)}
    expected = {name: getattr(SCHEMES[preset], name) for name in NUMBERS} | own
    assert numbers(Near(preset=preset, **own)) == tuple(expected.values())


@settings(deadline=None)
@given(st.sampled_from([None, *get_args(Preset)]), st.none() | st.floats(0.01, 1), st.integers(1, 128))
def test_permutations_choose_bands_and_rows(preset: Preset | None, threshold: float | None, permutations: int) -> None:
    """Chosen for the threshold that holds, whoever gave it; those of the preset give way."""
    given = {} if threshold is None else {"threshold": threshold}
    found = Near(preset=preset, permutations=permutations, **given)
    holds = SCHEMES[preset].threshold if threshold is None else threshold
    assert (found.bands, found.rows) == choose_bands(holds, permutations)
    assert (found.threshold, found.permutations) == (holds, None)


def test_permutations_that_are_the_product_change_nothing() -> None:
    """Given all three, bands times rows must be the permutations, and then they are said twice."""
    assert Near(permutations=128, bands=16, rows=8) == Near(bands=16, rows=8)


def test_permutations_may_make_one_long_band() -> None:
    """At threshold 1 the best of 1000 is a single band, which is within the limits of `rows`."""
    found = Near(permutations=1000, threshold=1)
    assert (found.bands, found.rows) == (1, 1000)


@pytest.mark.parametrize(
    ("wrong", "places"),
    [
        ({"preset": "fine-web"}, {"preset"}),
        ({"threshold": 0, "permutations": 128}, {"threshold"}),
        ({"threshold": 1.5, "permutations": 0}, {"threshold", "permutations"}),
        ({"permutations": 12.5}, {"permutations"}),
        ({"permutations": 10, "bands": 2, "rows": 4}, {""}),
    ],
)
def test_wrong_number_is_a_mistake_in_python_too(wrong: dict[str, Any], places: set[str]) -> None:
    """What hangs on a wrong value is not chosen; the wrong values are named."""
    with pytest.raises(ValidationError) as error:
        Near(**wrong)
    mistakes = [mistake for mistake in error.value.errors() if mistake["type"] != "default_factory_not_called"]
    assert {".".join(map(str, mistake["loc"])) for mistake in mistakes} == places


# In a file


@pytest.mark.parametrize(
    ("section", "override", "expected"),
    [
        ({"preset": "fineweb"}, "threshold=0.8", (5, 14, 8, 0.8)),
        ({"preset": "fineweb"}, "preset=slimpajama", (13, 9, 13, 0.8)),
        ({"preset": "fineweb", "rows": 9}, "preset=null", (5, 25, 9, 0.7)),
        ({"permutations": 128}, "threshold=0.8", (5, 9, 13, 0.8)),
        ({"preset": "redpajama-v2"}, "permutations=64", (13, *choose_bands(0.7, 64), 0.7)),
        ({"bands": 14, "rows": 8}, "threshold=0.8", (5, 14, 8, 0.8)),
        ({"ngram": 5, "bands": 25, "rows": 5, "threshold": 0.7}, "preset=slimpajama", (5, 25, 5, 0.7)),
    ],
)
def test_override_counts_as_if_it_stood_in_the_file(
    tmp_path: Path, section: dict[str, Any], override: str, expected: tuple[float, ...]
) -> None:
    """Presets and permutations are worked out after --set; a threshold alone moves bands and rows only if these were
    to be chosen for it."""
    assert numbers(load_near(tmp_path, section, f"dedup.near.{override}")) == expected


def test_shown_preset_has_its_numbers_written_out(tmp_path: Path) -> None:
    """`config show` gives the name and all numbers, and one of them can be changed in what it shows."""
    path = tmp_path / "near.yaml"
    path.write_text("crawl: {name: a, files: [b]}\ndedup: {near: {preset: slimpajama, permutations: 128}}")
    shown = show(load(str(path)))
    assert yaml.safe_load(shown)["dedup"]["near"] == {
        "preset": "slimpajama",
        "threshold": 0.8,
        "ngram": 13,
        "permutations": None,
        "bands": 9,
        "rows": 13,
        "verify": "jaccard",
        "most_estimates": 200_000,
        "most_comparisons": 1000,
    }
    path.write_text(shown)
    again = load(str(path), ["dedup.near.rows=12"]).dedup.near
    assert again == Near(preset="slimpajama", rows=12)


@settings(deadline=None)
@given(near)
def test_numbers_are_always_there(section: dict[str, Any]) -> None:
    """Whatever was given, callers find numbers of the right kind, within the limits."""
    found = Near.model_validate(section)
    assert [type(number) for number in numbers(found)] == [int, int, int, float]
    assert 1 <= found.bands <= 1000
    assert 1 <= found.rows <= 1000
    assert found.permutations is None
