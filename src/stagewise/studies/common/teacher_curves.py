"""Theory and training of noisy teachers side by side, for figures and claims."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

_KEYS = ["dataset", "initialisation", "delta", "relative_step_size"]


_SOURCES = {"test_error": "test_error", "train_error": "loss"}
"""Quantities of the trajectory summary that the errors are measured by."""


def teacher_curves(
    curves: pd.DataFrame, theory: pd.DataFrame, quantities: Sequence[str] = tuple(_SOURCES)
) -> pd.DataFrame:
    """Test and train error over training, with the theory at the same iterations.

    curves : trajectory summary of one experiment. theory : table of its teachers. quantities : which
    of "test_error" and "train_error".

    Columns of the trajectory summary for these quantities (mean, low, high over seeds),
    teacher_rank, strength, white and fastest, and theory, theory_discrete, finite, finite_discrete:
    the errors by version and law of growth.
    """
    parts = []
    for quantity in quantities:
        source = _SOURCES[quantity]
        measured = curves[curves["quantity"] == source].assign(quantity=quantity)
        if source == "loss":
            measured = _as_share(measured)
        predicted = theory.assign(
            law=np.where(theory["version"] == "finite", "finite", "theory")
            + np.where(theory["law"] == "discrete", "_discrete", "").astype(object)
        ).pivot(
            index=[*_KEYS, "iteration", "teacher_rank", "strength", "white", "fastest"],
            columns="law",
            values=quantity,
        )
        parts.append(measured.merge(predicted.reset_index(), on=[*_KEYS, "iteration"]))
    return pd.concat(parts, ignore_index=True)


def _as_share(loss: pd.DataFrame) -> pd.DataFrame:
    """Loss over its value at the start, where the map is next to nothing."""
    start = loss[loss["iteration"] == 0].set_index(_KEYS)["mean"]
    scale = pd.MultiIndex.from_frame(loss[_KEYS]).map(start).to_numpy(dtype=np.float64)
    return loss.assign(**{name: loss[name] / scale for name in ("mean", "low", "high")})


def teacher_misses(curves: pd.DataFrame) -> pd.DataFrame:
    """How far each theory is from the mean over seeds, and from their band, at most over training.

    curves : of `teacher_curves`, one quantity. Distances are shares of the error itself where that
    exceeds 1 (late in training the noise that was learned outweighs the teacher). Returns a row a
    data set, start and step with rank, strength, white, fastest, and for every law the largest
    |theory − mean| under its name and the largest distance to the 5–95 % band under NAME_beyond.
    """
    keys = [*_KEYS, "teacher_rank", "strength", "white", "fastest"]
    mean = curves["mean"]
    size, misses = mean.clip(lower=1), {}
    for law in ("theory", "theory_discrete", "finite", "finite_discrete"):
        beyond = np.maximum(curves["low"] - curves[law], curves[law] - curves["high"])
        misses[law] = (curves[law] - mean).abs() / size
        misses[f"{law}_beyond"] = beyond.clip(lower=0) / size
    return curves[keys].assign(**misses).groupby(keys, as_index=False).max()
