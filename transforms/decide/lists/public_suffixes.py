"""Find the public suffixes among domains: names under which anybody may register, such as `co.uk` and `github.io`.

>>> is_public_suffix(pa.array(["co.uk", "bbc.co.uk", "github.io", "me.github.io", "com"])).tolist()
[True, False, True, False, True]
"""

import re
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from publicsuffixlist import PSLFILE, encode_idn


def is_public_suffix(domains: pa.Array) -> npt.NDArray[np.bool_]:
    """Which domains are a suffix by the Public Suffix List (publicsuffix.org/list), its private section included.

    bool, shape (domains,). `domains` is large_string, written as in `url_host_name`, without nulls. By the list's own
    rule a name of one label is a suffix, also where the list does not know it; an address is none.
    """
    if not len(domains):  # as most runs without a list have it, which need not read the rules
        return np.empty(0, np.bool_)
    names, regex, exceptions = _rules()
    found = pc.or_(pc.is_in(domains, names), pc.match_substring_regex(domains, regex))
    return np.asarray(pc.and_not(found, pc.is_in(domains, exceptions)))


@cache
def _rules() -> tuple[pa.Array, str, pa.Array]:
    """Names that are suffixes, a regular expression for more of them, and names that it finds and that are none."""
    with open(PSLFILE, encoding="utf-8") as file:
        words = (line.split()[0].lower() for line in file if line.strip() and not line.startswith("//"))
        rules = sorted({encode_idn(word.removeprefix("!")): word for word in words}.items())
    parents = "|".join(re.escape(name[2:]) for name, _ in rules if name.startswith("*."))
    # A rule `*.ck` makes `ck` itself a suffix too.
    names = [name.removeprefix("*.") for name, rule in rules if rule[0] != "!"]
    exceptions = [name for name, rule in rules if rule[0] == "!"]
    regex = rf"^(?:[^.\[]+|[^.]+\.(?:{parents}))$"
    return pa.array(names, pa.large_string()), regex, pa.array(exceptions, pa.large_string())
