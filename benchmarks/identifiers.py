"""How well identifiers are found: made-up right and wrong numbers, digits that are none, and real text without any.

    python -m benchmarks.identifiers [--numbers 20000] [--sections FILE]

Recall is over right numbers in all the ways to write them; a number counts as found if it is the only one found in its
text, with the right value and exactly its bytes. Wrong numbers are right ones with one digit changed or two unequal
neighbours swapped, behind their labels. The same numbers every time. FILE is JSON lines (.xz) with a key `text`.
"""

import argparse
import json
import lzma
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from transforms.batches import strings
from transforms.kernels.check_digits import check13, has_check11
from transforms.measure.rights.findings import Detector
from transforms.measure.rights.identifiers import ARXIV, DOI, ISBN, ISSN
from transforms.measure.rights.triggers import find_triggers

SECTIONS: Final = Path("../shared/data/civil/sections.jsonl.xz")
SEPARATORS: Final = ("-", "-", "", "\u2013", "\u2011", " ", "\u00a0")
LABELS: Final = {
    "ISBN-10": (
        "ISBN {}",
        "ISBN: {}",
        "ISBN-10: {}",
        "ISBN 10 {}",
        "(ISBN{})",
        "isbn={}&",
        "ISBN-10\n{}",
        "ISBN {} (pbk.)",
    ),
    "ISBN-13": (
        "ISBN {}",
        "ISBN-13: {}",
        "ISBN13 {}",
        "e-ISBN {}.",
        "ISBN (paper): {}",
        "ISBN: {}, 2nd ed.",
        "(ISBN {})",
    ),
    "ISBN-13, no label": ("{}", "see {}.", "({})", "12 {} 19.99", "/dp/{}?a", "EAN {},"),
    "ISSN": ("ISSN {}", "ISSN: {}", "eISSN {}", "ISSN-L {}", "(ISSN {})", "ISSN (Online): {};", "ISSN{}"),
    "DOI": ("doi:{}", "DOI: {}.", "https://doi.org/{}", "http://dx.doi.org/{},", "({})", "[{}]", "“{}”", "see {}; and"),
    "arXiv": ("arXiv:{}", "arXiv: {}.", "https://arxiv.org/abs/{}", "arxiv.org/pdf/{}.pdf", "(arXiv {})", "arXiv.{}"),
}
DETECTORS: Final = {"ISBN": ISBN, "ISSN": ISSN, "DOI": DOI, "arXiv": ARXIV}


class Sample(NamedTuple):
    """A text and what should be found in it: the value and how it is written."""

    text: str
    value: str
    written: str


class Maker:
    """Makes numbers, from one seed."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)

    def digits(self, count: int) -> str:
        return "".join(map(str, self.random.integers(0, 10, count)))

    def letters(self, count: int) -> str:
        return "".join(map(chr, self.random.integers(ord("a"), ord("z") + 1, count)))

    def one(self, choices: Sequence[str]) -> str:
        return choices[int(self.random.integers(len(choices)))]

    def cut(self, digits: str, parts: int, separator: str) -> str:
        """The digits in so many groups, of which the last has one."""
        inner = sorted(self.random.choice(np.arange(1, len(digits) - 1), parts - 2, replace=False).tolist())
        edges = [0, *inner, len(digits) - 1, len(digits)]
        return separator.join(digits[start:end] for start, end in pairwise(edges))

    def isbn10(self) -> str:
        return with_check11(self.digits(9))

    def isbn13(self) -> str:
        return with_check13((self.one(["978", "978", "978", "9791"]) + self.digits(9))[:12])

    def issn(self) -> str:
        return with_check11(self.digits(7))

    def doi(self) -> str:
        """Of the kinds that there are; one in eight with brackets."""
        registrant = f"10.{self.random.integers(1000, 100_000)}"
        year, page = self.random.integers(1990, 2025), self.random.integers(1, 5000)
        suffixes = [
            f"j.{self.letters(5)}.{year}.{page}.{self.digits(3)}",
            f"{self.letters(8)}.{self.digits(7)}",
            f"s{self.digits(5)}-{self.digits(3)}-{self.digits(5)}-{self.digits(1)}",
            f"978-3-{self.digits(3)}-{self.digits(5)}-{self.digits(1)}_{page}",
            self.digits(8),
            f"S{self.digits(4)}-{self.digits(4)}({self.digits(2)}){self.digits(5)}-{self.digits(1)}",
            f"{self.letters(4).upper()}{year}/{page}-{self.letters(2)}",
            f"(SICI){self.digits(4)}-{self.digits(4)}({year})49:8<{page}::AID-{self.letters(3).upper()}4>3.0.CO;2-O",
        ]
        return f"{registrant}/{self.one(suffixes)}"

    def arxiv(self) -> str:
        month = f"{self.random.integers(1, 13):02d}"
        archive = self.one(["hep-th", "astro-ph", "math.GT", "cond-mat"])
        ids = [
            f"{self.random.integers(15, 26)}{month}.{self.digits(5)}",
            f"{self.random.integers(8, 15):02d}{month}.{self.digits(4)}",
            f"{archive}/{self.random.integers(91, 100)}{month}{self.digits(3)}",
        ]
        return self.one(ids) + self.one(["", "", f"v{self.random.integers(1, 9)}"])


def with_check11(digits: str) -> str:
    """Seven or nine digits and their check digit."""
    leading = [int(digit) for digit in digits]
    checks = (check for check in range(11) if has_check11(np.array([*leading, check]), len(digits) + 1))
    return digits + "0123456789X"[next(checks)]


def with_check13(digits: str) -> str:
    return digits + str(check13(np.array([int(digit) for digit in digits])))


def as_isbn13(number: str) -> str:
    return number if len(number) == 13 else with_check13(f"978{number[:9]}")


def right_numbers(make: Maker, count: int) -> Iterator[tuple[str, str, list[Sample]]]:
    """Kind, detector, and texts with one right number each."""

    def samples(kind: str, written: Callable[[], tuple[str, str]]) -> list[Sample]:
        made = (written() for _ in range(count))
        return [Sample(make.one(LABELS[kind]).format(form), value, form) for value, form in made]

    def isbn10() -> tuple[str, str]:
        number, separator = make.isbn10(), make.one(SEPARATORS)
        return as_isbn13(number), make.cut(number, 4, separator) if separator else number

    def isbn13() -> tuple[str, str]:
        number, separator = make.isbn13(), make.one(SEPARATORS)
        grouped = f"{number[:3]}{separator}{make.cut(number[3:], 4, separator)}"
        return number, make.one([grouped, grouped, number, f"{number[:3]}-{number[3:]}"])

    def issn() -> tuple[str, str]:
        number = make.issn()
        return f"{number[:4]}-{number[4:]}", f"{number[:4]}{make.one(['-', '-', '-', chr(0x2013), ''])}{number[4:]}"

    def doi() -> tuple[str, str]:
        name = make.doi()
        return name.lower(), make.one([name, name, name, quote(name, safe="")])

    def arxiv() -> tuple[str, str]:
        number = make.arxiv()
        return number, number

    yield "ISBN-10", "ISBN", samples("ISBN-10", isbn10)
    yield "ISBN-13", "ISBN", samples("ISBN-13", isbn13)
    yield "ISBN-13, no label", "ISBN", samples("ISBN-13, no label", isbn13)
    yield "ISSN", "ISSN", samples("ISSN", issn)
    yield "DOI", "DOI", samples("DOI", doi)
    yield "arXiv", "arXiv", samples("arXiv", arxiv)


def wrong_numbers(make: Maker, count: int) -> Iterator[tuple[str, str, str, list[str]]]:
    """Kind, detector, share that theory lets pass, and texts with one wrong number each."""
    kinds = {"ISBN-10": make.isbn10, "ISBN-13": make.isbn13, "ISSN": make.issn}
    for kind, number in kinds.items():
        label = kind.partition("-")[0]
        swaps = "pairs that differ by 5: 11.1 %" if kind == "ISBN-13" else "0 %"
        yield f"{kind}, a digit changed", label, "0 %", [f"{label} {_changed(make, number())}" for _ in range(count)]
        yield f"{kind}, neighbours swapped", label, swaps, [f"{label} {_swapped(make, number())}" for _ in range(count)]


def _changed(make: Maker, number: str) -> str:
    at = int(make.random.integers(len(number)))
    return f"{number[:at]}{make.one([d for d in '0123456789' if d != number[at]])}{number[at + 1 :]}"


def _swapped(make: Maker, number: str) -> str:
    """Two unequal neighbours in each other's place; of an ISBN-13 not those of the prefix, nor an X that moves."""
    first = 3 if len(number) == 13 else 0
    places = [i for i in range(first, len(number) - 1) if number[i] != number[i + 1]]
    at = int(make.random.choice(places)) if places else 0
    return f"{number[:at]}{number[at + 1]}{number[at]}{number[at + 2 :]}"


def other_digits(make: Maker, count: int) -> Iterator[tuple[str, list[str]]]:
    """Kinds of digits that are no identifiers, and texts with them."""

    def number(low: int, high: int) -> int:
        return int(make.random.integers(low, high))

    kinds: dict[str, Callable[[], str]] = {
        "telephone": lambda: f"call +{number(1, 99)} {number(100, 999)} {number(100, 999)} {number(1000, 9999)}",
        "price": lambda: f"${number(10, 9999)}.{number(10, 99)} or 10.{number(1000, 99999)} %",
        "order": lambda: f"order {make.digits(3)}-{make.digits(7)}-{make.digits(7)}",
        "date": lambda: f"{number(1900, 2030)}-{number(10, 13)}-{number(10, 29)}T{number(10, 24)}:{number(10, 60)}:00",
        "years": lambda: (
            f"in 10.{number(1900, 2030)}/{number(1900, 2030)} and {number(1900, 2000)}-{number(2000, 2030)}"
        ),
        "IP address": lambda: f"10.{number(0, 256)}.{number(0, 256)}.{number(0, 256)}/{number(8, 32)}",
        "13 digits": lambda: f"id {make.digits(13)} of",
        "13 digits from 978 on": lambda: f"id 978{make.digits(10)} of",
        "10 digits behind ISBN": lambda: f"ISBN {make.digits(10)}",
    }
    for kind, text in kinds.items():
        yield kind, [text() for _ in range(count)]


def find(detector: Detector, texts: Sequence[str]) -> list[list[tuple[str, str]]]:
    """Values found in each text, and the bytes that they were read from."""
    view = strings(pa.array(texts, pa.large_string()))
    found: list[list[tuple[str, str]]] = [[] for _ in texts]
    hits = find_triggers(view, {"": detector.triggers})[""]
    if hits.rows.size:
        rows, values, starts, ends = detector.find(view, hits)
        for row, value, start, end in zip(rows.tolist(), values.to_pylist(), starts, ends, strict=True):
            found[row].append((value, bytes(view.data[start:end]).decode()))
    return found


def count_found(samples: Sequence[Sample], detector: Detector) -> int:
    """Samples in which exactly the number is found, as it is written."""
    found = find(detector, [sample.text for sample in samples])
    return sum(one == [(sample.value, sample.written)] for one, sample in zip(found, samples, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=20_000, help="of each kind")
    parser.add_argument("--sections", type=Path, default=SECTIONS, help="real text without identifiers")
    options = parser.parse_args()
    make = Maker(1)
    print(f"{'right numbers':40}{'texts':>9}{'found':>9}{'recall':>9}")
    for kind, name, samples in right_numbers(make, options.numbers):
        found = count_found(samples, DETECTORS[name])
        print(f"{kind:40}{len(samples):9,}{found:9,}{found / len(samples):9.4f}")
    print(f"\n{'wrong numbers':40}{'texts':>9}{'taken':>9}{'share':>9}  by theory")
    for kind, name, theory, texts in wrong_numbers(make, options.numbers):
        taken = sum(map(bool, find(DETECTORS[name], texts)))
        print(f"{kind:40}{len(texts):9,}{taken:9,}{taken / len(texts):9.2%}  {theory}")
    print(f"\n{'digits that are none':40}{'texts':>9}" + "".join(f"{name:>9}" for name in DETECTORS))
    for kind, texts in other_digits(make, options.numbers):
        print_counts(kind, texts)
    if options.sections.exists():
        with lzma.open(options.sections, "rt", encoding="utf-8") as lines:
            print_counts("civil sections", [json.loads(line)["text"] for line in lines])


def print_counts(kind: str, texts: Sequence[str]) -> None:
    """A line of the table: how many findings of each detector there are in some texts."""
    counts = [sum(map(len, find(detector, texts))) for detector in DETECTORS.values()]
    print(f"{kind:40}{len(texts):9,}" + "".join(f"{count:9,}" for count in counts))


if __name__ == "__main__":
    main()
