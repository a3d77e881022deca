"""Detecting formats: from the first lines, and only where they leave no doubt."""

import codecs
import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.list_reading import BLOCKLISTS
from transforms.decide.lists.detect_format import SAMPLE_BYTES, detect_format, first_lines
from transforms.decide.lists.stored import ListError


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("0.0.0.0 a.example\n", "hosts"),
        ("127.0.0.1 localhost\n::1 localhost\n127.0.0.1 a.example\n0.0.0.0 b.example\n0.0.0.0 c.example\n", "hosts"),
        ("## Section ##\n0.0.0.0 a.example ## note\n", "hosts"),
        ("! Title\n0.0.0.0 a.example\n0.0.0.0 b.example\n", "hosts"),
        ("server=/a.example/\naddress=/b.example/0.0.0.0\n", "dnsmasq"),
        ("domain-needed\naddress=/a.example/0.0.0.0\nlocal=/b.example/\n", "dnsmasq"),
        ("a.example\nb.example\n", "domains"),
        ("a.example", "domains"),
        ("192.0.2.1\n2001:db8::1\n", "domains"),
        ("full:a.example\nregexp:^b\\d$\nc.example @ads\n", "domains"),
        ("*.a.example\n.b.example\n", "domains"),
        ("# ||a.example^ in a comment\na.example\n", "domains"),
        ("a.example\nb.example/x\n", "url_prefixes"),
        ("https://a.example/\nhttps://b.example/x?y\n", "url_prefixes"),
        ("192.0.2.1/x\n", "url_prefixes"),
        ("||a.example^\n", "adblock"),
        ("[Adblock Plus 2.0]\na.example\n", "adblock"),
        ("! Title: hosts\na.example\nb.example\n", "adblock"),
        ("a.example\n@@||b.example^\n", "adblock"),
        ("a.example##.ad\n", "adblock"),
        ("a.example#@#.ad\n", "adblock"),
        ("^https?://a\\.example/\n\\.torrent$\n", "regex"),
        ("(crack|serial)z?\n", "regex"),
        ("\ufeffa.example\r\nb.example\r\n", "domains"),
    ],
)
def test_format_is_that_which_reads_the_lines(text: str, format_: str) -> None:
    """Comments with `#` aside."""
    assert detect_format(text.encode()) == format_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# a comment\n",
        "<html>\n<body>\n",
        "This is a licence\nand no list\n",
        "a.example\nx y\nz\n",
        "com\n",
    ],
)
def test_text_without_a_majority_of_lines_is_in_no_format(text: str) -> None:
    """The user must say what it is."""
    assert detect_format(text.encode()) is None


def test_text_in_utf16_is_read_by_its_byte_order_mark() -> None:
    """The NUL bytes in it are no sign of a binary file then."""
    assert detect_format(codecs.BOM_UTF16_LE + "0.0.0.0 a.example\n".encode("utf-16-le")) == "hosts"
    assert detect_format(codecs.BOM_UTF16_BE + "a.example\n".encode("utf-16-be")) == "domains"


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_archive_is_a_list_of_ut1(format_: int) -> None:
    """Of every kind of tar; what is in it is another matter."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format_) as archive:
        archive.addfile(tarfile.TarInfo("x" * 90 + "ü/domains"))
    assert detect_format(stream.getvalue()) == "ut1"


@pytest.mark.parametrize(
    ("head", "letter"),
    [
        (b"PK\x03\x04\x14\0", "is a zip archive. Unpack it; of packed lists, gzip and .tar.gz are read."),
        (b"BZh91AY&SY", "is a bzip2 file. Unpack it; of packed lists, gzip and .tar.gz are read."),
        (b"\xfd7zXZ\0", "is a xz file. Unpack it; of packed lists, gzip and .tar.gz are read."),
        (b"\x28\xb5\x2f\xfd$", "is a zstd file. Unpack it; of packed lists, gzip and .tar.gz are read."),
        (b"7z\xbc\xaf'", "is a 7z archive. Unpack it; of packed lists, gzip and .tar.gz are read."),
        (
            gzip.compress(b"a.example"),
            "is a gzip file inside of a gzip file. Unpack it; of packed lists, gzip and .tar.gz are read.",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file, and no list."),
        (b"a.example\n\0\n", "is a binary file, and no list."),
        ("a.example\n".encode("utf-16-le"), "is a binary file, and no list."),
    ],
    ids=["zip", "bzip2", "xz", "zstd", "7z", "gzip in gzip", "png", "nul", "utf16 without mark"],
)
def test_file_that_is_no_text_is_refused_by_name(head: bytes, letter: str) -> None:
    """What it is, where the first bytes tell."""
    with pytest.raises(ListError) as caught:
        detect_format(head)
    assert str(caught.value) == letter


def test_line_cut_by_the_end_of_the_sample_does_not_count() -> None:
    """Of a whole file the last line counts, with a line end or without."""
    text = b"a.example\n" * (SAMPLE_BYTES // 10) + b"cut by"
    assert first_lines(text)[-1] == (1000, "a.example")
    head = b"#" * (SAMPLE_BYTES - 19) + b"\na.example\nb.exampl"
    assert len(head) == SAMPLE_BYTES
    assert first_lines(head) == [(2, "a.example")]
    assert first_lines(b"\n # x\na.example\nb.exampl") == [(3, "a.example"), (4, "b.exampl")]


def test_one_endless_line_is_in_no_format() -> None:
    """It is looked at no further than the sample."""
    assert detect_format(b"a.example," * (SAMPLE_BYTES // 10)) is None


@given(st.binary(max_size=200).map(lambda head: b"\n" + head.replace(b"\0", b"")))
def test_any_bytes_without_nul_have_a_format_or_none(head: bytes) -> None:
    """Never an error of another kind."""
    assert detect_format(head) in (None, "hosts", "dnsmasq", "domains", "url_prefixes", "adblock", "regex")


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "format_"),
    [
        ("adblock/ublock_badware.txt", "adblock"),
        ("adblock/urlhaus_online.txt", "adblock"),
        ("blocklistproject/adguard_scam-ags.txt", "adblock"),
        ("blocklistproject/alt-version_scam-nl.txt", "domains"),
        ("blocklistproject/dnsmasq-version_scam-dnsmasq.txt", "dnsmasq"),
        ("blocklistproject/scam.txt", "hosts"),
        ("blocklistproject/LICENSE", None),
        ("v2fly/LICENSE", None),
        ("v2fly/annas-archive", "domains"),
        ("v2fly/z-library", "domains"),
        ("ut1/warez/domains", "domains"),
        ("ut1/hacking/domains", "domains"),
        ("ut1/hacking/urls", "url_prefixes"),
        ("ut1/phishing/urls", "url_prefixes"),
        ("ut1/warez/usage", None),
    ],
)
def test_format_of_a_real_list_is_detected(path: str, format_: str | None) -> None:
    """And a licence is not taken for one."""
    assert detect_format((BLOCKLISTS / path).read_bytes()[:SAMPLE_BYTES]) == format_
