"""The closed vocabularies of the ledger and of the rejected table, each in one place.

`RULES` are in the order in which decide applies them: the first rule of a row that drops it is its `reason`.
"""

from typing import Final

KEEP: Final = "keep"
QUARANTINED: Final = "quarantine"
DROP: Final = "drop"

DECIDED: Final = {KEEP: "kept", QUARANTINED: "quarantined", DROP: "dropped"}
"""What documents are called, and counted as, by their decision."""

TAKEDOWN: Final = "takedown"
EMPTY_TEXT: Final = "empty_text"
BLOCKLIST: Final = "blocklist"
ALLOWED: Final = "allowed"
PIRATED_MARKER: Final = "pirated_marker"
TDM_RESERVATION: Final = "tdm_reservation"
NOAI: Final = "noai"
NOIMAGEAI: Final = "noimageai"
NOINDEX: Final = "noindex"
COPYRIGHT_NOTICE: Final = "copyright_notice"
RIGHTS_RESERVED: Final = "rights_reserved"
PUBLISHER_ISBN: Final = "publisher_isbn"
ISBN: Final = "isbn"
ISSN: Final = "issn"
DOI: Final = "doi"
ARXIV: Final = "arxiv"
LICENCE: Final = "licence"
UNLICENSED: Final = "unlicensed"
SAME_URL: Final = "same_url"
EXACT_DUPLICATE: Final = "exact_duplicate"
NEAR_DUPLICATE: Final = "near_duplicate"
TAINT: Final = "taint"
OVERLAP: Final = "overlap"
COMPARISON_BOUND: Final = "comparison_bound"

RULES: Final = {
    TAKEDOWN: "It, or what it repeats, was asked to be taken out.",
    EMPTY_TEXT: "The text is null, or empty after normalisation.",
    BLOCKLIST: "The URL stands on a blocklist: its host, a parent domain of it, a prefix, or a pattern.",
    ALLOWED: "An allow list, or an exception of a blocklist, lets the URL in, which beats a blocklist. Never drops.",
    PIRATED_MARKER: "The text holds a phrase that marks pirated copies.",
    TDM_RESERVATION: "The page reserves text and data mining (TDMRep, `tdm-reservation: 1`).",
    NOAI: "The page says `noai`.",
    NOIMAGEAI: "The page says `noimageai`.",
    NOINDEX: "The page says `noindex`.",
    COPYRIGHT_NOTICE: "There is a copyright notice.",
    RIGHTS_RESERVED: "There is a statement that all rights are reserved.",
    PUBLISHER_ISBN: "There is an ISBN of a publisher on a list.",
    ISBN: "There is an ISBN.",
    ISSN: "There is an ISSN.",
    DOI: "There is a DOI.",
    ARXIV: "There is an arXiv identifier.",
    LICENCE: "A licence is named.",
    UNLICENSED: "The sources register gives no basis but `crawl`, and the page declares no licence of "
    "`policy.open_licences`.",
    SAME_URL: "Another document with the same normalised URL survives.",
    EXACT_DUPLICATE: "Another document with the same normalised text survives.",
    NEAR_DUPLICATE: "The similarity to a surviving document reaches `dedup.near.threshold`.",
    TAINT: "The text is that of a blocked document, exactly or nearly.",
    OVERLAP: "An earlier store has a document with its URL or text, or a similar one (`dedup.overlap: report`). "
    "Never drops.",
    COMPARISON_BOUND: "It stays though not all survivors of its cluster were compared with it: there were more than "
    "`dedup.near.most_estimates` or `most_comparisons` allow. Never drops.",
}

POLICY_RULES: Final = (
    PIRATED_MARKER,
    TDM_RESERVATION,
    NOAI,
    NOIMAGEAI,
    NOINDEX,
    COPYRIGHT_NOTICE,
    RIGHTS_RESERVED,
    PUBLISHER_ISBN,
    ISBN,
    ISSN,
    DOI,
    ARXIV,
    LICENCE,
    UNLICENSED,
)
"""Rules on signals; what they do is said under `policy.signals`."""

# What a mark does to its row.
MARK_DROP: Final = "drop"
MARK_QUARANTINE: Final = "quarantine"
MARK_FLAG: Final = "flag"

# rights_basis where the register gives none
CRAWL: Final = "crawl"

# duplicate_kind
URL: Final = "url"
EXACT: Final = "exact"
NEAR: Final = "near"

# method of a mark: how a similarity was measured
JACCARD: Final = "jaccard"
SIGNATURE: Final = "signature"

DUPLICATE_KINDS: Final = {
    URL: "The two share a normalised URL; `similarity` is null, as their texts were not compared.",
    EXACT: "The two share a normalised text; `similarity` is 1.",
    NEAR: "The Jaccard similarity of the two sets of shingles reaches the threshold.",
}

# Why a record could not be read.
UNKNOWN_FORMAT: Final = "unknown_format"
BROKEN_FILE: Final = "broken_file"
TRUNCATED: Final = "truncated"
BROKEN_RECORD: Final = "broken_record"
BROKEN_HTTP: Final = "broken_http"
BROKEN_JSON: Final = "broken_json"
INVALID_UTF8: Final = "invalid_utf8"
WRONG_TYPE: Final = "wrong_type"

REJECTIONS: Final = {
    UNKNOWN_FORMAT: "The file is in no format that is read; the row stands for the whole file.",
    BROKEN_FILE: "The rest of the file cannot be read (damaged compression or structure).",
    TRUNCATED: "The file ends in the middle of a record.",
    BROKEN_RECORD: "A WARC record whose header or length is wrong.",
    BROKEN_HTTP: "A WARC response whose HTTP message cannot be parsed or decoded.",
    BROKEN_JSON: "A line that is not one JSON object.",
    INVALID_UTF8: "Text that is not valid UTF-8 where the format demands it.",
    WRONG_TYPE: "A mapped column holds a value of a type that cannot be used.",
}

# Records that read fine and are no documents; they are counted, by kind.
NOT_DOCUMENTS: Final = {
    "warcinfo": "A WARC record about the file.",
    "request": "What the crawler asked.",
    "metadata": "A WARC record about another one, or what Wget stores about itself.",
    "revisit": "A page that was fetched again and had not changed; its text is in an earlier record.",
    "continuation": "A later segment of a record that was cut in pieces.",
    "segment": "The first segment of such a record, which is not the whole page.",
    "unknown_type": "A WARC record of a type that no standard names.",
    "not_http": "A response of another protocol, such as `dns:` or `ftp:`.",
    "http_status_*": "An HTTP response of that status code instead of 200; `http_status_other` outside of 100 to 599.",
    "media_image": "`image/*`",
    "media_video": "`video/*`",
    "media_audio": "`audio/*`",
    "media_font": "A font.",
    "media_pdf": "`application/pdf`",
    "media_other": "Any other type that is neither HTML nor plain text.",
}
