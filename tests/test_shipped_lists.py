"""The lists that come with cleartitle: they are read without a fault, and name nobody who is not meant."""

import re
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from configs.shipped import PREFIX, SHIPPED, shipped_path
from configs.sources import Markers, Publishers
from transforms.decide.lists.index import DomainIndex
from transforms.decide.lists.public_suffixes import is_public_suffix
from transforms.decide.lists.read_list import ListSource, read_lists
from transforms.decide.markers import MarkerLists
from transforms.decide.publishers import PublisherLists

SHADOW = f"{PREFIX}blocklists/shadow_libraries.txt"
PIRATED = Markers(name="pirated", path=f"{PREFIX}markers/pirated_texts.txt", category="pirated_text")
STAMPS = Markers(name="stamps", path=f"{PREFIX}markers/converter_stamps.txt", category="converter_stamp")
TEXTBOOKS = Publishers(name="textbooks", path=f"{PREFIX}publishers/textbooks.txt")

LAWFUL = """
archive.org web.archive.org openlibrary.org scholar.archive.org gutenberg.org gutenberg.net.au fadedpage.com
standardebooks.org hathitrust.org babel.hathitrust.org doabooks.org doaj.org oapen.org openstax.org intechopen.com
arxiv.org biorxiv.org medrxiv.org ssrn.com pubmed.ncbi.nlm.nih.gov europepmc.org core.ac.uk jstor.org plos.org
semanticscholar.org unpaywall.org en.wikisource.org en.wikibooks.org en.wikipedia.org loc.gov europeana.eu
gallica.bnf.fr books.google.com worldcat.org librivox.org manybooks.net feedbooks.com bookboon.com scribd.com
academia.edu researchgate.net scihub.org lib.ru litres.ru elibrary.ru cyberleninka.ru ubu.com monoskop.org goodreads.com
torrentfreak.com springer.com elsevier.com pearson.com mheducation.com cengage.com macmillanlearning.com oreilly.com
it-ebooks.com library.com lib.com b-ok.com.au apple.com wapple.com vk.com t.me github.io rus.ec memoryoftheworld.org
"""


def lines_of(path: str) -> list[str]:
    """Lines of a shipped file."""
    return Path(shipped_path(path)).read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_list_says_what_it_is_and_from_when(name: str) -> None:
    """It begins with a comment that has its date; it is plain UTF-8 without blanks at the ends of lines."""
    text = Path(shipped_path(f"{PREFIX}{name}")).read_bytes().decode("utf-8")
    assert re.match(r"(# .+\n|#\n)*# As of \d{4}-\d\d-\d\d\. ", text)
    assert not re.search(r"\r|[ \t]\n|\n\n\n|\n\n\Z", text)
    assert text.endswith("\n")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_group_of_a_shipped_list_says_what_it_is(name: str) -> None:
    """Groups stand apart by an empty line and begin with a comment; entries and comments do not mix."""
    groups = Path(shipped_path(f"{PREFIX}{name}")).read_text("utf-8").split("\n\n")[1:]
    for group in groups:
        first, *_, last = lines = group.strip().splitlines()
        assert first.startswith("# "), group
        assert not last.startswith("#"), group
        changes = [a.startswith("#") != b.startswith("#") for a, b in pairwise(lines)]
        assert changes.count(True) == 1, group


# Shadow libraries


def test_shadow_libraries_are_read_clean() -> None:
    """Every line is a domain, a comment or empty; `auto` sees the format too."""
    for form in ("domains", "auto"):
        [listed] = read_lists(ListSource("shadow", shipped_path(SHADOW), form, "piracy"))
        [entries] = listed.blocks
        assert (listed.format, listed.exceptions, listed.notes) == ("domains", (), ())
        assert (len(entries.prefixes), entries.patterns, dict(entries.unsupported)) == (0, (), {})
        assert (entries.ignored, entries.ignored_count) == ((), 0)
        hosts = [line for line in lines_of(SHADOW) if line and not line.startswith("#")]
        assert entries.domains.to_pylist() == hosts
        assert len(hosts) >= 100


def test_shadow_libraries_stand_in_order_without_repeats() -> None:
    """Inside a family by the alphabet, and each host in one family."""
    families: list[list[str]] = [[]]
    for line in lines_of(SHADOW):
        if not line:
            families.append([])
        elif not line.startswith("#"):
            families[-1].append(line)
    assert families == [sorted(family) for family in families]
    hosts = [host for family in families for host in family]
    assert len(hosts) == len(set(hosts))


def test_no_shadow_library_is_a_public_suffix() -> None:
    """Such an entry would cover one host alone, or everybody."""
    hosts = pa.array([line for line in lines_of(SHADOW) if line and not line.startswith("#")], pa.large_string())
    assert not is_public_suffix(hosts).any()


def test_no_lawful_site_is_a_shadow_library() -> None:
    """Libraries, archives, publishers, news of piracy and names that are merely alike are not covered."""
    [listed] = read_lists(ListSource("shadow", shipped_path(SHADOW), "domains", "piracy"))
    index = DomainIndex.build(listed.blocks[0].domains, listed.blocks[0].domain_lines)
    hosts = LAWFUL.split()
    covered = index.match(pa.array(hosts, pa.large_string())) >= 0
    assert [host for host, is_covered in zip(hosts, covered, strict=True) if is_covered] == []


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("libgen.is", "libgen.is"),
        ("www.libgen.rs", "libgen.rs"),
        ("gen.lib.rus.ec", "gen.lib.rus.ec"),
        ("lib.rus.ec", "lib.rus.ec"),
        ("sci-hub.se", "sci-hub.se"),
        ("de.annas-archive.org", "annas-archive.org"),
        ("ru.z-lib.org", "z-lib.org"),
        ("singlelogin.re", "singlelogin.re"),
        ("oceanofpdf.com", "oceanofpdf.com"),
    ],
)
def test_known_shadow_library_is_covered(host: str, entry: str) -> None:
    """With the subdomains that mirrors and languages have."""
    [listed] = read_lists(ListSource("shadow", shipped_path(SHADOW), "domains", "piracy"))
    index = DomainIndex.build(listed.blocks[0].domains, listed.blocks[0].domain_lines)
    assert index.written(index.match(pa.array([host]))).to_pylist() == [entry]


# Markers


def matches(listed: Markers, text: str) -> list[str]:
    """Phrases of a shipped list in a text."""
    found: list[str] = MarkerLists.read([listed]).search(pa.array([text]))["matched"].to_pylist()
    return found


@pytest.mark.parametrize("listed", [PIRATED, STAMPS], ids=["pirated", "stamps"])
def test_every_marker_is_found_as_a_line_of_its_own(listed: Markers) -> None:
    """Also in capitals, and with other white space; none stands twice."""
    phrases = [line for line in lines_of(listed.path) if line and not line.startswith("#")]
    assert len({phrase.lower() for phrase in phrases}) == len(phrases) >= 10
    for phrase in phrases:
        shouted = "".join(c.upper() if c.isascii() else c for c in phrase).replace(" ", "\n\t")
        assert phrase in matches(listed, f"The end.\n{shouted}\nNext")


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("THE END\n\nOceanofPDF.com\n\nCHAPTER TWO", ["OceanofPDF.com"]),
        ("Calculus (Spivak) (z-lib.org).pdf", ["(z-lib.org)"]),
        ("downloaded  from library\ngenesis.", ["Downloaded from Library Genesis"]),
        ("This eBook was uploaded to www.ebookee.org by", ["this ebook was uploaded to"]),
        ("z-library.se   singlelogin.re\tgo-to-zlibrary.se", ["z-library.se singlelogin.re go-to-zlibrary.se"]),
        ("本书资料来自网络，请在下载后24小时内删除。", ["请在下载后24小时内删除"]),
    ],
)
def test_pirated_copy_is_told_by_its_stamp(text: str, phrases: list[str]) -> None:
    """As such files have them."""
    assert matches(PIRATED, text) == phrases


@pytest.mark.parametrize(
    "text",
    [
        "Library Genesis, or LibGen, is a shadow library; in 2024 a court in New York ordered libgen.rs to pay.",
        "Sci-Hub was founded in 2011. Z-Library (formerly BookFinder), at z-lib.org, is another; see Anna's Archive.",
        "Downloaded from www.cambridge.org/core. University of Oxford, on 3 May 2019, subject to the terms of use.",
        "This ebook was downloaded from Project Gutenberg. Scanned and proofed by volunteers.",
        "Downloaded from https://academic.oup.com/article by guest on 22 November 2026. For personal use only.",
        "Produced by the Online Distributed Proofreading Team at https://www.pgdp.net",
        "OceanofPDF.community",
        "",
    ],
)
def test_lawful_text_has_no_stamp(text: str) -> None:
    """News about shadow libraries, and the lines that publishers and lawful libraries add."""
    assert (matches(PIRATED, text), matches(STAMPS, text)) == ([], [])


def test_converter_stamp_is_no_sign_of_piracy() -> None:
    """The two lists are apart, so that a policy can tell them apart."""
    text = "Generated by ABC Amber LIT Converter, http://www.processtext.com/abclit.html"
    assert matches(STAMPS, text) == ["ABC Amber LIT Converter", "processtext.com/abclit.html"]
    assert matches(PIRATED, text) == []


# Publishers


def prefixes() -> dict[str, str]:
    """Publishers by prefix, as written."""
    entries = (line.split("\t") for line in lines_of(TEXTBOOKS.path) if line and not line.startswith("#"))
    return dict(entries)


REGISTRANTS = {
    # Lengths of registrant numbers by their leading digits, after the ranges of the International ISBN Agency.
    "978-0": [("00", "19", 2), ("200", "699", 3), ("7000", "8499", 4), ("85000", "89999", 5), ("900000", "949999", 6)],
    "978-1": [("01", "02", 2), ("100", "397", 3), ("4000", "5499", 4), ("55000", "86979", 5), ("869800", "998999", 6)],
    "978-81": [("00", "18", 2), ("200", "699", 3), ("7000", "8499", 4), ("85000", "89999", 5)],
    "978-93": [("00", "09", 2), ("100", "499", 3), ("5000", "7999", 4), ("80000", "95999", 5)],
}


def test_every_prefix_of_a_publisher_is_well_formed() -> None:
    """Group and registrant have the lengths that the ranges of the group allow, and each prefix stands once."""
    written = [line.split("\t")[0] for line in lines_of(TEXTBOOKS.path) if line and not line.startswith("#")]
    assert len(written) == len(set(written)) == len(prefixes()) >= 80
    for prefix in written:
        group, _, registrant = prefix.rpartition("-")
        fits = [len(registrant) == length and low <= registrant <= high for low, high, length in REGISTRANTS[group]]
        assert any(fits), prefix


def test_no_prefix_of_a_publisher_begins_another() -> None:
    """So no number belongs to two, and the order of lines means nothing."""
    digits = sorted(prefix.replace("-", "") for prefix in prefixes())
    assert [pair for pair in pairwise(digits) if pair[1].startswith(pair[0])] == []


def test_publishers_are_the_four_that_are_meant() -> None:
    """The name of the house comes first, an imprint in parentheses."""
    houses = {re.fullmatch(r"([^()]+?)(?: \(.+\))?", name)[1] for name in prefixes().values()}  # type: ignore[index]
    assert houses == {"Pearson", "McGraw Hill", "Cengage", "Macmillan Learning"}


@pytest.mark.parametrize(
    ("isbn", "publisher"),
    [
        ("9780131103627", "Pearson (Prentice Hall)"),
        ("9780201896831", "Pearson (Addison-Wesley)"),
        ("9780070542358", "McGraw Hill"),
        ("9781285741550", "Cengage"),
        ("9780716743392", "Macmillan Learning (W. H. Freeman)"),
        ("9780262033848", None),
        ("9783161484100", None),
    ],
)
def test_isbn_is_that_of_its_publisher(isbn: str, publisher: str | None) -> None:
    """Kernighan and Ritchie, Knuth, Rudin, Stewart, Lehninger; and two of other houses."""
    assert PublisherLists.read([TEXTBOOKS]).lists[0].match(pa.array([isbn])).publisher.to_pylist() == [publisher]
