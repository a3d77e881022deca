"""The rules for words and their hashes on Python strings: what the kernels are held against."""

import re
import unicodedata
from functools import cache

from transforms.kernels import characters

ALL = (1 << 64) - 1
WORD, STEP, MIX = 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1
WORDS = re.compile("AM*|[LM]+")
"""Over one letter a character: a character by itself, of a word, a mark."""


def slow_words(text: str) -> list[str]:
    """Folded words of a text in any script."""
    text = "".join(map(_fold, text))
    kinds = "".join(map(_kind, text))
    found = [text[match.start() : match.end()] for match in WORDS.finditer(kinds)]
    return [unicodedata.normalize("NFD", word).replace("\u0345", "\u03b9") for word in found]


def slow_shingles(text: str, n: int) -> list[int]:
    """Hashes of all shingles, in order."""
    words = [slow_word(word.encode()) for word in slow_words(text)]
    n = min(n, len(words))
    shingles = []
    for at in range(len(words) - n + 1 if words else 0):
        h = n
        for word in words[at : at + n]:
            h = (h * STEP + word) & ALL
        shingles.append(slow_fold(h ^ WORD, MIX))
    return shingles


@cache
def slow_word(word: bytes) -> int:
    h = WORD
    for at in range(0, len(word), 16):
        piece = word[at : at + 16].ljust(16)
        h = slow_fold(int.from_bytes(piece[:8], "little") ^ h, int.from_bytes(piece[8:], "little") ^ MIX)
    return h


def slow_fold(left: int, right: int) -> int:
    product = left * right
    return product >> 64 ^ product & ALL


@cache
def _fold(character: str) -> str:
    """The folded characters of one, with U+0345 as it is; a space for what separates."""
    if character in "'\u02bc\uff07":
        return "'"
    if _is_in(character, characters.INVISIBLE):
        return ""
    if unicodedata.category(character)[0] not in "LMN" and not "\u2e80" <= character <= "\u2fd5":
        return " "
    if unicodedata.decomposition(character).startswith("<fraction>"):
        return character
    folded = "".join(map(_fold_part, unicodedata.normalize("NFKD", character)))
    if " " in map(_kind, folded):
        return f" {folded}"
    return character if character in "\u0e33\u0eb3" else folded


def _fold_part(part: str) -> str:
    if part == "\u0345":
        return part
    if _is_dropped(part):
        return ""
    folded = unicodedata.normalize("NFKD", part.upper().casefold()).replace("\u02bc", "'")
    return "".join(str(unicodedata.decimal(c, c)) for c in folded if not _is_dropped(c))


def _is_dropped(character: str) -> bool:
    accent = unicodedata.combining(character) and _is_in(character, characters.POINTING)
    return bool(accent) or unicodedata.category(character) == "Me" or _is_in(character, characters.INVISIBLE)


@cache
def _kind(character: str) -> str:
    if character == "'":
        return "L"
    category = unicodedata.category(character)[0]
    if category not in "LN":
        return "M" if category == "M" else " "
    return "A" if _is_in(character, characters.SPACELESS) else "L"


def _is_in(character: str, ranges: characters.Ranges) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)
