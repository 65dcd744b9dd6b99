"""What became of modes under a given step size."""

import numpy as np

from stagewise.arrays import AnyArray, BoolArray, FloatArray, IntArray

OVERSHOOT_TOLERANCE = 1e-10
CONVERGENCE_TOLERANCE = 1e-2

OUTCOMES = ("monotone", "overshoot", "no convergence")


def outcomes(share: FloatArray, records: IntArray, diverged: BoolArray) -> AnyArray:
    """Name what each mode of each run did, one of `OUTCOMES`, (runs, modes).

    share : (runs, records, modes), strength over target, every iteration recorded at least where it
    is above 0.9. records : (runs,), how many each run has; what follows is ignored. diverged :
    (runs,). "no convergence": the last tenth of the records is not within 1 % of the target.
    "overshoot": converged after exceeding the target by more than rounding (1e-10). "monotone":
    converged from below.
    """
    place = np.arange(share.shape[1])
    ended = place >= records[:, None]
    tail = np.maximum((records + diverged) // 10, 2) - diverged
    late = ~ended & (place >= (records - tail)[:, None])
    missed = late[:, :, None] & ~(np.abs(share - 1) <= CONVERGENCE_TOLERANCE)
    failed = missed.any(axis=1) | diverged[:, None]
    highest = np.where(ended[:, :, None], -np.inf, share).max(axis=1)
    over = highest > 1 + OVERSHOOT_TOLERANCE
    return np.array(OUTCOMES)[np.where(failed, 2, np.where(over, 1, 0))]
