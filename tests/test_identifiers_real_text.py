"""Identifiers and licences in real text: the fast detectors and their slow twins agree, and false alarms are few."""

import io
import json
import lzma
from pathlib import Path

import pytest

from tests.rights_findings import find_in, values_in
from tests.slow_numbers import slow_dois, slow_isbns, slow_issns
from tests.test_licences import slow_licences
from transforms.measure.readers.warc import read_warc
from transforms.measure.rights.identifiers import ARXIV, DOI, ISBN, ISSN
from transforms.measure.rights.licences import LICENCE
from transforms.measure.tally import Tally

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not here")

BOOK = """Copyright © 2004 by Jane Doe

Library of Congress Cataloging-in-Publication Data
Doe, Jane.
  A book / Jane Doe. – 2nd ed.
  p. cm. – (Series ; 13)
  ISBN 978-0-13-110362-7 (cloth : alk. paper) – ISBN 0-8044-2957-X (pbk.)
  1. Things. I. Title.  QA76.73.C15D64 2004  005.13'3--dc22  2004-041234
  10 9 8 7 6 5 4 3 2 1

Also in this series, ISSN 0028-0836: see https://doi.org/10.1038/35057062 and arXiv:hep-th/9901001v2.
The text is licensed under CC BY-NC 4.0 (https://creativecommons.org/licenses/by-nc/4.0/), the code is under the MIT
License. Tel. +44 1865 242342, order no. 978-1234, 9780131103628.
"""


@pytest.fixture(scope="module")
def pages() -> list[str]:
    """Texts of the pages of every WARC file that can be read."""
    texts = []
    for path in sorted((DATA / "warc").rglob("*.warc*")):
        for batch in read_warc(io.BytesIO(path.read_bytes()), path.name, Tally(), main_content=False):
            texts += [text for text in batch["text"].to_pylist() if text]
    assert texts
    return texts


def test_imprint_of_a_book_is_read_whole() -> None:
    """Numbers of printings, of catalogues and of telephones are none."""
    assert values_in(ISBN, BOOK) == ["9780131103627", "9780804429573"]
    assert values_in(ISSN, BOOK) == ["0028-0836"]
    assert values_in(DOI, BOOK) == ["10.1038/35057062"]
    assert values_in(ARXIV, BOOK) == ["hep-th/9901001v2"]
    assert values_in(LICENCE, BOOK) == ["CC-BY-NC-4.0", "CC-BY-NC-4.0", "MIT"]


def test_findings_in_web_pages_are_those_of_the_slow_twins(pages: list[str]) -> None:
    """Place by place."""
    assert find_in(ISBN, *pages) == [slow_isbns(page.encode()) for page in pages]
    assert find_in(ISSN, *pages) == [slow_issns(page.encode()) for page in pages]
    assert find_in(DOI, *pages) == [slow_dois(page.encode()) for page in pages]
    assert find_in(LICENCE, *pages) == [slow_licences(page) for page in pages]


def test_laws_name_no_books_and_no_licences() -> None:
    """22,106 sections of civil codes, full of numbers of sections, dates and sums."""
    with lzma.open(DATA / "civil" / "sections.jsonl.xz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    for detector in (ISBN, ISSN, DOI, ARXIV, LICENCE):
        assert not any(find_in(detector, *texts))
