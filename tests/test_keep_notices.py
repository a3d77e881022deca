"""Lines with a notice that the main text has lost are appended to it, and nothing is ever taken away."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.measure.readers import keep_notices as module
from transforms.measure.readers.keep_notices import keep_notices, may_hold_notice

NOTICES = [
    "© 2020 Foo",
    "Copyright 1999-2004, 2007 by Foo, Inc.",
    "COPYRIGHT FOO",
    "Copr. 1950 Foo",
    "(C) 2001 Foo Bar",
    "Foo (c) Bar, 1998",
    "℗ 2010 Records",
    "All Rights Reserved.",
    "Alle Rechte vorbehalten.",
    "ALLE RECHTE VORBEHALTEN",
    "Tous droits réservés.",
    "Tüm hakları saklıdır",
    "Все права защищены",
    "ВСЕ ПРАВА ЗАЩИЩЕНЫ",
    "版权所有：某某",
    "無断転載を禁じます",
    "ISBN 978-0-306-40615-7",
    "eISSN: 0317-8471",
    "https://doi.org/10.1000/182",
    "DOI: 10.1000/182",
    "arXiv:2101.00001",
    "This work is licensed under a Creative Commons Attribution 4.0 licence",
    "Text is CC BY-SA 4.0",
    "Released into the public domain",
    "GNU Free Documentation License 1.3",
    "MIT License",
]
PLAIN = ["Menu", "Home Contact Imprint", "(c) the third item", "Copy", "right", "Terms of use", "10.5 px", "2020"]


def squeezed(text: str) -> str:
    """The text without differences of white space."""
    return " ".join(text.split())


@pytest.mark.parametrize("notice", NOTICES)
def test_lost_notice_is_appended(notice: str) -> None:
    """After a blank line, once, and alone of all the lines that were lost."""
    assert keep_notices("Story", f"Menu\nStory\n{notice}\nfooter\n{notice}") == f"Story\n\n{notice}"
    assert keep_notices("", f"Menu\n  • {notice}\t\n") == f"• {notice}"


@pytest.mark.parametrize("line", PLAIN)
def test_line_without_notice_stays_out(line: str) -> None:
    """What main-content extraction left out for a reason does not come back."""
    assert keep_notices("Story", f"{line}\nStory\n{line}") == "Story"


@pytest.mark.parametrize(
    ("main", "whole"),
    [
        ("© 2020 Foo", "Menu\n© 2020 Foo"),
        ("By © 2020\nFoo, all", "©  2020 \u00a0Foo,"),
        ("Story\n\n  • © 2020 Foo", "• © 2020 Foo"),
        ("a © 2020\tFoo b", "© 2020 Foo"),
        ("©\n2020 Foo", "©\n\n2020 Foo"),
    ],
)
def test_notice_that_stands_in_the_main_text_is_not_repeated(main: str, whole: str) -> None:
    """White space and line breaks make no difference."""
    assert keep_notices(main, whole) == main


def test_part_of_a_word_is_not_the_notice() -> None:
    """`© 2020 Foo` does not stand in `© 2020 Foobar`."""
    assert keep_notices("© 2020 Foobar", "© 2020 Foo") == "© 2020 Foobar\n\n© 2020 Foo"


@pytest.mark.parametrize(
    ("whole", "appended"),
    [
        ("Copyright © 2001\nFoo Bar\nMenu", "Copyright © 2001\nFoo Bar"),
        ("(c)\n2001 Foo\nMenu", "(c)\n2001 Foo"),
        ("ISBN:\n978-0-306-40615-7\nMenu", "ISBN:\n978-0-306-40615-7"),
        ("Licensed under\n\nCC BY 4.0\nMenu", "Licensed under\nCC BY 4.0"),
        ("Released into the public domain\nMenu", "Released into the public domain"),
        ("© 2020 Foo. All rights\nreserved.\nMenu", "© 2020 Foo. All rights\nreserved."),
        ("Creative\nCommons 4.0\nMenu", "Creative\nCommons 4.0"),
        ("© 2020 Foo\nMenu", "© 2020 Foo"),
        ("Menu\n©", "©"),
        ("©\n©\nMenu", "©\n©"),
    ],
)
def test_notice_over_a_line_break_is_appended_whole(whole: str, appended: str) -> None:
    """A line that only opens a notice brings the next one with it, and that is the end of it."""
    assert keep_notices("Story", whole) == f"Story\n\n{appended}"


def test_letter_in_brackets_needs_a_year_beside_it() -> None:
    """Forty bytes away is near, more is not."""
    assert keep_notices("", "(c) Foo " + "x" * 25 + " 2001") != ""
    assert keep_notices("", "(c) Foo " + "x" * 60 + " 2001") == ""


def test_long_line_is_cut_round_the_notice() -> None:
    """To the borders of words, about a thousand bytes, and each notice of the line is in one of the pieces."""
    words = "word " * 1000
    piece = keep_notices("", f"{words}© 2020 Foo. {words}")
    assert "© 2020 Foo." in piece
    assert set(piece.split()) == {"word", "©", "2020", "Foo."}
    assert 900 < len(piece.encode()) <= module.MAX_LINE
    two = keep_notices("Story", f"{words}© 2020 Foo. {words}© 2021 Bar. {words}")
    assert [line.count("©") for line in two.split("\n")] == [0, 0, 1, 1]


def test_long_line_without_blanks_is_cut_at_whole_characters() -> None:
    """Chinese has no borders of words, and half a character is none."""
    piece = keep_notices("", "公" * 1000 + "© 2020 某" + "司" * 1000)
    assert "© 2020 某司" in piece
    assert set(piece) == set("公© 2020 某司")


def test_comparisons_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When so much was searched lines are appended without a search; whole lines are still known."""
    main = "see © 1 a and © 2 b\n© 3 c"
    whole = "© 1 a\n© 2 b\n© 3 c"
    assert keep_notices(main, whole) == main
    monkeypatch.setattr(module, "MAX_COMPARED", len(squeezed(main)) + 2)
    assert keep_notices(main, whole) == f"{main}\n\n© 2 b"


lines = st.sampled_from(NOTICES + PLAIN) | st.text("a© \t\u00a0é公(c)2001", max_size=12).filter(lambda t: "\n" not in t)


@settings(deadline=None, max_examples=300)
@given(st.lists(lines, max_size=8), st.lists(lines, max_size=8), st.sampled_from(["\n", "\n\n", " \n"]))
@example(main=["© 2020 Foo"], whole=["© 2020 Foo"], between="\n")
def test_every_notice_is_kept_and_nothing_else_happens(main: list[str], whole: list[str], between: str) -> None:
    """The main text comes first as it was; then lines of the page, in its order, each once; no notice is missing."""
    before, page = "\n".join(main), between.join(whole)
    after = keep_notices(before, page)
    assert after.startswith(before)
    for line in whole:
        if line in NOTICES:
            assert f" {squeezed(line)} " in f" {squeezed(after)} "
    appended = [line for line in after[len(before) :].split("\n") if line]
    rest = iter([squeezed(line) for line in whole])
    assert all(line in rest for line in appended)
    assert keep_notices(after, page) == after


# The quick look


def as_references(text: str) -> str:
    """All characters as references of HTML."""
    return "".join(f"&#{ord(character)};" for character in text)


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("at", [0, 1, 3990, 4096, 9000])
def test_quick_look_sees_every_notice(notice: str, at: int) -> None:
    """As it stands, in references, with tags between its words, in capitals; at borders of what is searched at once."""
    for form in (notice, notice.upper(), as_references(notice), notice.replace("©", "&copy;")):
        assert may_hold_notice("x" * at + f"<p>{form}</p>" + "y" * 5000)
    if not {"MIT", "CC"} & set(notice.split()):  # phrases of short words are looked for as a whole
        assert may_hold_notice("<p>" + notice.replace(" ", "\n  <b>") + "</p>")


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>Story &amp; more&nbsp;&mdash; &#8217;&#039;&ldquo;x&rdquo; &hellip;</p>",
        "<a href='?a=1&b=2&copx=3'>x</a>",
        "<script>function(c){return 17}</script>",
        "<p>(c) the third item</p>",
    ],
)
def test_quick_look_spares_pages_without_a_notice(html: str) -> None:
    """Usual references and code do not look like one."""
    assert not may_hold_notice(html)


@pytest.mark.parametrize(
    "html", ["&eacute;", "&#1042;", "&#x412;", "&#67;opyright", "&copy 2020", "&#169 2020", "&#XA9;"]
)
def test_unusual_references_may_be_anything(html: str) -> None:
    """A page that holds one is read in full."""
    assert may_hold_notice(f"<p>{html}")


@pytest.mark.parametrize(
    "text",
    [
        "©" * 500_000,
        "© " * 200_000,
        "©\n" * 100_000,
        "(c)" * 200_000,
        "x" * 10_000_000 + " © 2020 Foo",
        "\n".join(f"© {number} Foo" for number in range(20_000)),
        "copyright " * 200_000,
    ],
)
def test_hostile_text_takes_time_in_step_with_its_size(text: str) -> None:
    """Neither a million signs, nor one line of ten megabytes, nor a line for every number."""
    start = time.process_time()
    keep_notices("Story © 1 Foo " * 1000, text)
    assert time.process_time() - start < 4
