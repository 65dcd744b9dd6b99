"""What became of a mode under a given step size."""

import numpy as np

from stagewise.arrays import FloatArray

OVERSHOOT_TOLERANCE = 1e-10
CONVERGENCE_TOLERANCE = 1e-2

OUTCOMES = ("monotone", "overshoot", "no convergence")


def outcome(share: FloatArray) -> str:
    """Name what a mode did, one of `OUTCOMES`.

    share : (records,), strength over target, every iteration recorded at least where it is above
    0.9; NaN after a run has diverged. "no convergence": the last tenth of the records is not
    within 1 % of the target. "overshoot": converged after exceeding the target by more than
    rounding (1e-10). "monotone": converged from below.
    """
    tail = share[-max(len(share) // 10, 2) :]
    if not np.all(np.abs(tail - 1) <= CONVERGENCE_TOLERANCE):
        return "no convergence"
    return "overshoot" if share.max() > 1 + OVERSHOOT_TOLERANCE else "monotone"
