"""Stages counted per rank, depth and observed share."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stagewise.studies.common.depth import stage_counts
from stagewise.studies.common.judging import read_frame

READS = "stages"


def table(paths: Sequence[Path]) -> pd.DataFrame:
    """The table from the stages of all experiments."""
    return stage_counts(read_frame(READS, *paths))
