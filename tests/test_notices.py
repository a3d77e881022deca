"""Copyright notices: what is one, where it begins and ends, its years and its holder."""

import json
import lzma
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rights_data import rights, statements, view
from tests.slow_notices import find_slowly
from transforms.measure.readers.warc import read_warc
from transforms.measure.rights.notices import TRIGGERS, Notices, find_notices
from transforms.measure.rights.triggers import find_triggers
from transforms.measure.tally import Tally

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
CIVIL = SHARED / "civil" / "sections.jsonl.xz"
PAGES = SHARED / "warc" / "resiliparse" / "warcfile.warc.gz"


def found(*texts: str | bytes) -> Notices:
    batch = view(*texts)
    return find_notices(batch, find_triggers(batch, {"": TRIGGERS})[""])


@pytest.mark.parametrize(
    ("text", "years", "holder"),
    [
        ("© 2019 Foo", [2019], "Foo"),
        ("© Foo 2019", [2019], "Foo"),
        ("Foo © 2019", [2019], "Foo"),
        ("2019 © Foo", [2019], "Foo"),
        ("© Foo", [], "Foo"),
        ("© 2019", [2019], None),
        ("(c) 2019 Foo", [2019], "Foo"),
        ("(C) 2019 by Jane Doe", [2019], "Jane Doe"),
        ("Copyright 2019 Foo", [2019], "Foo"),
        ("Copyright (c) 2019 Foo", [2019], "Foo"),
        ("© Copyright 2019 Foo", [2019], "Foo"),
        ("© 2019 Copyright Foo", [2019], "Foo"),
        ("Copyright © 2012 by Jane Doe", [2012], "Jane Doe"),
        ("Copyright: © 2005 Jens Jensen", [2005], "Jens Jensen"),
        ("copyright 2010 Jane Roe", [2010], "Jane Roe"),
        ("Copr. 1987 Foo Corp.", [1987], "Foo Corp."),
        ("℗ 2004 Foo Music", [2004], "Foo Music"),
        ("&copy; 2015 Foo", [2015], "Foo"),
        ("Copyright ⓒ 매일경제", [], "매일경제"),
        ("Copyright 1901, by Harper & Brothers", [1901], "Harper & Brothers"),
        ("COPYRIGHT, 1901, BY HARPER & BROTHERS", [1901], "HARPER & BROTHERS"),
        ("© Crown copyright 2010", [2010], None),
        ("Copyright (c) 1999-2004, 2007 Foo", [1999, 2004, 2007], "Foo"),
        ("© 1998–2003 Foo", [1998, 2003], "Foo"),
        ("Copyright 1998-99 Foo", [1998, 1999], "Foo"),
        ("Copyright (c) 2010-present Foo", [2010], "Foo"),
        ("Copyright (c) 2012- Foo Bar", [2012], "Foo Bar"),
        ("© ROSNEFT, 2017", [2017], "ROSNEFT"),
        ("© The Author(s) 2018", [2018], "The Author(s)"),
        ("Copyright Foo Inc. © 2016", [2016], "Foo Inc."),
        ("Foo Bar LLC, Copyright 1999", [1999], "Foo Bar LLC"),
        ("© 2010 Éditions Gallimard", [2010], "Éditions Gallimard"),
        ("© 2019 ООО Ромашка", [2019], "ООО Ромашка"),
        ("© 2011 株式会社フー", [2011], "株式会社フー"),
        ("© 2010年 北京大学出版社", [2010], "北京大学出版社"),
        ("© 2005 J. R. R. Tolkien", [2005], "J. R. R. Tolkien"),
        ("© 2010 by Dr. Jane Roe", [2010], "Dr. Jane Roe"),
        ("© 2005 Foo, Inc. and its affiliates", [2005], "Foo, Inc. and its affiliates"),
        ("© 2018 OK! Verlag GmbH & Co. KG", [2018], "OK! Verlag GmbH & Co. KG"),
        ("© Hundesportverein e.V. 2010", [2010], "Hundesportverein e.V."),
        ("© 2019 example.com", [2019], "example.com"),
        ("(c) 2010 Jo Doe <jo@x.org>, Al Roe <al@x.org>", [2010], "Jo Doe <jo@x.org>, Al Roe <al@x.org>"),
        ("Copyright 2009,2010 Al Roe; 2021 Jo Doe", [2009, 2010, 2021], "Al Roe; 2021 Jo Doe"),
        ("Copyright (c) James Roe\nand other contributors", [], "James Roe\nand other contributors"),
        ("Copyright (c)\n2007 - 2011 by Foo Software", [2007, 2011], "Foo Software"),
        ("Copyright (c) 2001\n  Foo Bar", [2001], "Foo Bar"),
        ("Copyright OpenJS Foundation and other contributors", [], "OpenJS Foundation and other contributors"),
        ("Copyrighted by the UniProt Consortium", [], "the UniProt Consortium"),
        ("Copyright 2017-2023 http://www.example.com", [2017, 2023], "http://www.example.com"),
    ],
)
def test_statement_is_the_whole_text(text: str, years: list[int], holder: str | None) -> None:
    """From its first word to its last: markers, years and holder in any order."""
    assert statements(text) == [(text, years, holder)]


@pytest.mark.parametrize(
    ("before", "statement", "after"),
    [
        ("", "© 2019 Foo", ". All rights reserved."),
        ("", "© 2019 Foo", " All rights reserved"),
        ("", "Copyright 2001 Foo", ", all rights reserved"),
        ("", "© 2010 Éditions Foo", ". Tous droits réservés."),
        ("版权所有", "©上海有限公司", "\n上海总部"),
        ("Авторские права ", "© 2019 ООО Ромашка", ". Все права защищены."),
        ("", "© 2013 Elsevier Ltd.", " All rights reserved."),
        ("", "Copyright 1998 Foo Ltd.", " Licensed under MIT"),
        ("", "© Copyright 2017, Foo Inc.", ". Revision 9e461566."),
        ("", "©2020 Foo", " | Privacy | Terms"),
        ("", "© 2017 FOO", " - Terms and conditions"),
        ("", "© 2019 copyright Foo Blog", " // Alle Rechte vorbehalten"),
        ("", "© 2010 by Foo", "     |     Impressum"),
        ("", "© 2019 Foo", "\u00a0 Impressum"),
        ("", "©2018 Exporo AG", " Pflichtangaben Impressum AGB"),
        ("", "© Foo GmbH 2019", "Content Management by Bar"),
        ("", "Copyright (c) 2015 Foo and contributors", ", see AUTHORS"),
        ("", "Copyright (c) 2007 Foo <http://foo.org/>", "\nEveryone is permitted"),
        ("", "© 2020 Stack Exchange Inc", "; user contributions licensed under cc by-sa"),
        ("<copyright>", "Copyright (c) 2005, 伊藤 哲哉", "</copyright>"),
        ('s = "', "(C) Copyright 1993-1996 Foo", '"\nprint(s)'),
        ("&lt;p>", "Copyright 2005, Foo", "&lt;/p>"),
        ("", "Copyright 2005", ", licensed under the Creative Commons"),
        ("Fonts are ", "(c) Bitstream", " (see below)"),
        ("Photo: ", "(c) Jane Doe", "\nText"),
        ("By the lake ", "© Jane Doe", " By the lake "),
        ("# ", "Copyright 2004 Foo", ".\n# This file is"),
        ("Text ends. ", "Foo Magazine © 2011-2019", ". All Rights Reserved."),
        ("All content ", "© 2019", ""),
        ("", "© 2019", "\nImpressum"),
        ("", "© 2019", ". Powered by Foo"),
        ("", "© 2019", ". The pages of this site say much."),
    ],
)
def test_statement_ends_where_the_next_one_begins(before: str, statement: str, after: str) -> None:
    """At the end of line and sentence, at marks that part, and before words of the next statement."""
    assert [notice[0] for notice in statements(before + statement + after)] == [statement]


@pytest.mark.parametrize(
    "text",
    [
        "©",
        "© ",
        "© - ©",
        "protected by copyright law",
        "the copyright holder may",
        "THE COPYRIGHT HOLDERS AND CONTRIBUTORS",
        "The above copyright notice and this permission",
        "infringes copyright 100 times",
        "Copyright Act 1968",
        "Copyright Office",
        "Copyright infringement 2019",
        "Copyright Notice",
        "Copyright: This document has been placed in the public domain.",
        "Copyright: CC BY-NC 3.0",
        "Copyright | Privacy | Terms",
        "Copyright\n=========",
        "Copyright (C) <year>  <name of author>",
        "Copyright [yyyy] [name of copyright owner]",
        "Copyright (c) YEAR Foo",
        "Copyright (C) 19yy  Foo",
        "© {{ copyright }}",
        "© %(copyright)s",
        "(c) the party shall",
        "(a) one, (b) two, and (c) Three",
        "see section 2 (c) 2001",
        "section 501(c)(3)",
        "len(c) 2001",
        "f(C) 2001 Foo",
        "html_copyright 2001 Foo",
        "copyright = '2010, Foo'",
        "Each feed is copyright its respective publisher.",
        "software which is copyrighted by the Foundation, write to it",
        "´©ÉÏ",
        "thanks to SÃ©bastien Lelong, for this",
        "UniversitÃ© 2010",
    ],
)
def test_what_only_looks_like_a_notice_is_none(text: str) -> None:
    """Words of the law, placeholders, numbers of paragraphs, code, and bytes of other charsets."""
    assert statements(text) == []


def test_notices_beside_each_other_are_told_apart() -> None:
    """No statement reaches into the next one, and a year belongs to the one that it completes."""
    text = "© Foo 2019 © Bar 2020\nCopyright 2004 Foo.\n# Revisions copyright 2010 Bar."
    assert statements(text) == [
        ("© Foo 2019", [2019], "Foo"),
        ("© Bar 2020", [2020], "Bar"),
        ("Copyright 2004 Foo", [2004], "Foo"),
        ("copyright 2010 Bar", [2010], "Bar"),
    ]


def test_statement_has_no_more_than_300_bytes() -> None:
    """And is whole characters then, too."""
    (notice,) = rights("© 2019 " + "é" * 500)["copyright_notices"][0]
    assert notice["statement"] == "© 2019 " + "é" * 146


PARTS = [
    "©",
    "(c)",
    "Copyright",
    "copyright",
    " ",
    " ",
    " ",
    "2019",
    "1998-99",
    ", ",
    "Foo",
    "Bar Inc.",
    "by ",
    "\n",
    "\n  ",
]
PARTS += [
    ". ",
    "All rights reserved",
    "|",
    "é",
    "中文",
    "<a@b.c>",
    "(",
    ")",
    "-",
    " - ",
    "section 2 ",
    "law",
    "and ",
    "x",
]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
def test_notices_are_those_of_the_slow_reader(text: str) -> None:
    """Whatever the parts of notices are put together to."""
    assert [(statement, holder) for statement, _, holder in statements(text)] == find_slowly(text)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=5)), max_size=12).map("".join))
def test_places_are_exact_in_any_text(text: str) -> None:
    """The bytes from start to end are the statement; the holder stands in it; no two overlap."""
    reached = 0
    for notice in rights("before © 2001 A", text)["copyright_notices"][1]:
        assert text.encode()[notice["start"] : notice["end"]].decode() == notice["statement"]
        assert notice["holder"] is None or notice["holder"] in notice["statement"]
        assert notice["years"] == sorted(set(notice["years"]))
        assert notice["start"] >= reached
        reached = notice["end"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=8).map("".join), max_size=5))
def test_texts_of_a_batch_do_not_know_each_other(texts: list[str]) -> None:
    """Each has the notices that it has alone."""
    assert statements(*texts) == [notice for text in texts for notice in statements(text)]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(st.binary(max_size=6), st.sampled_from([b"\xc2\xa9", b"(c) 2019 ", b"Foo"])), max_size=10).map(
        b"".join
    )
)
def test_broken_utf8_is_read_without_harm(raw: bytes) -> None:
    """Nothing is raised, and every place lies in the text."""
    notices = found(raw)
    assert (notices.starts >= 7).all()
    assert (notices.ends <= 7 + len(raw)).all()
    assert (notices.starts < notices.ends).all()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("©" * 1_000_000, 0),
        ("© 2019 Foo; " * 20_000, 20_000),
        ("©a" * 20_000, 20_000),
        ("copyright " * 100_000, 0),
        ("x y " * 2_500_000 + "© 2019 Foo", 1),
        (" " * 5_000_000 + "© Foo", 1),
        ("© " + "2019, " * 200_000, 1),
    ],
    ids=["signs", "notices", "signs and letters", "words", "one line", "blanks", "years"],
)
def test_hostile_text_takes_time_in_step_with_its_length(text: str, count: int) -> None:
    """Windows are bounded and never read again and again."""
    started = time.process_time()
    assert len(found(text).rows) == count
    assert time.process_time() - started < 10


@pytest.mark.skipif(not CIVIL.exists(), reason=f"{CIVIL} is not here")
def test_codes_of_law_hold_no_notice() -> None:
    """12 MB of nineteenth-century law, with `(c)` and numbers in it."""
    with lzma.open(CIVIL, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert found(*texts).rows.size == 0


@pytest.mark.skipif(not PAGES.exists(), reason=f"{PAGES} is not here")
def test_notices_of_real_pages_are_those_of_the_slow_reader() -> None:
    """Pages of a crawl, in several scripts."""
    with open(PAGES, "rb") as stream:
        batches = list(read_warc(stream, PAGES.name, Tally(), main_content=False))
    texts = [text for batch in batches for text in batch["text"].to_pylist()]
    slow = [find_slowly(text) for text in texts]
    assert sum(map(len, slow)) == 9
    assert [[(n["statement"], n["holder"]) for n in row] for row in rights(*texts)["copyright_notices"]] == slow


def test_rows_without_text_have_no_notices() -> None:
    """Null and empty, beside a row that has one."""
    assert [len(row) for row in rights(None, "© 2019 Foo", "")["copyright_notices"]] == [0, 1, 0]
    assert found().rows.dtype == np.int64
