"""Statements that all rights are reserved, in many languages."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rights_data import rights, view
from transforms.measure.rights.reserved import RESERVED
from transforms.measure.rights.reserved_words import PHRASES
from transforms.measure.rights.triggers import find_triggers

EXAMPLES = {
    "en": ["All rights reserved", "No part of this book may be reproduced"],
    "fr": ["Tous droits réservés", "Tous droits de reproduction réservés"],
    "de": ["Alle Rechte vorbehalten"],
    "es": ["Todos los derechos reservados", "Todos los derechos están reservados"],
    "pt": ["Todos os direitos reservados"],
    "it": ["Tutti i diritti sono riservati"],
    "nl": ["Alle rechten voorbehouden"],
    "ca": ["Tots els drets reservats"],
    "pl": ["Wszelkie prawa zastrzeżone"],
    "ru": ["Все права защищены"],
    "uk": ["Усі права захищено", "Всі права застережені"],
    "bg": ["Всички права запазени"],
    "cs": ["Všechna práva vyhrazena"],
    "sk": ["Všetky práva vyhradené"],
    "hr": ["Sva prava pridržana"],
    "sl": ["Vse pravice pridržane"],
    "sv": ["Alla rättigheter förbehållna"],
    "da": ["Alle rettigheder forbeholdes"],
    "no": ["Alle rettigheter reservert"],
    "fi": ["Kaikki oikeudet pidätetään"],
    "et": ["Kõik õigused kaitstud"],
    "lv": ["Visas tiesības aizsargātas"],
    "lt": ["Visos teisės saugomos"],
    "hu": ["Minden jog fenntartva"],
    "ro": ["Toate drepturile rezervate"],
    "tr": ["Tüm hakları saklıdır", "Her hakkı saklıdır"],
    "el": ["επιφύλαξη παντός δικαιώματος"],
    "id": ["Hak cipta dilindungi undang-undang"],
    "vi": ["Bảo lưu mọi quyền"],
    "he": ["כל הזכויות שמורות"],
    "ar": ["جميع الحقوق محفوظة"],
    "fa": ["تمامی حقوق این سایت محفوظ"],
    "hi": ["सर्वाधिकार सुरक्षित"],
    "th": ["สงวนลิขสิทธิ์"],
    "ja": ["無断転載", "禁無断転載", "無断複写", "著作権所有"],
    "ko": ["무단전재", "무단 전재", "모든 권리 보유"],
    "zh": ["版权所有", "保留所有权利", "翻印必究", "著作權所有"],
}


def reserved(text: str) -> list[tuple[str, str]]:
    """Language and bytes of what is found."""
    raw = text.encode()
    return [(f["value"], raw[f["start"] : f["end"]].decode()) for f in rights(text)["rights_reserved"][0]]


def test_every_language_has_an_example() -> None:
    """The examples below leave none out."""
    assert list(EXAMPLES) == list(PHRASES)


@pytest.mark.parametrize(("language", "phrase"), [(lang, phrase) for lang, all_ in EXAMPLES.items() for phrase in all_])
def test_phrase_is_found_as_it_is_written(language: str, phrase: str) -> None:
    """In a sentence, in lower case and in capitals, and over the end of a line."""
    assert reserved(f"© 2019 Foo. {phrase}. Foo") == [(language, phrase)]
    assert reserved(phrase.lower()) == [(language, phrase.lower())]
    broken = phrase.replace(" ", "\n")
    assert reserved(broken) == [(language, broken)]


@pytest.mark.parametrize(
    "phrase",
    [
        "ALL RIGHTS RESERVED",
        "TOUS DROITS RÉSERVÉS",
        "ВСЕ ПРАВА ЗАЩИЩЕНЫ",
        "VŠECHNA PRÁVA VYHRAZENA",
        "TÜM HAKLARI SAKLIDIR",
    ],
)
def test_phrase_in_capitals_is_found(phrase: str) -> None:
    """Beyond ASCII too."""
    assert [words for _, words in reserved(phrase)] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "all rights",
        "Some rights reserved",
        "all rights of the reserved party",
        "small rights reserved",
        "alle rechten",
        "",
    ],
)
def test_what_reserves_nothing_is_not_found(text: str) -> None:
    """Parts of phrases, ends of words, and reservations of some rights."""
    assert reserved(text) == []


def test_several_phrases_are_found_in_their_order() -> None:
    """Each with its language; a phrase inside another is not counted again."""
    text = "禁無断転載 All rights reserved / Alle Rechte vorbehalten / alle rechten voorbehouden"
    assert [language for language, _ in reserved(text)] == ["ja", "en", "de", "nl"]


ALL_PARTS = [word for phrases in EXAMPLES.values() for phrase in phrases for word in phrase.split(" ")]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(ALL_PARTS), st.text("aA.é", max_size=3)), max_size=12).map(" ".join))
def test_phrases_are_those_that_a_search_of_the_text_finds(text: str) -> None:
    """With Python's `re` over the whole text; white space in an opening is one blank or one line break."""
    expected = [
        (match.start(), language, match[0])
        for language, phrases in PHRASES.items()
        for match in re.finditer(rf"(?<![A-Za-z])(?:{phrases.words})".replace(" ", r"[ \n]"), text, re.IGNORECASE)
    ]
    assert sorted(reserved(text)) == sorted((language, words) for _, language, words in expected)


def test_openings_begin_what_the_phrases_match() -> None:
    """An opening that begins none would be searched for in vain."""
    for language, phrases in PHRASES.items():
        found = {
            opening for opening in phrases.openings for text in EXAMPLES[language] if text.lower().startswith(opening)
        }
        assert found, language
        assert all(opening == opening.lower() for opening in phrases.openings)


def test_hits_without_a_phrase_find_nothing() -> None:
    """`all rights` alone is a hit, and no statement."""
    texts = view("all rights", "alle rechte")
    found = RESERVED.find(texts, find_triggers(texts, {"": RESERVED.triggers})[""])
    assert (found.rows.size, len(found.values)) == (0, 0)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No part\nof this publication may be reproduced", "en"),
        ("No part of\nthis book may be reproduced", "en"),
        ("Todos los\nderechos reservados", "es"),
        ("Все Права Защищены", "ru"),
        ("TÜM HAKLARI SAKLIDIR", "tr"),
        ("ΜΕ ΕΠΙΦΥΛΑΞΗ ΠΑΝΤΟΣ ΔΙΚΑΙΩΜΑΤΟΣ", "el"),
    ],
)
def test_phrase_is_found_in_capitals_and_broken_at_any_blank(text: str, language: str) -> None:
    """Lines are broken where they are full, and titles are set in capitals of every kind."""
    assert [found["value"] for found in rights(text)["rights_reserved"][0]] == [language]
