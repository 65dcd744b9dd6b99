"""The verdict on every claim."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stagewise.studies.common.ledger import claims_table, read_claims

READS = "claims"


def table(paths: Sequence[Path]) -> pd.DataFrame:
    """The table from `claims.json`."""
    return claims_table([each for path in paths for each in read_claims(path)])
