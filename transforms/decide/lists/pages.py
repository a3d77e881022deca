"""The rows of a batch as indexes see them: every host once, and a URL taken apart when one first asks for it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.urls import UrlParts, split_urls

I64 = npt.NDArray[np.int64]


class Pages:
    """Columns `url_host_name` and `url` of some documents, with their nulls and repeats.

    >>> pages = Pages(pa.array(["a.com", "b.com", None, "a.com"]), pa.array(["a.com/x", "//b.com", None, "http://a.com"]))
    >>> pages.hosts.to_pylist(), [found.tolist() for found in pages.spread(np.array([7, -1]))]
    (['a.com', 'b.com'], [[0, 3], [7, 7]])
    >>> pages.parts(np.array([0, 1])).whole().to_pylist()
    ['http://a.com/x', 'http://b.com/']
    """

    def __init__(self, hosts: pa.Array, urls: pa.Array):
        distinct = hosts.cast(pa.large_string()).dictionary_encode()
        self.hosts: pa.Array = distinct.dictionary
        """large_string: the distinct hosts."""
        self._hosts, self._urls = hosts, urls.cast(pa.large_string())
        self._codes = np.asarray(pc.fill_null(distinct.indices, len(self.hosts)))
        self._known = UrlParts(*[pa.array([], pa.large_string())] * 4)
        self._place = np.full(len(urls), -1)

    def __len__(self) -> int:
        return len(self._codes)

    def spread(self, found: I64) -> tuple[I64, I64]:
        """From a number or -1 for each of `hosts` to the rows with a number, ascending, and their numbers."""
        if not (found >= 0).any():
            return np.empty(0, np.int64), np.empty(0, np.int64)
        numbers = np.append(found, -1)[self._codes]
        rows = np.flatnonzero(numbers >= 0)
        return rows, numbers[rows]

    def hosts_of(self, rows: I64) -> pa.Array:
        """The hosts of some rows that have one."""
        return self.hosts.take(pa.array(self._codes[rows]))

    def with_host(self) -> I64:
        """The rows that have a host, and so a URL that can be used."""
        return np.flatnonzero(self._codes < len(self.hosts))

    def parts(self, rows: I64) -> UrlParts:
        """The URLs of some rows in parts, large_string."""
        new = rows[self._place[rows] < 0]
        if len(new):
            self._place[new] = np.arange(len(new)) + len(self._known.host)
            parts = split_urls(self._urls.take(pa.array(new)))
            self._known = UrlParts(*(pa.concat_arrays(pair) for pair in zip(self._known, parts, strict=True)))
        place = pa.array(self._place[rows])
        return UrlParts(*(part.take(place) for part in self._known))

    def take(self, rows: I64) -> "Pages":
        """Some of the rows."""
        return Pages(self._hosts.take(pa.array(rows)), self._urls.take(pa.array(rows)))
