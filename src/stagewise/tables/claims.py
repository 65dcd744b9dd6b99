"""The verdict on every claim."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stagewise.store.formats import cell
from stagewise.studies.common.verdicts import interval_text, read_claims

READS = "claims"


def table(paths: Sequence[Path], random_completions: int) -> pd.DataFrame:
    """One row per claim: verdict, statement, condition, measured value, interval, figure."""
    return pd.DataFrame(
        [
            {
                "claim": each.id,
                "source": each.source,
                "statement": each.statement,
                "verdict": each.verdict,
                "expected": each.holds,
                "measured": cell(each.measured),
                "interval": interval_text(each),
                "figure": each.figure,
            }
            for path in paths
            for each in read_claims(path)
        ]
    )
