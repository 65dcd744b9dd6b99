"""Tables of the store as data frames."""

from pathlib import Path

import pandas as pd

from stagewise.store.files import read_table
from stagewise.store.formats import read_csv


def read_frame(path: Path) -> pd.DataFrame:
    """A table as a frame, labels as text; StagewiseError when it is missing or damaged."""
    if path.suffix == ".csv":
        return read_csv(path)
    frame = read_table(path).to_pandas()
    categorical = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(categorical, "str"))
