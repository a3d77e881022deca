"""Statements that all rights are reserved, by language."""

from typing import Final, NamedTuple


class Phrases(NamedTuple):
    """How one language says it."""

    openings: tuple[str, ...]
    """What its phrases begin with, in lower case."""
    words: str
    """The phrases, as a regular expression of RE2 in which a blank stands for any white space, in lower case."""


PHRASES: Final = {
    "en": Phrases(
        ("all rights", "no part of th"),
        "all rights (?:are |is )?(?:strictly |hereby )?reserved"
        "|no part of th(?:is|e)[a-z\\s]{2,60} may be (?:reproduced|copied|stored|transmitted|used|reprinted)",
    ),
    "fr": Phrases(("tous droits", "tous les droits"), "tous (?:les )?droits (?:de [^.\n]{3,60} )?(?:sont )?réservés"),
    "de": Phrases(("alle rechte",), "alle rechte (?:sind )?(?:vorbehalten|reserviert)"),
    "es": Phrases(("todos los derechos",), "todos los derechos (?:est[aá]n )?reservados"),
    "pt": Phrases(("todos os direitos",), "todos os direitos (?:est[aã]o |s[aã]o )?reservados"),
    "it": Phrases(("tutti i diritti",), "tutti i diritti (?:sono )?riservati"),
    "nl": Phrases(("alle rechten",), "alle rechten (?:zijn )?voorbehouden"),
    "ca": Phrases(("tots els drets",), "tots els drets (?:estan )?reservats"),
    "pl": Phrases(("wszelkie prawa", "wszystkie prawa"), "(?:wszelkie|wszystkie) prawa zastrze[zż]one"),
    "ru": Phrases(("все права",), "все права (?:за[шщ]ищены|сохранены|охраняются|зарезервированы)"),
    "uk": Phrases(("усі права", "всі права"), "[ув]сі права (?:захищен|застережен|збережен)[оі]"),
    "bg": Phrases(("всички права",), "всички права (?:са )?запазени"),
    "cs": Phrases(("všechna práva", "veškerá práva"), "(?:všechna|veškerá) práva vyhrazena"),
    "sk": Phrases(("všetky práva",), "všetky práva (?:sú )?vyhradené"),
    "hr": Phrases(("sva prava",), "sva prava (?:su )?(?:pridržana|zadržana)"),
    "sl": Phrases(("vse pravice",), "vse pravice (?:so )?pridržane"),
    "sv": Phrases(("alla rättigheter",), "alla rättigheter (?:är )?(?:förbehåll(?:na|es)|reserverade)"),
    "da": Phrases(("alle rettigheder",), "alle rettigheder (?:er )?(?:forbeholdes|forbeholdt)"),
    "no": Phrases(("alle rettigheter",), "alle rettigheter (?:er )?(?:reservert|forbeholdt|forbeholdes)"),
    "fi": Phrases(("kaikki oikeudet",), "kaikki oikeudet pidätetään"),
    "et": Phrases(("kõik õigused",), "kõik õigused (?:on )?(?:kaitstud|reserveeritud)"),
    "lv": Phrases(("visas tiesības",), "visas tiesības (?:ir )?(?:aizsargātas|rezervētas)"),
    "lt": Phrases(("visos teisės",), "visos teisės (?:yra )?saugomos"),
    "hu": Phrases(("minden jog",), "minden jog fenntartva"),
    "ro": Phrases(("toate drepturile",), "toate drepturile (?:sunt )?rezervate"),
    "tr": Phrases(("tüm haklar", "her hakkı"), "(?:tüm haklar[ıi]?|her hakk[ıi]) (?:sakl[ıi]d[ıi]r|mahfuzdur)"),
    "el": Phrases(
        ("επιφύλαξη", "επιφυλαξη"), "επιφ[υύ]λαξη (?:παντ[οό]ς|κ[αά]θε)(?: ν[οό]μιμου)? δικαι[ωώ]ματος"
    ),  # capitals have no accents
    "id": Phrases(("hak cipta dilindungi",), "hak cipta dilindungi(?: undang-undang)?"),
    "vi": Phrases(("bảo lưu mọi quyền", "mọi quyền được bảo lưu"), "bảo lưu mọi quyền|mọi quyền được bảo lưu"),
    "he": Phrases(("כל הזכויות",), "כל הזכויות שמורות"),
    "ar": Phrases(("جميع الحقوق", "كل الحقوق", "كافة الحقوق"), "(?:جميع|كل|كافة) الحقوق محفوظة"),
    "fa": Phrases(("تمامی حقوق", "کلیه حقوق", "تمام حقوق"), "(?:تمامی|کلیه|تمام) حقوق [^.]{0,60}محفوظ"),
    "hi": Phrases(("सर्वाधिकार",), "सर्वाधिकार सुरक्षित"),
    "th": Phrases(("สงวนลิขสิทธิ์",), "สงวนลิขสิทธิ์"),
    "ja": Phrases(
        ("禁無断転載", "無断転載", "無断複写", "無断複製", "著作権所有", "不許複製"),
        "(?:禁無断転載|無断(?:転載|複写|複製)|著作権所有|不許複製)",
    ),
    "ko": Phrases(
        ("무단", "모든 권리", "판권소유", "판권 소유"),
        "무단(?: )?(?:전재|복제|도용)|모든 권리(?:를)?(?: )?보유|판권(?: )?소유",
    ),
    "zh": Phrases(
        ("版权所有", "版權所有", "保留所有", "保留一切", "翻印必究", "著作權所有"),
        "版[权權]所有|保留(?:所有|一切)[权權]利|翻印必究|著作權所有",
    ),
}
"""By language tag (BCP 47)."""
