"""Order and separation of the stages in which modes are learned."""

import numpy as np

from stagewise.arrays import FloatArray, IntArray


def order_kept(learning_iterations: FloatArray) -> bool:
    """Whether modes (listed strongest first) are learned in that order, ties allowed.

    learning_iterations : (modes,), NaN where never learned, which counts as infinitely late.
    """
    times = np.where(np.isnan(learning_iterations), np.inf, learning_iterations)
    return bool(np.all(times[1:] >= times[:-1]))


def separation(learned_share: FloatArray, level: float = 0.9) -> FloatArray:
    """How far the next mode has come when each mode reaches `level` of its target.

    learned_share : (…, records, modes), modes in order of learning, NaN after a run's end. Returns
    (…, modes − 1): 0 is a perfect staircase, values near `level` mean that modes move together; NaN
    where a mode never reaches the level. Between records the next mode's share is interpolated
    linearly in the share of the mode that crosses.
    """
    leader, follower = learned_share[..., :-1], learned_share[..., 1:]
    reached = leader >= level
    after = reached.argmax(axis=-2)[..., None, :]
    before = np.maximum(after - 1, 0)

    def at(share: FloatArray, record: IntArray) -> FloatArray:
        return np.take_along_axis(share, record, axis=-2)[..., 0, :]

    with np.errstate(all="ignore"):
        weight = (level - at(leader, before)) / (at(leader, after) - at(leader, before))
        met = at(follower, before) + weight * (at(follower, after) - at(follower, before))
    found = np.where(after[..., 0, :] == 0, at(follower, after), met)
    return np.where(reached.any(axis=-2), found, np.nan)
