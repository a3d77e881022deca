"""The grammar of copyright notices, as regular expressions of RE2.

A notice is markers, years and holder, `Copyright (c) 2001-2004, 2007 by Foo, Inc.` or `© Foo 2019`; the holder may
stand first where nothing follows the years: `Foo © 2019`. A holder ends at the end of its line or sentence, and before
words that open the next statement.
"""

from typing import Final

from transforms.measure.rights.reserved_words import PHRASES

WORD, PAREN, SIGN = 1, 2, 4
"""Kinds of markers; those that stand together are summed."""
_SIGNS: Final = ("©", "℗", "ⓒ", "Ⓒ", "&copy;", "&#169;", "&#xa9;")
MARKERS: Final = (b"copyright", b"copr.", b"crown copyright", b"(c)", *(sign.encode() for sign in _SIGNS))
KINDS: Final = (WORD, WORD, WORD, PAREN, *(SIGN for _ in _SIGNS))


def _any(words: str) -> str:
    """One of the words, which are written with `_` for white space."""
    return "(?:" + "|".join(words.replace("_", r"\s+").split(" ")) + ")"


# What all is made of. Letters and capitals are coarse: patterns with Unicode's own classes take 10 ms each to compile.
_LETTERS = (
    r"A-Za-z\x{aa}\x{b5}\x{ba}\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3005}-\x{d7ff}\x{f900}-\x{fdff}\x{ff10}-\x{ffdc}"
)
_CAPITAL = (
    r"[A-Z\x{c0}-\x{de}\x{100}-\x{24f}\x{386}-\x{3ab}\x{400}-\x{42f}\x{531}-\x{556}\x{5d0}-\x{1fff}\x{3005}-\x{d7ff}]"
)
_BLANK = r"[ \t\x{a0}\x{3000}]"
_DASH = "[-‐‑‒–—−~～]"
_SEPARATOR = rf"(?:{_BLANK}|[,:·*])*"
_WRAP = rf"{_BLANK}*\r?\n{_BLANK}*(?:#+|//|;+|\*|--|%)?{_BLANK}*"  # a line break, and what begins a line of a comment
_YEAR = r"(?:1[789]|20)[0-9]{2}年?"
_YEARS = (
    rf"{_YEAR}(?:{_BLANK}*(?:[,/&]|and|to|bis|{_DASH}){_BLANK}*{_YEAR}|(?:/|{_DASH})[0-9]{{2}}\b"
    rf"|{_BLANK}*{_DASH}{_BLANK}*(?:{_any('present now today current heute')}\b|\*))*"
)
_MARKER = rf"(?:{'|'.join(_SIGNS)}|(?:crown )?copyright(?:s|ed)?|copr\.|\(c\))"

# Words with a full stop that ends no sentence, and words with which names of companies end.
_COMPANY = _any("inc ltd corp llc kft srl pty plc bros") + r"\."
_COMPANY_BARE = _any("GmbH AG LLC BV Ltd Inc Limited Kft SARL Corporation")
_TITLE = _any(
    "dr prof mr mrs ms st jr sr co no univ dept assn assoc soc intl int nat mfg pub publ ed eds cie al vs ste"
)
_SHORT = rf"(?:(?-i:{_CAPITAL}\.)+|{_COMPANY}|{_TITLE}\.|e\.{_BLANK}?v\.)"

# What follows a notice, and is no part of it.
_RESERVED = "(?:some|no) rights|" + "|".join(opening for phrases in PHRASES.values() for opening in phrases.openings)
_NEXT = _any(
    "licen[sc]ed released distributed published_(?:by|under) see under_(?:the|an?)"
    " powered proudly design(?:ed)?_by theme developed created built hosted web_?site site_(?:by|design)"
    " version this_(?:file|program|software|work|code|is|document|material|page|font) permission used reproduction"
    " unauthori[sz]ed revision impressum datenschutz\\w* privacy terms kontakt contact sitemap cookies? legal"
    " made_(?:by|with) disclaimer"
    " mentions_légales agb content_management member_of user_contributions any except based_on termes pflichtangaben"
    " and_licen[sc]ed is_(?:a|licen[sc]ed) fotos?: photos?: the_above redistribution everyone available provided use_of"
)


# Words that tell a holder from what is none.
_OWNERS = (
    "foundation authors? contributors? developers project team inc ltd llc gmbh corp\\w* company university institute"
    " press publish\\w+ limited group consortium association society"
)
_COMPOUNDS = (
    "laws? acts? office notices? infring\\w+ polic\\w+ licen[sc]\\w+ holders? owners? clause statements? information"
    " permissions? protect\\w+ reform directive agents? claims? complaints? registration reserved status symbol sign"
    " dates? title clearance treaty convention amendment page header material issues? and or in is for to of on by all"
)
_WORKS = (
    "all contents? texts? photos? images? fotos? fotók bild bilder designs? site page material last updated the this"
    " quelle source"
)

HEAD: Final = (
    rf"(?i)^(?P<head>{_MARKER}(?:{_SEPARATOR}(?P<between>{_YEARS})?[.-]?{_SEPARATOR}{_MARKER})*"
    rf"(?:{_WRAP}|{_SEPARATOR}-?{_SEPARATOR})"
    rf"(?:(?P<years>{_YEARS})(?:{_SEPARATOR}{_WRAP}|\.{_BLANK}+|{_SEPARATOR}{_DASH}?{_SEPARATOR}))?(?P<by>by\s+)?)"
)
"""From the first marker to where the holder may begin; a line may break before the years and after them."""
_LETTER = rf"(?:\b{_SHORT}|<[^<>\s]+>|\.[^\s\"')*,<\[.]|[^.\r\n])"
_NAME = rf"(?P<name>(?:{_SHORT}|[{_LETTERS}0-9@\x60\[]){_LETTER}*?)"
_NEXT_STATEMENT = rf"(?:{_RESERVED}|{_NEXT}\b)"
_END = (
    rf"(?:{_BLANK}*(?:[|•∙«»\"“”{{}}>\r\n·]|;(?:[^ ]|$| [^0-9])|\.+(?:[\s\"')*,<\[]|$)"
    rf"|<(?:[!?]|[\w.]*[ />])|&[lg]t;|\\n)|\\?$"
    rf"|{_BLANK}{{3,}}|\x{{a0}}{_BLANK}|{_BLANK}\x{{a0}}|\t|{_BLANK}+(?:{_DASH}+{_BLANK}|//)"
    rf"|[,;.]?{_BLANK}+(?:https?:|www\.|{_NEXT_STATEMENT})|{_BLANK}*\({_NEXT_STATEMENT})"
)
_ENDS = (
    rf"(?P<more>,?{_WRAP}(?:and|or|of|for|&)\b[^\r\n;|<(]*?)(?:[\r\n;|<(]|\.\s|{_BLANK}+all\s|$)"
    rf"|(?P<dotted>\b{_COMPANY}){_BLANK}+(?-i:[^a-z0-9&\s<(])"
    rf"|(?P<bare>\b(?-i:{_COMPANY_BARE})){_BLANK}+(?-i:[A-Z])|{_END}"
)
DATED: Final = rf"(?i)^{_NAME}(?:{_ENDS})"
"""A holder, where years stand before it; what it ends with is one of `ENDINGS`."""
UNDATED: Final = rf"(?i)^{_NAME}(?:(?:{_BLANK}|[,(])*\b(?P<years>{_YEARS})(?:[^0-9]|$)|{_ENDS})"
"""A holder, and the years after it, if any."""
ENDINGS: Final = ("name", "more", "dotted", "bare")
TRIMMED: Final = rf"(?i)^(?P<name>(?:.|\s)*?)(?:{_BLANK}|[,:/&(·*'-]|–|—|\s(?:and|und|et|y|by)$)*$"
"""A holder without what joined it to the next statement."""

_CAPITALIZED = rf"{_CAPITAL}[{_LETTERS}0-9.'’&+®™/-]*"
_SMALL = _any(
    "& / and und et of the de van von der di for für da del la other others its individual affiliates authors"
    " contributors developers"
)
_CAPITALS = rf"{_CAPITALIZED}(?:,?{_BLANK}+(?:{_CAPITALIZED}|{_SMALL}))*"
CAPITALS: Final = rf"^{_CAPITALS}$"
"""Words in capitals, as names have them."""
OWNERS: Final = rf"(?i)\b{_any(_OWNERS)}\b"
"""Words of the names of those who own works."""
NO_NAME: Final = (
    rf"(?i)^(?:{_NEXT_STATEMENT}|(?:years?|yyyy|19[xy]+|20[xy]+|x+|(?:your|the|full)?\s*names?)\b"
    r"|\[(?:yyyy|year|name|full))"
)
"""What is no holder wherever it stands: the next statement, and placeholders."""
COMPOUND: Final = rf"(?i)^{_any(_COMPOUNDS)}\b"
"""Words that follow a marker where it is no notice."""
NUMBERED: Final = (
    r"(?i)(?:\b(?:sections?|sec\.|paragraphs?|para\.?|subsection|clause|rule|article|art\.?|and|or)|§|[0-9]|[,;(]|"
    r"\([a-z0-9]{1,3}\))\s*$"
)
"""What stands before a `(c)` that numbers something."""
GLUED: Final = r"[A-Za-z0-9_/#)\]-]$"
"""What stands before a marker that is part of a word, of code or of an address."""
LINE_START: Final = rf"(?:^|\n)[^{_LETTERS}0-9\n]*$"
HOLDER_BEFORE: Final = (
    rf"(?:^|[\n|•∙·>\"“”:;]|[.!?{{}}] |{_BLANK}{{2}}|{_BLANK}{_DASH}{_BLANK}){_BLANK}*"
    rf"(?P<word>(?i:{_MARKER}){_BLANK}+)?(?P<name>{_CAPITALS}),?{_BLANK}+$"
)
"""A holder that stands before the marker, from the border of a statement on."""
NO_HOLDER: Final = rf"(?i)^{_any(_WORKS)}\b"
"""Words before a marker that begin no holder."""
YEARS_BEFORE: Final = rf"(?:^|[^{_LETTERS}0-9])(?P<years>{_YEARS})(?:{_BLANK}|,)*$"
MOJIBAKE: Final = r"^[\x{a1}-\x{ff}]©[\x{a1}-\x{ff}]"
"""A sign that is a byte of another charset."""
LETTER_E: Final = "^Ã©"
"""An `é` of UTF-8 that was read as Latin-1, as often happens; whatever follows, it is no sign."""
CAPITAL: Final = f"^{_CAPITAL}"
INDENT: Final = r"\n(?P<indent>[ \t]*)"
INDENT_OF_LINE: Final = r"(?:^|\n)(?P<indent>[ \t]*)[^\n]*$"
