"""Words in every script: each rule of docs/rules.md, "Words", on real sentences and over all of Unicode."""

import random
import unicodedata
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.byte_columns import at_page_end
from tests.scripts import SENTENCES
from tests.slow_words import slow_shingles, slow_word, slow_words
from transforms.kernels import characters
from transforms.kernels.shingles import hash_shingles, make_room
from transforms.kernels.words import MOST_WORDS

N = 5
ASSIGNED = [chr(c) for c in range(characters.CHARACTERS) if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]
PAIRS = [pytest.param(*pair, id=language) for language, pair in SENTENCES.items()]
EACH = [pytest.param(text, id=f"{language}{i}") for language, pair in SENTENCES.items() for i, text in enumerate(pair)]
WITHOUT_SPACES = ("Chinese", "Japanese", "Thai", "Lao", "Khmer", "Burmese")

with np.load(characters.PATH) as file:
    UNICODE = str(file["unicode"])
Form = Literal["NFC", "NFD"]
same_unicode = pytest.mark.skipif(
    unicodedata.unidata_version != UNICODE,
    reason=f"the table is of Unicode {UNICODE}, this Python has {unicodedata.unidata_version}",
)


def shingles(text: str | bytes, n: int = N, words: int = 2048) -> npt.NDArray[np.uint64]:
    raw = text.encode() if isinstance(text, str) else text
    data, (start, stop) = at_page_end([raw])
    room, seen, found = make_room(words, n), 0, [np.empty(0, np.uint64)]
    while start < stop:
        start, seen, count = hash_shingles(data, start, stop, n, seen, room)
        found.append(room.shingles[:count].copy())
    return np.concatenate(found)


def same(left: str, right: str) -> bool:
    return bool(np.array_equal(shingles(left), shingles(right)))


def jaccard(left: str, right: str, n: int = N) -> float:
    a, b = set(shingles(left, n).tolist()), set(shingles(right, n).tolist())
    return len(a & b) / len(a | b)


def fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@same_unicode
def test_the_table_is_what_its_maker_makes() -> None:
    """`python -m transforms.kernels.characters` was run after the last change of the rules."""
    checked_in, made = (
        [(array.dtype, array.tolist()) for array in (table.blocks, table.starts, table.items)]
        for table in (characters.load(), characters.make())
    )
    assert checked_in == made


@same_unicode
def test_every_character_folds_as_defined() -> None:
    """Between letters and alone; of the ideographs and the syllables, which are alike, one in 17."""
    many = ("CJK UNIFIED", "HANGUL SYLLABLE", "TANGUT IDEOGRAPH")
    chosen = [c for c in ASSIGNED if not unicodedata.name(c, "").startswith(many) or ord(c) % 17 == 0]
    text = "".join(f"a{c}b {c} " for c in chosen)
    assert shingles(text, 1).tolist() == slow_shingles(text, 1)


@same_unicode
def test_characters_without_a_meaning_separate_words() -> None:
    """Private use, unassigned, and those that never will be; the ones that Unicode says to ignore are ignored."""
    others = [chr(c) for c in range(characters.CHARACTERS) if unicodedata.category(chr(c)) in ("Cn", "Co")]
    text = "\n".join(f"x{c}y" for c in others)
    ignored = {c for c in others if any(first <= ord(c) <= last for first, last in characters.INVISIBLE)}
    assert {ord(c) >> 12 for c in ignored} <= {0x2, 0xF, 0xE0}
    expected = "\n".join("xy" if c in ignored else "x\ny" for c in others)
    assert np.array_equal(shingles(text, 1), shingles(expected, 1))


def test_a_text_can_be_cut_before_every_character_that_ends_a_word() -> None:
    """No item that ends a word follows one that does not, and no character has too many words: room would not do."""
    ending: set[int] = {characters.SEPARATE, characters.ALONE}
    kinds: list[int] = []
    for item in characters.load().items.tolist():
        kinds.append(item >> 40 & 0xFF)
        if not item >> 56:
            assert kinds[0] in ending or not ending & set(kinds)
            assert kinds.count(characters.ALONE) + kinds.count(characters.SEPARATE) < MOST_WORDS
            kinds = []


@same_unicode
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_character_has_the_words_of_its_canonical_forms(form: Form) -> None:
    """Composed or decomposed, after a letter of its own kind or of another."""
    for base in ("a", "\u0915", "\u304b", "\u0e01"):
        given_ = "\n".join(f"{base}{c}x" for c in ASSIGNED)
        other = "\n".join(unicodedata.normalize(form, f"{base}{c}x") for c in ASSIGNED)
        assert np.array_equal(shingles(given_, 1), shingles(other, 1))


@same_unicode
def test_every_character_has_the_words_of_its_capitals() -> None:
    """Full case folding: \u00df as ss, the three sigmas as one, both letters i of Turkish."""
    words = [f"a{c}b" for c in ASSIGNED]
    upper, folded = ("\n".join(map(change, words)) for change in (str.upper, str.casefold))
    assert np.array_equal(shingles("\n".join(words), 1), shingles(upper, 1))
    assert np.array_equal(shingles("\n".join(words), 1), shingles(folded, 1))


@pytest.mark.parametrize("text", EACH)
def test_a_sentence_is_the_same_however_it_is_encoded(text: str) -> None:
    """NFC, NFD, capitals, fullwidth ASCII, invisible characters and other punctuation change no shingle."""
    assert same(text, unicodedata.normalize("NFC", text))
    assert same(text, unicodedata.normalize("NFD", text))
    assert same(text, text.upper())
    assert same(text, fullwidth(text))
    assert same(text, "\ufeff" + "\u00ad\u200d".join(text) + "\u202c")
    assert same(text, f"\u300c{text}\u300d \U0001f600\ufe0f !")


@pytest.mark.parametrize("text", EACH)
def test_a_sentence_has_the_words_of_the_definition(text: str) -> None:
    """Whatever the room, at the end of memory."""
    for n, words in ((1, 2048), (3, 1), (N, 7)):
        assert shingles(text, n, words).tolist() == slow_shingles(text, n)


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_different_sentences_of_a_language_share_nearly_nothing(left: str, right: str) -> None:
    """What went wrong elsewhere: with marks and non-ASCII letters thrown away all Arabic or Hindi is alike."""
    assert min(len(slow_words(left)), len(slow_words(right))) >= 8
    assert jaccard(left, right) == 0
    assert jaccard(left, right, 1) < 0.35


@pytest.mark.parametrize("language", WITHOUT_SPACES)
def test_one_character_changes_at_most_n_shingles(language: str) -> None:
    """Where there are no spaces every character is a word: a change stays local."""
    for text in SENTENCES[language]:
        starters = [i for i, c in enumerate(text) if unicodedata.category(c) == "Lo" and slow_words(c) == [c]]
        for at in starters:
            changed = text[:at] + "\u4e28" + text[at + 1 :]
            gone = set(shingles(text).tolist()) - set(shingles(changed).tolist())
            assert len(gone) <= N


@pytest.mark.parametrize(
    ("letters", "separator"),
    [("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", " "), ("的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年", "")],
    ids=["Arabic", "Chinese"],
)
def test_a_corpus_of_short_texts_does_not_collapse(letters: str, separator: str) -> None:
    """200 texts of 20 words each: no two of the 19,900 pairs are anywhere near alike."""
    draw = random.Random(1)
    length = 5 if separator else 1
    texts = [separator.join("".join(draw.choices(letters, k=length)) for _ in range(20)) for _ in range(200)]
    sets = [set(shingles(text).tolist()) for text in texts]
    assert {len(one) for one in sets} == {16}
    assert max(len(a & b) / len(a | b) for a, b in combinations(sets, 2)) < 0.1


@pytest.mark.parametrize(("text", "_"), PAIRS)
def test_a_text_of_fewer_than_n_words_matches_only_its_equal(text: str, _: str) -> None:
    """One shingle of all: it is in no longer text, nor in a shorter one."""
    words = slow_words(text)[:N]
    short = [" ".join(words[:count]) for count in range(1, N + 1)]
    found = [shingles(one).tolist() for one in short]
    assert [len(one) for one in found] == [1] * N
    assert len({shingle for (shingle,) in found}) == N
    assert not set(shingles(text)[1:].tolist()) & {shingle for (shingle,) in found}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don\u2019t \u2018quote me\u2019 rock\u2019n\u2019roll", "don|t|quote|me|rock|n|roll"),
        ("l\u2019\u00c9t\u00e9 dogs\u2019 \u201990s \u2019\u2019 a\u2019\u2019b", "l|ete|dogs|90s|a|b"),
        ("don\u02bct don\uff07t 'tis 'a'", "don't|don't|'tis|'a'"),
        ("a\u2019\u00ad\u200db \u4e2d\u2019\u4e2d a\u2019\u4e2d", "a|b|\u4e2d|\u4e2d|a|\u4e2d"),
        (
            "Stra\u00dfe STRASSE \u1e9e \u03a3\u03c3\u03c2 \ufb01 \u0130\u0131I \u01c4",
            "strasse|strasse|ss|\u03c3\u03c3\u03c3|fi|iii|dz",
        ),
        ("\uff21\uff42\uff11 \u2167 \u2460\u00b2 \u00bd 2\u00bd", "ab1|viii|12|\u00bd|2\u00bd"),
        ("\u0663\u0665 \u0967\u0968 \u0e51 \u06f4\u06f5", "35|12|1|45"),
        (
            "\u0645\u064f\u062d\u064e\u0645\u0651\u062f \u0645\u062d\u0640\u0640\u0645\u062f \u0623\u0622",
            "\u0645\u062d\u0645\u062f|\u0645\u062d\u0645\u062f|\u0627\u0627",
        ),
        ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u0419\u0451", "\u05e9\u05dc\u05d5\u05dd|\u0438\u0435"),
        ("\u0915\u0940 \u0915\u093f \u0915\u094d\u0937 \u0915", "\u0915\u0940|\u0915\u093f|\u0915\u094d\u0937|\u0915"),
        ("\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48", "\u0e17\u0e35\u0e48|\u0e19\u0e35\u0e48"),
        ("iPhone\u624b\u673a12\u53f0 a\u0e01b", "iphone|\u624b|\u673a|12|\u53f0|a|\u0e01|b"),
        ("\u304c \u304b\u3099 \uff76\uff9e \u304b", "\u304b\u3099|\u304b\u3099|\u30ab\u3099|\u304b"),
        ("\u2f00\u2fd5 \uf900", "\u4e00|\u9fa0|\u8c48"),
        ("\ud55c\uad6d \ud55c \uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8|\u1112\u1161\u11ab|\u1100\u116e\u11a8"),
        ("\u0ba8\u0bbe\u200c\u0ba9\u0bcd a\u200bb a\u2060b a\ufeffb", "\u0ba8\u0bbe\u0ba9\u0bcd|a|b|ab|ab"),
        ("a\U0001f600b \u2764\ufe0f 1\ufe0f\u20e3 Java\u2122 \u2103 \U0001f1e9\U0001f1ea", "a|b|1|java"),
        ("a\ue000b a\u0378b a\ufffdb a\u2014b a\u2026b", "a|b|a|b|a|b|a|b|a|b"),
        ("\ufdfa", "\u0635\u0644\u0649|\u0627\u0644\u0644\u0647|\u0639\u0644\u064a\u0647|\u0648\u0633\u0644\u0645"),
        ("\u1fb3 \u0391\u0399 \u03b1\u0345\u0301", "\u03b1\u03b9|\u03b1\u03b9|\u03b1\u03b9"),
        ("\u0301a \u093ea \u0e31a \u4e2d\u0301", "a|\u093ea|\u0e31a|\u4e2d"),
    ],
)
def test_words_are_these(text: str, words: str) -> None:
    """The rules one by one; words are set apart by bars."""
    expected = words.split("|")
    assert slow_words(text) == expected
    assert shingles(text, 1).tolist() == shingles(" ".join(expected), 1).tolist()


MARKS = "\u093c\u094d\u0e38\u0e48\u0e49\u3099\u0c56\u0c55\u0345\u0301\u05b0\u0f71\u0f72\u0f74\u1037\u108d\u1a60\u1a75"
LETTERS = "a\u03b1\u1fb3\u0928\u0929\u0dd9\u0dda\u0c46\u0e01\u304b\u304c\u0f40\u1025\u1a20\u00e9'\u2019 "


@given(st.text(st.sampled_from(LETTERS + MARKS), max_size=40))
@settings(deadline=None, max_examples=300)
def test_canonically_equivalent_texts_have_the_same_words(text: str) -> None:
    """Marks that are kept are put into canonical order, also where a composed letter comes before a lower mark."""
    expected = shingles(text, 2).tolist()
    assert shingles(unicodedata.normalize("NFC", text), 2).tolist() == expected
    assert shingles(unicodedata.normalize("NFD", text), 2).tolist() == expected
    assert slow_shingles(text, 2) == expected


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=60), st.integers(1, 9))
@settings(deadline=None, max_examples=300)
def test_any_text_has_the_shingles_of_the_definition(text: str, n: int) -> None:
    """Characters from everywhere, most of them rare."""
    assume(unicodedata.unidata_version == UNICODE or text.isascii())
    assert shingles(text, n, 1).tolist() == slow_shingles(text, n)


def utf8_like() -> st.SearchStrategy[bytes]:
    """Pieces that are nearly UTF-8: cut, overlong, surrogates, beyond the last character, and good ones."""
    bad = [b"\xc0\xaf", b"\xc1", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xf5"]
    cut = [b"\xe4\xb8", b"\xf0\x9f\x98", b"\xd0", b"\x80", b"\xff"]
    return st.lists(st.sampled_from([*bad, *cut, b"a", b" ", "\u0431\u4e2d\u0e01\u0e31".encode()])).map(b"".join)


@given(utf8_like())
@settings(deadline=None, max_examples=300)
def test_bytes_that_are_no_utf8_separate_words(raw: bytes) -> None:
    """As U+FFFD does in their place; nothing beyond the end is read."""
    assert shingles(raw, 2).tolist() == slow_shingles(raw.decode(errors="replace"), 2)


@pytest.mark.parametrize("letter", ["\u0431", "\ud55c", "\u0915\u094d", "\u0e31", "a\u0301", "\U00010400"])
def test_a_word_of_any_length_is_hashed_whole(letter: str) -> None:
    """No limit of the scratch shows, neither just around it nor at 20,000 characters."""
    for count in (*range(60, 140, 3), 20_000):
        word = slow_words("x" + letter * count)
        assert len(word) == 1
        assert shingles("x" + letter * count, 1).tolist() == slow_shingles(word[0], 1)
    assert slow_word(b"x") != slow_word(b"y")


def test_no_number_of_marks_or_invisible_characters_needs_more_room() -> None:
    """A letter under a million marks is that letter; of marks that count only 30 in a row are put into order."""
    assert same("a" + "\u0301\u200d" * 500_000, "a")
    marks = "\u0e48\u0e38" * 15
    assert same("\u0e01" + marks, "\u0e01" + unicodedata.normalize("NFD", marks))
    assert shingles("\u0e01" + marks * 1000, 1).size == 1


@pytest.mark.parametrize("text", ["\u4e2d", "\u0431", "\u4e2d\uff0c", "\u0e01 ", "\ufdfa"])
def test_a_long_text_takes_as_many_calls_as_its_words(text: str) -> None:
    """Text without ASCII is searched piece by piece: no part of it twice, or time would grow with the square."""
    data = np.frombuffer((text * 100_000).encode(), np.uint8)
    room, start, seen, calls = make_room(2048, N), 0, 0, 0
    while start < data.size:
        start, seen, _ = hash_shingles(data, start, data.size, N, seen, room)
        calls += 1
    assert seen == {"\u0431": 1, "\ufdfa": 400_000}.get(text, 100_000)
    assert calls <= 1 + 2 * data.size / 4096 + seen / 2048
