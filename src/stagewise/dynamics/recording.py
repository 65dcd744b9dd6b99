"""Records of runs that end at different times, padded to one array per observable."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stagewise.arrays import AnyArray, BoolArray, FloatArray, IntArray
from stagewise.dynamics.batch import Batch
from stagewise.dynamics.observables import LEARNED, OBSERVABLES, PER_MODE

_NAMES = dict(zip(LEARNED, ("learning_iteration", "mode_learning_iteration"), strict=True))


@dataclass(frozen=True)
class Trajectory:
    """What was recorded, at the iterations asked for and no others.

    A batch of runs has a leading axis of runs, also a batch of one; a single run, given without that
    axis, has none. A run that ended early (it diverged, or `stop_at`) leaves NaN at the end of its
    row (iterations: -1). Observables that were not asked for are NaN throughout.

    iterations : (runs, records). status : (runs,), "ok" or "diverged". loss : (runs, records), above
    the least-squares minimum. gradient_norm : (runs, records), Frobenius norm over all layers.
    singular_values : (runs, records, modes) of the end-to-end map W. response_values : the same of
    sigma_x·W. mode_strengths : (runs, records, modes), u_iᵀ W v_i in the singular vectors of
    sigma_xy. trace_norm : (runs, records), sum of all singular values of W. imbalance : (runs,
    records), relative difference of W_lᵀW_l and W_{l+1}W_{l+1}ᵀ, 0 to 1. reduced_rank_distance,
    reduced_rank_response_distance : (runs, records, modes), ‖W − W^k‖/‖W^k‖ with W^k reduced-rank
    regression of rank k = 1, 2, …, and the same of sigma_x·W. test_error : (runs, records), see
    `HeldOut.error`; NaN for problems without held-out data. products : (runs, records, dim_in,
    dim_out), W itself, or None. weights : `depth` arrays (runs, records, rows, columns), or None.

    learning_iteration, mode_learning_iteration : (runs, modes), the first iteration at which the
    response value, the mode strength reaches half of its target, between records; NaN where none
    does. With `refine` they are located to half an iteration or 2·10⁻³ of themselves.
    refined : (runs, records), true for records added to locate them, where these are kept.
    """

    iterations: IntArray
    status: AnyArray
    loss: FloatArray
    gradient_norm: FloatArray
    singular_values: FloatArray
    response_values: FloatArray
    mode_strengths: FloatArray
    trace_norm: FloatArray
    imbalance: FloatArray
    reduced_rank_distance: FloatArray
    reduced_rank_response_distance: FloatArray
    test_error: FloatArray
    learning_iteration: FloatArray
    mode_learning_iteration: FloatArray
    refined: BoolArray
    products: FloatArray | None = None
    weights: list[FloatArray] | None = None


class Recorder:
    """Collects records as they are made.

    diverged : (runs,). learned_at : (runs, curves), when each learned share first reached one half.
    """

    def __init__(
        self, batch: Batch, keep_products: bool, keep_weights: bool, keep_refined: bool
    ) -> None:
        self.batch = batch
        self.keep_refined = keep_refined
        self.diverged = np.zeros(len(batch.problems), dtype=bool)
        self.learned_at = np.full(batch.full_value.shape, np.nan)
        self.weights = [f"weights_{layer}" for layer in range(batch.depth * keep_weights)]
        self.fields = (*sorted(batch.observables), *["product"] * keep_products, *self.weights)
        self.parts: list[dict[str, AnyArray]] = []

    def add(
        self, runs: IntArray, iterations: IntArray, asked: BoolArray, measured: dict[str, AnyArray]
    ) -> None:
        """Add one record of each run. asked : whether it was asked for; (runs,) like all arrays."""
        kept = measured["finite"] if self.keep_refined else measured["finite"] & asked
        if not kept.any():
            return
        picked = slice(None) if kept.all() else kept
        self.parts.append(
            {
                "run": runs[picked],
                "iterations": iterations[picked],
                "refined": ~asked[picked],
                # A copy, since weights and a product of one layer are what training writes to.
                **{name: np.array(measured[name][picked]) for name in self.fields},
            }
        )

    def trajectory(self) -> Trajectory:
        """All of it, with the axis of runs."""
        names = ("run", "iterations", "refined", *self.fields)
        joined = {name: np.concatenate([part[name] for part in self.parts]) for name in names}
        order = np.lexsort((joined["iterations"], joined["run"]))
        run = joined.pop("run")[order]
        counts = np.bincount(run, minlength=len(self.diverged))
        place = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = len(counts), int(counts.max())
        padded: dict[str, Any] = {}
        for name, values in joined.items():
            fill = {"iterations": -1, "refined": False}.get(name, np.nan)
            padded[name] = np.full((*shape, *values.shape[1:]), fill, dtype=values.dtype)
            padded[name][run, place] = values[order]
        products = padded.pop("product", None)
        weights = [padded.pop(name) for name in self.weights]
        if weights:
            weights[0] = self.batch.unrotated(weights[0])
        return Trajectory(
            status=np.where(self.diverged, "diverged", "ok"),
            products=None if products is None else self.batch.unrotated(products),
            weights=weights or None,
            **self._unasked(shape),
            **padded,
            **self._learning_iterations(),
        )

    def _unasked(self, shape: tuple[int, int]) -> dict[str, Any]:
        """NaN for every observable that is not observed, without taking memory."""
        modes = self.batch.modes
        return {
            name: np.broadcast_to(np.nan, (*shape, modes) if name in PER_MODE else shape)
            for name in OBSERVABLES
            if name not in self.batch.observables
        }

    def _learning_iterations(self) -> dict[str, Any]:
        observed = [name for name in LEARNED if name in self.batch.observables]
        parts = np.split(self.learned_at, max(len(observed), 1), axis=1)
        found = dict(zip(observed, parts, strict=False))
        missing = np.full((len(self.diverged), self.batch.modes), np.nan)
        return {name: found.get(each, missing) for each, name in _NAMES.items()}
