"""Leave out: a dataset as it is, but for rows that need not be found any more."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.takedowns.row_ids import row_ids

I64 = npt.NDArray[np.int64]


class Rest(Dataset):
    """A dataset in whose index of keys some rows (ids) are not found.

    Pages made of one template are all similar to each other, so that among those of a site that goes there are millions
    of pairs, none of which tells anything new.
    """

    def __init__(self, dataset: Dataset, left_out: I64):
        vars(self).update(vars(dataset))  # its manifest and its open files
        self.left_out = left_out

    def find_keys(self, keys: I64) -> pa.Table:
        places = super().find_keys(keys)
        return places.filter(pa.array(~np.isin(row_ids(places), self.left_out)))
