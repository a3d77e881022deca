"""How licences are named: by links, by SPDX identifiers, in words; and which one that is.

>>> read_names("Creative Commons Attribution-ShareAlike 4.0")
[(0, 43, 'CC-BY-SA-4.0')]
>>> read_names("SPDX-License-Identifier: MIT OR GPL-2.0+")
[(25, 28, 'MIT'), (32, 40, 'GPL-2.0-or-later')]

Patterns are read by RE2, to find names, and by Python's `re`, to tell which they are; they use what the two have in
common. Identifiers are those of the SPDX License List (https://spdx.org/licenses/).
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

Name = tuple[int, int, str]
"""Start and end in bytes, identifier."""

_ELEMENTS: Final = "BY BY-SA BY-NC BY-ND BY-NC-SA BY-NC-ND"
_VERSIONS: Final = "1.0 2.0 2.1 2.5 3.0 4.0"
_GNU: Final = "GPL-1.0 GPL-2.0 GPL-3.0 LGPL-2.0 LGPL-2.1 LGPL-3.0 AGPL-1.0 AGPL-3.0 GFDL-1.1 GFDL-1.2 GFDL-1.3"
_OTHERS: Final = (
    "0BSD AFL-3.0 Apache-1.0 Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-2.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause "
    "BSD-4-Clause BSL-1.0 CC-PDDC CC0-1.0 CDDL-1.0 CDDL-1.1 CPL-1.0 ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 HPND ISC "
    "MIT MIT-0 MPL-1.0 MPL-1.1 MPL-2.0 MS-PL MS-RL NCSA ODC-By-1.0 ODbL-1.0 OFL-1.0 OFL-1.1 OGL-UK-1.0 OGL-UK-2.0 "
    "OGL-UK-3.0 OSL-3.0 PDDL-1.0 PDM-1.0 PSF-2.0 PostgreSQL Python-2.0 Unlicense UPL-1.0 W3C WTFPL X11 ZPL-2.1 Zlib"
)
SPDX: Final = {
    name.lower(): name
    for name in (
        *(f"CC-{elements}-{version}" for elements in _ELEMENTS.split() for version in _VERSIONS.split()),
        *(f"{licence}-{which}" for licence in _GNU.split() for which in ("only", "or-later")),
        *_OTHERS.split(),
    )
}
"""The common identifiers as SPDX writes them, by their lower case."""
PUBLIC_DOMAIN, GUTENBERG = "public-domain", "project-gutenberg"
"""What SPDX has no identifier for."""
_CLAUSES: Final = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4"}


class Form(NamedTuple):
    """A way to name a licence."""

    triggers: tuple[str, ...]
    """What it begins with, in lower case; with `ENDS`, what it ends with."""
    pattern: str
    """`_` stands for a blank, or a line break."""
    name: Callable[[re.Match[str]], str | None]


def spdx_id(written: str) -> str | None:
    """The SPDX identifier, if it is a common one; of GNU licences also in the old form.

    >>> spdx_id("apache-2.0"), spdx_id("GPL-3.0"), spdx_id("LGPL-2.1+"), spdx_id("my own")
    ('Apache-2.0', 'GPL-3.0-only', 'LGPL-2.1-or-later', None)
    """
    lower = written.lower()
    old = f"{lower[:-1]}-or-later" if lower.endswith("+") else f"{lower}-only"
    return SPDX.get(lower) or SPDX.get(old)


def _is(name: str) -> Callable[[re.Match[str]], str | None]:
    """Reads a form whose first group, if it has one, completes the name."""
    return lambda match: spdx_id(name.format(*match.groups())) or spdx_id(name.format(*match.groups()) + ".0")


def _says(name: str) -> Callable[[re.Match[str]], str | None]:
    return lambda match: name


def _linked(match: re.Match[str]) -> str | None:
    return spdx_id(re.sub(r"\.(?:html?|php|txt)$", "", match[1]).removesuffix("-license"))


def _creative_commons(match: re.Match[str]) -> str | None:
    """From the elements of the licence, in letters or in words, and its version if there is one."""
    words = re.sub("[^a-z]", "", match[1].lower())
    for word, letters in {"attribution": "by", "noncommercial": "nc", "sharealike": "sa"}.items():
        words = words.replace(word, letters)
    words = re.sub("noderiv(?:ative)?s?(?:works?)?", "nd", words)
    found = {words[i : i + 2] for i in range(0, len(words), 2)}
    if 2 * len(found) < len(words) or found > {"nd", "sa"}:
        return None
    elements = [letters.upper() for letters in ("by", "nc", "nd", "sa") if letters in found]
    return "-".join(["CC", *elements, *([match[2]] if match[2] else [])])


def _gnu(match: re.Match[str]) -> str | None:
    """From the family (`L`, `Lesser`, `Affero`, `Free Documentation` ...), the version, and whether later ones do."""
    family, version, later = match.groups()
    name = {"G": "GPL", "L": "LGPL", "A": "AGPL", "F": "GFDL"}[(family or "G")[0].upper()]
    if version is None:
        return name
    number = version if "." in version else f"{version}.0"
    return SPDX.get(f"{name}-{number}-{'or-later' if later else 'only'}".lower())


def _bsd(match: re.Match[str]) -> str | None:
    clauses = match[1].lower()
    return spdx_id(f"BSD-{_CLAUSES.get(clauses, clauses)}-Clause")


_L: Final = "licen[sc]e"
_CC: Final = r"([1-4]\.[05]|2\.1)"
_DASH: Final = "[-\u2010\u2011\u2013]"
_TRADE_MARK: Final = "\u2122"
_NEXT: Final = f"(?:[ \u00a0]|{_DASH})"
_LETTERS: Final = f"BY(?:{_NEXT}?(?:NC|ND|SA))*"
_WORDS: Final = (
    rf"Attribution(?:(?:_?(?:{_DASH}|[,/])_?|_)(?:Non-?_?Commercial|Share-?_?Alike"
    r"|No-?_?Deriv(?:s|atives?)?(?:_?Works?)?))*"
)
_AT: Final = r"(?:,?_?\(?(?:-_?)?(?:v\.?|version)?_?)"
_LATER: Final = (
    r"(?:-only|(\+|-or-later|_or_(?:later|newer|above)"
    r"|[,;]?_?\(?(?:or|and)_\(?(?:at_your_option\)?,?_)?any_later_version))"
)
_GNU_VERSION: Final = rf"{_AT}(\d(?:\.\d)?)(?:_of_the_{_L})?{_LATER}?"
_GNU_CLAUSE: Final = r"(?:_\(\w+\))?,?(?:_as_published_by_the_Free_Software_Foundation)?[,;:]?(?:_either)?"

FORMS: Final = (
    Form(
        ("creativecommons.org/licen",),
        rf"creativecommons\.org/licen[sc]es?/({_LETTERS})(?:/{_CC}(?:/[a-z]{{2,4}})?)?",
        _creative_commons,
    ),
    Form(("creativecommons.org/licen",), r"creativecommons\.org/licenses/publicdomain", _is("CC-PDDC")),
    Form(("creativecommons.org/publ",), r"creativecommons\.org/publicdomain/zero/1\.0", _is("CC0-1.0")),
    Form(("creativecommons.org/publ",), r"creativecommons\.org/publicdomain/mark/1\.0", _is("PDM-1.0")),
    Form(
        ("creative commons",),
        rf"Creative_Commons_\(?(?:CC_)?({_WORDS}|{_LETTERS})\)?(?:,?_(?:{_L},?_)?(?:v\.?_?|version_)?{_CC})?",
        _creative_commons,
    ),
    Form(("creative commons",), r"Creative_Commons_(?:CC0|(?:CC_)?Zero)(?:_v?1\.0)?", _is("CC0-1.0")),
    Form(("creative commons",), r"Creative_Commons_Public_Domain_Mark(?:_1\.0)?", _is("PDM-1.0")),
    Form(("cc by", "cc-by", "cc\u00a0by"), rf"(?-i:CC{_NEXT}({_LETTERS}))(?:{_NEXT}v?{_CC})?", _creative_commons),
    Form(("cc-by",), rf"cc-(by(?:-(?:nc|nd|sa))*)(?:-{_CC})?", _creative_commons),
    Form(("cc0",), r"CC0(?:[ -]1\.0)?", _is("CC0-1.0")),
    Form(("spdx.org/licenses/",), r"spdx\.org/licenses/([0-9a-z.+-]*[0-9a-z+])", _linked),
    Form(("opensource.org/licen",), r"opensource\.org/licenses?/([0-9a-z.-]*[0-9a-z])", _linked),
    Form(("apache.org/licen",), r"apache\.org/licenses/LICENSE-([12]\.[01])(?:\.\w+)?", _is("Apache-{0}")),
    Form(("mozilla.org/mpl",), r"mozilla\.org/MPL/([12]\.[01])", _is("MPL-{0}")),
    Form(("gnu.org/licen", "gnu.org/copyleft"), r"gnu\.org/(?:\w|[/-])+/([al]?)gpl-(\d\.\d)()(?:\.\w+)?", _gnu),
    Form(("gnu.org/licen", "gnu.org/copyleft"), r"gnu\.org/(?:\w|[/-])+/(f)dl-(\d\.\d)()(?:\.\w+)?", _gnu),
    Form(
        ("gnu ",), rf"GNU_(?:(Lesser|Library|Affero)_)?(?:General_)?Public_{_L}(?:{_GNU_CLAUSE}{_GNU_VERSION})?", _gnu
    ),
    Form(("gnu ",), rf"GNU_(Free_Documentation)_{_L}(?:{_GNU_CLAUSE}{_GNU_VERSION})?", _gnu),
    Form(("gnu ",), rf"GNU_([AL]?)GPL{_GNU_VERSION}", _gnu),
    Form(("gpl", "lgpl", "agpl"), rf"([AL]?)GPL{_GNU_VERSION}", _gnu),
    Form(("gfdl",), rf"G(F)DL{_GNU_VERSION}", _gnu),
    Form(("apache ",), rf"Apache(?:_Software)?_{_L}{_AT}([12]\.[01]|2)", _is("Apache-{0}")),
    Form(("apache ", "apache-2"), rf"Apache{_AT}(2\.0|2)(?:_|-){_L}d?", _is("Apache-{0}")),
    Form(("apache-",), r"Apache-([12]\.[01])", _is("Apache-{0}")),
    Form(("mit licen", "mit-licen"), rf"(?-i:MIT)(?:_|-){_L}d?", _is("MIT")),
    Form(("bsd ", "bsd-"), r"BSD[ -]([0-4]|zero|one|two|three|four)[ -]clause", _bsd),
    Form(
        (
            "1-clause bsd",
            "2-clause bsd",
            "3-clause bsd",
            "4-clause bsd",
            "two-clause bsd",
            "three-clause bsd",
            "four-clause bsd",
        ),
        r"([1-4]|two|three|four)-clause_BSD",
        _bsd,
    ),
    Form(("new bsd", "modified bsd", "revised bsd"), rf"(?:New|Modified|Revised)_BSD_{_L}", _is("BSD-3-Clause")),
    Form(("simplified bsd",), rf"Simplified_BSD_{_L}", _is("BSD-2-Clause")),
    Form(("mozilla public",), rf"Mozilla_Public_{_L}(?:_\(MPL\))?{_AT}([12]\.[01]|[12])", _is("MPL-{0}")),
    Form(("mpl 1", "mpl 2", "mpl-1", "mpl-2", "mplv2", "mpl v2"), rf"MPL{_AT}([12]\.[01]|2)", _is("MPL-{0}")),
    Form(("eclipse public",), rf"Eclipse_Public_{_L}(?:_\(EPL\))?{_AT}([12]\.0|[12])", _is("EPL-{0}")),
    Form(("european union public",), rf"European_Union_Public_{_L}(?:_\(EUPL\))?{_AT}(1\.[12])", _is("EUPL-{0}")),
    Form(("eupl",), rf"EUPL{_AT}(1\.[12])", _is("EUPL-{0}")),
    Form(("sil open font",), rf"SIL_Open_Font_{_L}{_AT}(1\.[01])", _is("OFL-{0}")),
    Form(("boost software",), rf"Boost_Software_{_L}(?:{_AT}1\.0)?", _is("BSL-1.0")),
    Form(("artistic licen",), rf"Artistic_{_L}{_AT}([12]\.0|[12])", _is("Artistic-{0}")),
    Form(("isc licen",), rf"(?-i:ISC)_{_L}", _is("ISC")),
    Form(("zlib licen",), rf"zlib_{_L}", _is("Zlib")),
    Form(("the unlicense",), "the_Unlicense", _is("Unlicense")),
    Form(("unlicense.org",), r"unlicense\.org", _is("Unlicense")),
    Form(("open database",), rf"Open_Database_{_L}", _is("ODbL-1.0")),
    Form(("odbl",), rf"ODbL(?:{_AT}1\.0)?", _is("ODbL-1.0")),
    Form(("open government licen",), rf"Open_Government_{_L}{_AT}([123]\.0|[123])", _is("OGL-UK-{0}")),
    Form(
        ("nationalarchives.gov.uk/doc",),
        r"nationalarchives\.gov\.uk/doc/open-government-licence/version/([123])",
        _is("OGL-UK-{0}"),
    ),
    Form(("project gutenberg",), rf"Project_Gutenberg(?:-tm|{_TRADE_MARK}|\(TM\))?_{_L}", _says(GUTENBERG)),
)
"""Names are found where a trigger begins a word."""

ENDS: Final = Form(
    ("public domain",),
    r"(?:(?:released|placed|put|dedicated|donated|contributed)_(?:in|into|to)_the"
    r"|this_(?:e?book|work|text|document|file|image|photo|photograph|picture|article|page|publication|software|program"
    r"|code|material|map|recording|video)_(?:is|was|are)_(?:hereby_|now_)?in_the)_public_domain",
    _says(PUBLIC_DOMAIN),
)
"""What is said before the trigger tells a dedication from other talk of the public domain."""

DECLARATION: Final = "spdx-license-identifier:"
_ID: Final = r"\(*[0-9A-Za-z](?:[0-9A-Za-z.-]|:)*\+?\)*"
EXPRESSION: Final = rf"SPDX-License-Identifier:[ \t]*{_ID}(?:[ \t]+(?:AND|OR|WITH)[ \t]+{_ID})*"


def _expand(pattern: str) -> str:
    """A pattern with its blanks: lines may be broken between words, also in comments of source code."""
    return pattern.replace("_", "(?:[\\s*#/\u00a0]+)")


def to_search(*patterns: str) -> str:
    """One pattern for all, whose match is the group `name`. Arrow bears no groups without a name."""
    either = "|".join(re.sub(r"(?<!\\)\((?!\?)", "(?:", _expand(pattern)) for pattern in patterns)
    return f"(?P<name>(?i:{either}))"


_COMPILED: Final = [(re.compile(f"(?i:{_expand(form.pattern)})", re.ASCII), form.name) for form in (*FORMS, ENDS)]
_TOKEN: Final = re.compile(r"(WITH[ \t]+)?([0-9A-Za-z](?:[0-9A-Za-z.:-])*\+?)")


def read_names(text: str) -> list[Name]:
    """The licences that a whole text, found by one of the forms, names: several only in an SPDX expression."""
    if text.lower().startswith(DECLARATION):
        tokens = _TOKEN.finditer(text, len(DECLARATION))
        ids = [token for token in tokens if not token[1] and token[2] not in ("AND", "OR")]
        return [(token.start(2), token.end(2), spdx_id(token[2]) or token[2]) for token in ids]
    for pattern, name in _COMPILED:
        match = pattern.fullmatch(text)
        if match and (found := name(match)):
            return [(0, len(text.encode()), found)]
    return []
