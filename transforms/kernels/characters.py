"""What every character is to a word: the table behind `words`, made from Python's `unicodedata`.

    python -m transforms.kernels.characters

writes `characters.npz` for the Unicode version of the Python that runs it. The file is checked in, so that words do not
depend on the Python of a worker. A character, or the sequence it folds to, is a list of items; an item is an int64:

    bits 0-31   UTF-8 of what is put into the word, first byte lowest; none: the character as it stands
    bits 32-39  number of these bytes, 0 for the character as it stands
    bits 40-47  what it does, one of `SEPARATE` ... `MARK`
    bits 48-55  for a mark, its canonical combining class; for a letter, 1 to 3 if it is that of the Hangul syllable
    bit  56     whether another item of the character follows

Sources: the Unicode character database, UnicodeData.txt (categories, combining classes, decompositions) and
CaseFolding.txt by way of Python, DerivedCoreProperties.txt (Default_Ignorable_Code_Point) and LineBreak.txt (classes SA
and ID) for the ranges. The rules, with their reasons, are in docs/rules.md.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SEPARATE, IGNORE, LETTER, ALONE, MARK = range(5)
"""Ends a word; is not there; part of a word; a word by itself; kept with what it follows."""

CHARACTERS = 0x110000
BLOCK_BITS = 7
"""The table is kept in blocks of 128 characters, equal ones only once."""
PATH = Path(__file__).with_name("characters.npz")

Ranges = tuple[tuple[int, int], ...]

APOSTROPHES = "\u02bc\uff07"
"""Modifier letter and fullwidth apostrophe: nothing but apostrophes, while U+2019 is a quotation mark as well."""
RADICALS = ((0x2E80, 0x2FD5),)
"""Symbols by category, but PDF readers give them for the ideographs that they look like."""
INVISIBLE: Ranges = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x0640, 0x0640),  # tatweel, which draws a word out: the one that is not Default_Ignorable_Code_Point
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200C, 0x200F),  # without U+200B, which marks where a line may break: between words
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
SPACELESS: Ranges = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x2E80, 0xA4CF),  # Han, kana, Bopomofo, Yi; the Hangul letters among them fold to others
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0x11700, 0x1174F),  # Ahom
    (0x16FE0, 0x1B2FF),  # Tangut, Khitan, kana, Nushu
    (0x20000, 0x3FFFF),  # Han
)
POINTING: Ranges = (
    (0x0300, 0x07BF),  # Latin, Greek, Cyrillic, Hebrew, Arabic, Syriac
    (0x0800, 0x08FF),  # Samaritan, Mandaic, Syriac, Arabic
    (0x0951, 0x0954),  # Vedic accents
    (0x135D, 0x135F),  # Ethiopic gemination
    (0x1AB0, 0x1AFF),  # diacritics of no script
    (0x1CD0, 0x1CFF),  # Vedic accents
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0x2DE0, 0x2DFF),  # Cyrillic letters above
    (0xA66F, 0xA69F),
    (0xFB1E, 0xFB1E),
    (0xFE20, 0xFE2F),
    (0x1D165, 0x1D244),  # musical notation
)


class Table(NamedTuple):
    """The first item of a character is `items[starts[blocks[c >> BLOCK_BITS] << BLOCK_BITS | c & 127]]`."""

    blocks: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.uint16]
    items: npt.NDArray[np.int64]


def load() -> Table:
    """The table that is checked in."""
    with np.load(PATH, allow_pickle=False) as file:
        return Table(*(file[name] for name in Table._fields))


def make() -> Table:
    """The table for the Unicode version of this Python, `unicodedata.unidata_version`."""
    items: list[int] = []
    known: dict[tuple[int, ...], int] = {}
    starts = np.empty(CHARACTERS, np.uint16)
    for code in range(CHARACTERS):
        found = _items(code)
        if found not in known:
            known[found] = len(items)
            items += [*(item | 1 << 56 for item in found[:-1]), found[-1]]
        starts[code] = known[found]
    blocks: dict[bytes, int] = {}
    order = [blocks.setdefault(block.tobytes(), len(blocks)) for block in starts.reshape(-1, 1 << BLOCK_BITS)]
    return Table(np.array(order, np.uint16), np.frombuffer(b"".join(blocks), np.uint16), np.array(items, np.int64))


def _items(code: int) -> tuple[int, ...]:
    character = chr(code)
    if 0xAC00 <= code <= 0xD7A3:
        return tuple(_item(LETTER, " ", place) for place in range(1, 4 if (code - 0xAC00) % 28 else 3))
    if _is_in(code, INVISIBLE):
        return (_item(IGNORE),)
    if not (_is_word(character) or _is_in(code, RADICALS) or character in APOSTROPHES or character == "'"):
        return (_item(SEPARATE),)
    if unicodedata.decomposition(character).startswith("<fraction>"):
        return (_item(LETTER),)  # taken apart it would join the number before it: 2½ is not 21 and 2
    parts = unicodedata.normalize("NFKD", character)
    return _set_apart([item for part in parts for item in _fold(part, character)])


def _set_apart(items: list[int]) -> tuple[int, ...]:
    """Let nothing that ends a word follow what does not, so that a text can be cut before every character that does."""
    if _item(SEPARATE) in items:  # several words, as U+FDFA, or a number in brackets
        return (_item(SEPARATE), *items)
    kinds = [item >> 40 & 0xFF for item in items]
    if ALONE in kinds[1:] and kinds[0] != ALONE:  # Thai and Lao am: a mark and a letter
        return (_item(ALONE),)
    return tuple(items) or (_item(IGNORE),)


def _fold(part: str, source: str) -> Iterator[int]:
    """Items of one character of a full decomposition. Capitals decide, so that both letters i of Turkish are one."""
    mark = unicodedata.combining(part)
    if _is_stripped(part):
        return
    for folded in unicodedata.normalize("NFKD", part.upper().casefold()):
        if _is_stripped(folded):
            continue
        text = "'" if folded in APOSTROPHES else str(unicodedata.decimal(folded, folded))
        kind = _kind(text, mark)
        yield _item(kind, "" if text == source or kind == SEPARATE else text, mark)


def _kind(text: str, mark: int) -> int:
    if mark or unicodedata.category(text)[0] == "M":
        return MARK
    if text != "'" and not _is_word(text):
        return SEPARATE
    return ALONE if _is_in(ord(text), SPACELESS) else LETTER


def _is_stripped(character: str) -> bool:
    """An accent, optional pointing or an enclosing mark. U+0345 is neither: it folds to the letter iota."""
    if _is_in(ord(character), INVISIBLE):
        return True
    pointing = unicodedata.combining(character) > 0 and _is_in(ord(character), POINTING)
    return character != "\u0345" and (pointing or unicodedata.category(character) == "Me")


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _is_in(code: int, ranges: Ranges) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _item(kind: int, text: str = "", mark: int = 0) -> int:
    raw = text.encode()
    return int.from_bytes(raw, "little") | len(raw) << 32 | kind << 40 | mark << 48


if __name__ == "__main__":
    np.savez_compressed(PATH, unicode=np.array(unicodedata.unidata_version), **make()._asdict())
