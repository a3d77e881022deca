"""Read what an HTTP response header says of rights: TDMRep, `X-Robots-Tag` and licence links.

>>> fields = [("x-robots-tag", "noai"), ("link", '<https://a.org/by>; rel="license"'), ("tdm-reservation", "1")]
>>> [(signal.kind, signal.value) for signal in header_signals(fields)]
[('noai', None), ('licence', 'https://a.org/by'), ('tdm-reservation', '1')]
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from schemas.signals import LICENCE, TDM_POLICY, TDM_RESERVATION
from transforms.measure.readers.page_signals import PageSignal, robots_signals, said

_TDM: Final = {"tdm-reservation": TDM_RESERVATION, "tdm-policy": TDM_POLICY}
_LINK: Final = re.compile(r"<([^<>]*)>([^<>]*)")
_PARAMETER: Final = re.compile(r';\s?([^\s=;,"]+)\s?=\s?(?:"([^"]*)"|([^\s",;]*))')


def header_signals(fields: Sequence[tuple[str, str]]) -> Iterator[PageSignal]:
    """Signals of header fields (name in lower case, value), in their order; a name may be there many times.

    TDMRep: https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/. Links: RFC 8288.
    """
    for name, value in fields:
        if name == "x-robots-tag":
            yield from robots_signals(value, f"http:{name}")
        elif name == "link":
            yield from _licences(value)
        elif name in _TDM:
            yield from said(_TDM[name], value, f"http:{name}")


def _licences(value: str) -> Iterator[PageSignal]:
    for target, parameters in _LINK.findall(" ".join(value.split())):
        relations = [quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters) if name.lower() == "rel"]
        if relations and "license" in relations[0].lower().split():
            yield from said(LICENCE, target, "http:link")
