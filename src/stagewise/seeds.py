"""Random generators that are named, so that no order of execution can change a draw."""

import hashlib
import json

import numpy as np


def generator(*names: str | int | float) -> np.random.Generator:
    """Random generator determined by `names` alone.

    names : what the draw is for, e.g. (experiment, axis values …, replicate). Equal names give
        equal streams on every machine and in every order of calls; any difference gives an
        independent stream (SHA-256 of the names seeds a `SeedSequence`).
    """
    digest = hashlib.sha256(json.dumps(names).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest[:16], "little")))
