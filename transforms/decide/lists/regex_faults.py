"""Say why a regular expression cannot be searched for in URLs.

>>> regex_fault(r"\\.(?:torrent|nzb)$"), regex_fault(r"a(?=b)")
(None, 'invalid perl operator: (?=')
"""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_NOTHING: Final = pa.array([""])
_SCHEMES: Final = pa.array(["http://", "https://"])


def regex_fault(regex: str) -> str | None:
    """Why RE2 cannot use a regular expression, or why it would be wrong to; None if all is well.

    RE2 searches in a time that grows with the length of the text alone, whatever the expression, and so it knows no
    look-ahead, look-behind and back references, and refuses expressions that become too large a program. One that is
    found in the bare scheme of http and of https alike is found in every URL: that is a mistake, not a list.
    """
    if fault := syntax_fault(regex):
        return fault
    return "it matches every URL" if pc.all(pc.match_substring_regex(_SCHEMES, regex)).as_py() else None


def syntax_fault(regex: str) -> str | None:
    """Why RE2 cannot use a regular expression, whatever it is for."""
    try:
        for form in (regex, f"(?:{regex})"):  # alone, and as it stands in an alternation: `a\\Q` is right only alone
            pc.match_substring_regex(_NOTHING, form)
    except pa.ArrowInvalid as error:
        return str(error).partition(": ")[2]
    return None
