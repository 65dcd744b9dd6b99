"""Scalars that summarise a spectrum of singular values."""

import numpy as np

from stagewise.arrays import FloatArray


def effective_rank(values: FloatArray) -> FloatArray:
    """exp of the entropy of singular values normalised to sum 1; values (…, n) → (…).

    Source: Roy and Vetterli, "The effective rank", EUSIPCO 2007. Zero for a zero matrix.
    """
    total = values.sum(axis=-1, keepdims=True)
    share = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    rank: FloatArray = np.exp(-(share * logs).sum(axis=-1)) * (total[..., 0] > 0)
    return rank
