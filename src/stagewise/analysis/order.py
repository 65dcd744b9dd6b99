"""Order and separation of the stages in which modes are learned."""

import numpy as np

from stagewise.arrays import FloatArray


def order_kept(learning_iterations: FloatArray) -> bool:
    """Whether modes (listed strongest first) are learned in that order, ties allowed.

    learning_iterations : (modes,), NaN where never learned, which counts as infinitely late.
    """
    times = np.where(np.isnan(learning_iterations), np.inf, learning_iterations)
    return bool(np.all(times[1:] >= times[:-1]))


def separation(learned_share: FloatArray, level: float = 0.9) -> FloatArray:
    """How far the next mode has come when each mode reaches `level` of its target.

    learned_share : (records, modes), modes in order of learning. Returns (modes − 1,): 0 is a
    perfect staircase, values near `level` mean that modes move together; NaN where a mode never
    reaches the level. Between records the next mode's share is interpolated linearly in the
    share of the mode that crosses.
    """
    count = learned_share.shape[1] - 1
    overlap = np.full(count, np.nan)
    for mode in range(count):
        leader, follower = learned_share[:, mode], learned_share[:, mode + 1]
        reached = np.flatnonzero(leader >= level)
        if len(reached) == 0:
            continue
        at = reached[0]
        if at == 0:
            overlap[mode] = follower[0]
            continue
        weight = (level - leader[at - 1]) / (leader[at] - leader[at - 1])
        overlap[mode] = follower[at - 1] + weight * (follower[at] - follower[at - 1])
    return overlap
