"""ISBNs, ISSNs and DOIs found slowly: regular expressions over bytes, and plain loops."""

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.rights_findings import Finding

BLANK = b"(?: |\xc2\xa0|\xe2\x80[\x89\xaf])"
HYPHEN = b"(?:-|\xc2\xad|\xe2\x80[\x90-\x94]|\xe2\x88\x92)"
SEPARATOR = b"(?:" + BLANK + b"|" + HYPHEN + b")"
TEN = re.compile(b"[0-9](?:%b?[0-9]){8}%b?[0-9Xx]" % (SEPARATOR, SEPARATOR))
THIRTEEN = re.compile(b"[0-9](?:%b?[0-9]){12}" % SEPARATOR)
EIGHT = re.compile(b"[0-9]{4}%b?[0-9]{3}[0-9Xx]" % SEPARATOR)
RUN = re.compile(b"[0-9](?:%b?[0-9])*" % SEPARATOR)
QUALIFIER = re.compile(b"(?:%b|:){0,3}1[03](?![0-9])" % SEPARATOR)
INSIDE = re.compile(b"[0-9A-Za-z]|[.][0-9]|%b[0-9]" % HYPHEN)
MORE = re.compile(b"%b[0-9]" % BLANK)


def digits_of(number: bytes) -> list[int]:
    bare = re.sub(SEPARATOR, b"", number).decode()
    return [10 if digit in "xX" else int(digit) for digit in bare]


def is_right(digits: list[int]) -> bool:
    if len(digits) == 13:
        weighted = sum(digit * (1, 3)[place % 2] for place, digit in enumerate(digits))
        prefix = digits[:3] == [9, 7, 8] or (digits[:3] == [9, 7, 9] and digits[3] != 0)
        return weighted % 10 == 0 and prefix
    return sum(digit * (len(digits) - place) for place, digit in enumerate(digits)) % 11 == 0


def as_isbn13(digits: list[int]) -> str:
    if len(digits) == 10:
        digits = [9, 7, 8, *digits[:9]]
        digits.append(next(check for check in range(10) if is_right([*digits, check])))
    return "".join(map(str, digits))


def as_issn(digits: list[int]) -> str:
    text = "".join("X" if digit == 10 else str(digit) for digit in digits)
    return f"{text[:4]}-{text[4:]}"


def ends_well(text: bytes, end: int, number: bytes, groups: int) -> bool:
    if INSIDE.match(text, end):
        return False
    parts = re.split(SEPARATOR, number)
    whole = not re.search(BLANK, number) or (len(parts) == groups and len(parts[-1]) == 1)
    return whole or not MORE.match(text, end)


def read_isbn(text: bytes, start: int) -> bytes | None:
    for pattern, groups in ((THIRTEEN, 5), (TEN, 4)):
        match = pattern.match(text, start)
        if match and is_right(digits_of(match[0])) and ends_well(text, match.end(), match[0], groups):
            return match[0]
    return None


def read_issn(text: bytes, start: int, gap: int) -> bytes | None:
    match = EIGHT.match(text, start)
    if not match or not is_right(digits_of(match[0])) or INSIDE.match(text, match.end()):
        return None
    years = match[0][:4], match[0][-4:]
    is_years = all(year.isdigit() for year in years) and 1800 <= int(years[0]) <= int(years[1]) < 2100
    return None if gap > 3 and is_years else match[0]


def labelled(text: bytes, label: bytes) -> Iterator[tuple[int, bytes]]:
    ends = [match.end() for match in re.finditer(label, text, re.IGNORECASE)]
    for end, following in pairwise([*ends, len(text)]):
        qualifier = QUALIFIER.match(text, end)
        at = first = qualifier.end() if qualifier else end
        limit = min(first + 40, following)
        while at < limit:
            if text[at : at + 1] == b"\n" and any(byte > 0x20 and byte != 0x3A for byte in text[first:at]):
                break
            if not text[at : at + 1].isdigit():
                at += 1
                continue
            word = at > first and re.match(b"[0-9A-Za-z]", text[at - 1 : at])
            read = read_isbn(text, at) if label == b"isbn" else read_issn(text, at, at - first)
            if read is None or word:
                run = RUN.match(text, at)
                at = run.end() if run else at
            else:
                yield at, read
                at += len(read)
                limit = min(at + 40, following)


def slow_isbns(raw: bytes) -> list[Finding]:
    found = dict(labelled(raw, b"isbn"))
    for match in re.finditer(b"(?=97[89])", raw):
        at = match.start()
        number = read_isbn(raw, at)
        before = re.search(rb"[0-9A-Za-z]\Z|[0-9][-.]\Z", raw[max(at - 2, 0) : at])
        if number is None or before:
            continue
        lengths = [len(part) for part in re.split(SEPARATOR, number)]
        if sum(lengths) == 13 and (lengths in ([13], [3, 10]) or (len(lengths) == 5 and lengths[::4] == [3, 1])):
            found[at] = number
    listed: list[Finding] = []
    for start in sorted(found):
        if not listed or start >= listed[-1][2]:
            listed.append((as_isbn13(digits_of(found[start])), start, start + len(found[start])))
    return listed


def slow_issns(raw: bytes) -> list[Finding]:
    return [(as_issn(digits_of(read)), at, at + len(read)) for at, read in labelled(raw, b"issn")]


PREFIX = re.compile(rb"10\.[1-9][0-9]{3,8}(?![0-9])(?:\.[0-9]+)*(?=/|%2f)(?:/|%2f)", re.IGNORECASE)
PIECE = re.compile(rb"%[0-7][0-9a-f]|.", re.IGNORECASE | re.DOTALL)
BRACKET = {b"<": b">", b"[": b"]"}
TAIL = re.compile(
    rb"(?:(?:v[0-9]+)?[.]full|[.](?:pdf|html?|xml|epub)|/(?:full|fulltext|abstract|e?pdf|html|meta))+", re.IGNORECASE
)


def pieces(raw: bytes, at: int) -> list[tuple[bytes, int]]:
    """The characters from `at` on, decoded, each with its end."""
    found = [(match[0], match.end()) for match in PIECE.finditer(raw, at)]
    return [(bytes([int(piece[1:], 16)]) if len(piece) == 3 else piece, end) for piece, end in found]


def suffix_end(raw: bytes, at: int) -> int:
    text = pieces(raw, at)
    opened: list[int] = []
    number, end, sici = 0, at, False
    while number < len(text):
        character, after = text[number]
        if character in BRACKET:
            close = BRACKET[character]
            inner = b"".join(piece for piece, _ in text[number + 1 :]).partition(close)[0]
            last = number + 1 + len(inner)
            whole = last < len(text) and text[last][1] <= end + 60 and b":" in inner
            if not whole or not re.fullmatch(rb"[0-9A-Za-z:.+_*-]*", inner) or not raw[text[last][1] :][:1].isdigit():
                break
            number, after, sici = last, text[last][1], True
        elif character == b"(":
            opened.append(end)
        elif character == b")":
            if not opened:
                break
            opened.pop()
        elif not re.match(rb"[-0-9A-Za-z._;/:]" if not sici else rb"[-0-9A-Za-z._;/:#@+]", character):
            break
        number, end = number + 1, after
        if end - at >= 300:
            return at
    return opened[0] if opened else end


def slow_dois(raw: bytes) -> list[Finding]:
    found: list[Finding] = []
    for match in PREFIX.finditer(raw):
        start, suffix = match.start(), match.end()
        before = raw[max(0, start - 12) : start]
        if re.search(rb"[0-9][.]\Z|[0-9A-Za-z]\Z", before) and not re.search(rb"(?:doi|%2f|%3a|%3d)\Z", before, re.I):
            continue
        if found and start < found[-1][2]:
            continue
        end = suffix + len(raw[suffix : suffix_end(raw, suffix)].rstrip(b".;:/-"))
        body = raw[suffix:end]
        named = b"doi" in before.lower()
        if not body or not (named or re.search(rb"[A-Za-z]", body) or len(body) >= 6):
            continue
        cuts = [at for at in range(suffix + 1, end) if TAIL.fullmatch(raw, at, end)]
        end = cuts[0] if cuts else end
        value = b"".join(piece for piece, _ in pieces(raw[:end], start)).lower()
        found.append((value.decode(), start, end))
    return found
