"""Licences in texts: in links, by SPDX identifiers, in words; and which they are."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rights_findings import Finding, find_in, values_in, written_in
from transforms.measure.rights.licence_names import ENDS, EXPRESSION, FORMS, SPDX, read_names, spdx_id, to_search
from transforms.measure.rights.licences import LICENCE, licence_id


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://www.creativecommons.org/licenses/by-nc-sa/3.0/de/deed.en", "CC-BY-NC-SA-3.0"),
        ("http://creativecommons.org/licenses/by-nd-nc/1.0", "CC-BY-NC-ND-1.0"),
        ("creativecommons.org/licenses/by-sa/2.1/jp/", "CC-BY-SA-2.1"),
        ("https://creativecommons.org/licenses/by-sa/", "CC-BY-SA"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/deed.fr", "PDM-1.0"),
        ("http://creativecommons.org/licenses/publicdomain/", "CC-PDDC"),
        ("Creative Commons Attribution 4.0 International License", "CC-BY-4.0"),
        ("Creative Commons Attribution-ShareAlike 3.0 Unported", "CC-BY-SA-3.0"),
        ("Creative Commons Attribution-Noncommercial-No Derivative Works 2.5", "CC-BY-NC-ND-2.5"),
        ("Creative Commons Attribution Non-Commercial Share Alike License, version 4.0", "CC-BY-NC-SA-4.0"),
        ("creative commons\nattribution-sharealike\nlicense", "CC-BY-SA"),
        ("Creative Commons (CC BY-NC 4.0)", "CC-BY-NC-4.0"),
        ("Creative Commons BY-ND 2.0", "CC-BY-ND-2.0"),
        ("Creative Commons CC0 1.0 Universal", "CC0-1.0"),
        ("Creative Commons Zero", "CC0-1.0"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("CC-BY 3.0", "CC-BY-3.0"),
        ("CC\u00a0BY\u00a04.0", "CC-BY-4.0"),
        ("CC BY\u2011NC\u2011ND 4.0", "CC-BY-NC-ND-4.0"),
        ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
        ("(CC BY)", "CC-BY"),
        ("CC0", "CC0-1.0"),
        ("GNU General Public License version 3", "GPL-3.0-only"),
        ("GNU General Public Licence, version 2 or later", "GPL-2.0-or-later"),
        ("the GNU Lesser General Public License v2.1", "LGPL-2.1-only"),
        ("GNU Affero General Public License 3.0", "AGPL-3.0-only"),
        ("GNU Library General Public License (LGPL), version 2", "LGPL-2.0-only"),
        ("GNU General Public License", "GPL"),
        ("GNU Free Documentation License, Version 1.3 or any later version", "GFDL-1.3-or-later"),
        ("GNU Free Documentation License", "GFDL"),
        ("GPLv3", "GPL-3.0-only"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("LGPL-2.1-or-later", "LGPL-2.1-or-later"),
        ("AGPL version 3", "AGPL-3.0-only"),
        ("https://www.gnu.org/licenses/gpl-3.0.html", "GPL-3.0-only"),
        ("http://www.gnu.org/licenses/old-licenses/lgpl-2.1.txt", "LGPL-2.1-only"),
        ("http://www.gnu.org/licenses/fdl-1.2.html", "GFDL-1.2-only"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache Software License 1.1", "Apache-1.1"),
        ("Apache 2.0 License", "Apache-2.0"),
        ("Apache-2.0", "Apache-2.0"),
        ("http://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("The MIT License (see below)", "MIT"),
        ("MIT-licensed", "MIT"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("http://www.opensource.org/licenses/mit-license.php", "MIT"),
        ("https://spdx.org/licenses/BSD-3-Clause.html", "BSD-3-Clause"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("BSD-2-Clause", "BSD-2-Clause"),
        ("three-clause BSD license", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("Simplified BSD License", "BSD-2-Clause"),
        ("Mozilla Public License, v. 2.0", "MPL-2.0"),
        ("MPL 2.0", "MPL-2.0"),
        ("http://mozilla.org/MPL/2.0/", "MPL-2.0"),
        ("Eclipse Public License - v 2.0", "EPL-2.0"),
        ("European Union Public Licence v. 1.2", "EUPL-1.2"),
        ("EUPL-1.2", "EUPL-1.2"),
        ("SIL Open Font License, Version 1.1", "OFL-1.1"),
        ("Boost Software License", "BSL-1.0"),
        ("Artistic License 2.0", "Artistic-2.0"),
        ("ISC License", "ISC"),
        ("zlib license", "Zlib"),
        ("The Unlicense", "Unlicense"),
        ("https://unlicense.org/", "Unlicense"),
        ("Open Database License", "ODbL-1.0"),
        ("ODbL 1.0", "ODbL-1.0"),
        ("Open Government Licence v3.0", "OGL-UK-3.0"),
        ("www.nationalarchives.gov.uk/doc/open-government-licence/version/2/", "OGL-UK-2.0"),
        ("released into the public domain", "public-domain"),
        ("This work is in the\npublic domain.", "public-domain"),
        ("dedicated to the public domain", "public-domain"),
        ("the full Project Gutenberg-tm License", "project-gutenberg"),
        ("Project Gutenberg™ License", "project-gutenberg"),
    ],
)
def test_licence_is_named(text: str, licence: str) -> None:
    """In the ways in which people name it; the value is that of SPDX where it has one."""
    assert values_in(LICENCE, text) == [licence]
    assert licence in {*SPDX.values(), "public-domain", "project-gutenberg"} or re.fullmatch(
        r"CC-BY[A-Z-]*|GPL|GFDL", licence
    )


@pytest.mark.parametrize(
    "text",
    [
        "license",
        "Creative Commons",
        "Creative Commons licence",
        "please cc by noon",
        "cc by email",
        "CC BYTES",
        "CC BY-ND-SA 4.0",
        "xCC BY 4.0",
        "ACC BY",
        "GPL",
        "the GPLv7",
        "GNU",
        "GNU Emacs 27",
        "mit Lizenz",
        "mit license",
        "MIT",
        "BSD",
        "BSD license",
        "Apache 2.0.52",
        "Apache Tomcat 9",
        "Apache License",
        "MPL",
        "EPL",
        "public domain",
        "in the public domain",
        "This work is not in the public domain",
        "the public domain is",
        "unplaced in the public domain",
        "Open Government Licence",
        "Project Gutenberg",
        "opensource.org/licenses/alphabetical",
        "creativecommons.org",
        "https://creativecommons.org/licenses/",
        "creativecommons.org/licenses/nc-sa/1.0/",
        "CC00",
        "submit license",
    ],
)
def test_words_that_name_no_licence_are_not_found(text: str) -> None:
    """Names without what tells the licence, parts of longer words, talk of the public domain."""
    assert values_in(LICENCE, text) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", ["MIT"]),
        ("mit", ["MIT"]),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", ["MIT", "Apache-2.0", "BSD-3-Clause"]),
        ("GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only"]),
        ("GPL-2.0+ OR LGPL-3.0", ["GPL-2.0-or-later", "LGPL-3.0-only"]),
        ("LicenseRef-Own AND DocumentRef-a:LicenseRef-b", ["LicenseRef-Own", "DocumentRef-a:LicenseRef-b"]),
        ("MIT\nOR", ["MIT"]),
        ("MIT */", ["MIT"]),
    ],
)
def test_spdx_expression_names_each_of_its_licences(expression: str, expected: list[str]) -> None:
    """Each with its own place; exceptions are no licences; what SPDX does not list is taken as written."""
    found = written_in(LICENCE, f"# SPDX-License-Identifier: {expression}\n")
    assert [value for value, _ in found] == expected
    assert all(word in expression for _, word in found)


def test_declaration_of_the_gnu_licences_is_one_name() -> None:
    """As it stands at the head of sources, over lines and comment signs."""
    text = (
        " * it under the terms of the GNU General Public License as published by\n"
        " * the Free Software Foundation; either version 2 of the License, or\n"
        " * (at your option) any later version.\n"
    )
    [(value, written)] = written_in(LICENCE, text)
    assert value == "GPL-2.0-or-later"
    assert written == text[text.index("GNU") : text.index(".\n")]


def test_span_is_that_of_the_name() -> None:
    """In bytes, without what surrounds it; a longer name beats one inside it."""
    text = "é: GNU GPLv3 (CC BY-SA 4.0), Apache License, Version 2.0."
    assert written_in(LICENCE, text) == [
        ("GPL-3.0-only", "GNU GPLv3"),
        ("CC-BY-SA-4.0", "CC BY-SA 4.0"),
        ("Apache-2.0", "Apache License, Version 2.0"),
    ]


def test_names_do_not_cross_from_text_to_text() -> None:
    """A name begins and ends in one document."""
    assert find_in(LICENCE, "Creative Commons", "Attribution 4.0", "released into the", " public domain") == [[]] * 4
    assert find_in(LICENCE, "xCC BY 4.0", "CC BY 4.0")[1] == [("CC-BY-4.0", 0, 9)]


def test_declared_licence_is_an_identifier_or_null() -> None:
    """Links, words and bare identifiers, as pages have them."""
    declared = {
        "https://creativecommons.org/licenses/by/4.0/": "CC-BY-4.0",
        "//creativecommons.org/licenses/by-sa/3.0/": "CC-BY-SA-3.0",
        "CC BY 4.0": "CC-BY-4.0",
        " mit ": "MIT",
        "GPL-3.0": "GPL-3.0-only",
        "Licensed under CC0, or MIT License": "CC0-1.0",
        "https://example.org/terms": None,
        "": None,
    }
    assert licence_id(pa.array([*declared, *declared])).to_pylist() == [*declared.values()] * 2
    assert licence_id(pa.array([], pa.string())).to_pylist() == []


CC_ELEMENTS = {
    "BY": "Attribution",
    "BY-SA": "Attribution-ShareAlike",
    "BY-NC": "Attribution-NonCommercial",
    "BY-ND": "Attribution-NoDerivatives",
    "BY-NC-SA": "Attribution-NonCommercial-ShareAlike",
    "BY-NC-ND": "Attribution-NonCommercial-NoDerivatives",
}


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.5", "3.0", "4.0"])
@pytest.mark.parametrize("elements", CC_ELEMENTS)
def test_creative_commons_is_one_licence_however_it_is_named(elements: str, version: str) -> None:
    """Link, name and abbreviation agree, with and without the version; words may be parted in several ways."""
    link = f"https://creativecommons.org/licenses/{elements.lower()}"
    name = f"Creative Commons {CC_ELEMENTS[elements]}"
    loose = name.replace("NonCommercial", "Non-Commercial").replace("NoDerivatives", "No Derivative Works")
    for form in (f"{link}/{version}/", f"{name} {version} Unported", f"{loose} {version}", f"CC {elements} {version}"):
        assert values_in(LICENCE, form) == [f"CC-{elements}-{version}"]
    for form in (f"{link}/", f"{name} License", f"the {loose.replace('-', ' ')}", f"CC-{elements}"):
        assert values_in(LICENCE, form) == [f"CC-{elements}"]


GNU = [
    ("GPL", "GNU General Public License", ["1.0", "2.0", "3.0"]),
    ("LGPL", "GNU Lesser General Public License", ["2.1", "3.0"]),
    ("AGPL", "GNU Affero General Public License", ["3.0"]),
    ("GFDL", "GNU Free Documentation License", ["1.1", "1.2", "1.3"]),
]


@pytest.mark.parametrize(("short", "name", "versions"), GNU)
def test_gnu_licence_is_named_with_its_version_and_what_may_follow(short: str, name: str, versions: list[str]) -> None:
    """`version 3` is that one; `or later` in its many forms is any from there on; other versions do not exist."""
    for version in versions:
        for form in (
            f"{name} version {version}",
            f"{name} v{version}",
            f"{short} {version}",
            f"{short}-{version}-only",
        ):
            assert values_in(LICENCE, form) == [f"{short}-{version}-only"]
        for later in (
            "+",
            " or later",
            "-or-later",
            ", or (at your option) any later version",
            " or any later version",
        ):
            for form in (f"{name}, Version {version}{later}", f"{short} v{version}{later}"):
                assert values_in(LICENCE, form) == [f"{short}-{version}-or-later"]
    assert values_in(LICENCE, f"{short} 7.5") == []


def test_triggers_are_as_the_engine_wants_them() -> None:
    """In lower case, none twice; a pattern can begin where its trigger does."""
    assert len(set(LICENCE.triggers)) == len(LICENCE.triggers)
    assert all(trigger == trigger.lower() for trigger in LICENCE.triggers)
    text = " ".join(word for form in FORMS for word in form.triggers)
    assert text == text.lower()


def test_threads_share_the_detector() -> None:
    """It has no state that one search could leave to another."""
    texts = [f"CC BY-SA {version}, GPLv{number}" for version in ("3.0", "4.0") for number in (1, 2, 3)] * 10
    alone = [find_in(LICENCE, text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: find_in(LICENCE, text), texts)) == alone


@pytest.mark.parametrize("licence", sorted(SPDX.values()))
def test_listed_identifier_reads_as_itself(licence: str) -> None:
    """In any case, alone and behind the label of SPDX."""
    assert spdx_id(licence.upper()) == licence
    assert read_names(f"SPDX-License-Identifier: {licence}") == [(25, 25 + len(licence), licence)]


FROM = re.compile(to_search(EXPRESSION, *(form.pattern for form in FORMS)) + "(?![0-9A-Za-z])", re.ASCII)
UP_TO = re.compile("(?<![0-9A-Za-z])" + to_search(ENDS.pattern) + r"\Z", re.ASCII)
WORDS = ["spdx-license-identifier:", *(word for form in FORMS for word in form.triggers)]
TRIGGER = re.compile(
    "|".join(rf"(?={re.escape(word).replace(f'{chr(92)} ', '[ {chr(92)}n]')})" for word in WORDS), re.I | re.A
)


def slow_licences(text: str) -> list[Finding]:
    """Every pattern tried on the whole text, at each trigger that begins a word; of names that overlap, the first."""
    begins = [match.start() for match in TRIGGER.finditer(text)]
    tried = [FROM.match(text, at) for at in begins if not re.match("[0-9A-Za-z]", text[max(at - 1, 0) : at])]
    ends = [match.end() for match in re.finditer("public[ \n]domain", text, re.I | re.A)]
    names: list[Finding] = []
    for match in (*tried, *(UP_TO.search(text[:end]) for end in ends)):
        if match:
            first = len(text[: match.start()].encode())
            names += [(name, first + start, first + end) for start, end, name in read_names(match[0])]
    kept: list[Finding] = []
    for name in sorted(names, key=lambda one: (one[1], -one[2])):
        if not kept or name[1] >= kept[-1][2]:
            kept.append(name)
    return kept


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "Creative Commons",
                "Attribution",
                "-ShareAlike",
                "NonCommercial",
                " 4.0",
                "CC BY",
                "-SA",
                "-NC",
                "cc0",
                "GNU ",
                "General Public License",
                "GPL",
                "LGPL",
                "v3",
                "version 2",
                " or later",
                "+",
                "Apache License",
                "MIT License",
                "BSD",
                "3-Clause",
                "public domain",
                "released into the ",
                "this work is in the ",
                " ",
                "\n",
                "-",
                ".",
                ",",
                "(",
                ")",
                "SPDX-License-Identifier: ",
                "MIT OR ",
                "creativecommons.org/licenses/",
                "by-sa",
                "/3.0",
                "/de",
                "é",
                "\u00a0",
                "\u2011",
                "x",
            ]
        ),
        st.sampled_from(WORDS),
        st.text("CBY-cbysan 0.4", max_size=8),
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=150)
@given(FRAGMENTS, FRAGMENTS)
def test_licences_are_those_of_the_slow_twin(first: str, second: str) -> None:
    """Windows and columns change nothing: patterns tried on whole texts, one by one, find the same."""
    assert find_in(LICENCE, first, second) == [slow_licences(first), slow_licences(second)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([b"CC BY", b"GPLv3", b"\xc2", b"\xa0", b"\xff", b"public domain", b"released into the "]))
)
def test_broken_bytes_do_no_harm(pieces: list[bytes]) -> None:
    """Nothing raises, and every span lies in its text."""
    find_in(LICENCE, b"".join(pieces))


@pytest.mark.parametrize(
    "text", ["gnu " * 100_000, "CC BY-" * 100_000, "Creative Commons Attribution" + " " * 1_000_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """A trigger at every step, or a name that never ends."""
    begin = time.perf_counter()
    find_in(LICENCE, text)
    assert time.perf_counter() - begin < 10
