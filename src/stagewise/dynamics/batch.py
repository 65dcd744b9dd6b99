"""A batch of runs in the eigenbases of their problems: weights that advance and are measured.

Most update rules commute with rotations of the input space, and run in the eigenbasis of sigma_x:
there sigma_x·W is an elementwise product, which spares the largest of the matrix products. What is
measured does not depend on the basis, nor on the other runs of the batch.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from stagewise.arrays import AnyArray, FloatArray, IntArray
from stagewise.clock import stepping
from stagewise.dynamics.engine import advance_by_rule, engine
from stagewise.dynamics.gradients import descent_directions
from stagewise.dynamics.observables import LEARNED, Engine
from stagewise.dynamics.update_rule import MomentLandscape, UpdateRule
from stagewise.problems.problem import Problem

Layers = list[FloatArray]
"""Weights of each layer, then what the update rule remembers, if anything."""
Picked = IntArray | slice
"""Some of the runs, or all."""


@dataclass(frozen=True)
class Batch:
    """What a batch of runs learns; the weights themselves are passed around as `layers`.

    Every array has a leading axis of runs. depth : number of layers. step_size : (runs,).
    eigenvalues : of sigma_x (runs, dim_in). target, curvature : (runs, dim_in, dim_out); the
    gradient with respect to W is curvature ∘ W − target. solution : least-squares map. left, right : singular vectors of the
    modes followed. full_value : (runs, curves), where those of response values and mode strengths
    that are observed end. reduced_rank : (runs, dim_out, modes), output directions of reduced-rank
    regression. rule : how the weights are updated. observables : what is measured.
    """

    problems: tuple[Problem, ...]
    depth: int
    step_size: FloatArray
    eigenvalues: FloatArray
    target: FloatArray
    curvature: FloatArray
    solution: FloatArray
    left: FloatArray
    right: FloatArray
    full_value: FloatArray
    reduced_rank: FloatArray
    rule: UpdateRule
    observables: frozenset[str]
    engine: Engine

    @classmethod
    def of(
        cls,
        problems: Sequence[Problem],
        depth: int,
        step_size: FloatArray,
        modes: int,
        rule: UpdateRule,
        observables: Collection[str],
        engine: Engine,
    ) -> "Batch":
        """One problem and one step size a run."""
        eigenvalues = np.stack([each.eigenvalues for each in problems])
        sigma, lam = (
            np.stack([getattr(each.modes, name)[:modes] for each in problems])
            for name in ("sigma", "lam")
        )
        ends = {"response_values": sigma, "mode_strengths": sigma / lam, "none": sigma[:, :0]}
        return cls(
            problems=tuple(problems),
            depth=depth,
            step_size=step_size,
            eigenvalues=eigenvalues,
            target=np.stack([each.seen for each in problems]),
            curvature=np.stack([each.curvature for each in problems]),
            solution=_rotated(problems, [each.least_squares for each in problems]),
            left=_rotated(problems, [each.modes.left[:, :modes] for each in problems]),
            right=np.stack([each.modes.right[:, :modes] for each in problems]),
            full_value=np.hstack(
                [ends[name] for name in (*LEARNED, "none") if name in {*observables, "none"}]
            ),
            reduced_rank=np.stack([each.reduced_rank_directions[:, :modes] for each in problems]),
            rule=rule,
            observables=frozenset(observables),
            engine=engine,
        )

    @cached_property
    def basis(self) -> FloatArray | None:
        """Eigenvectors of sigma_x (runs, dim_in, dim_in) where weights are kept in other coordinates."""
        if not self.rule.elementwise:
            return None
        return np.stack([each.eigenvectors for each in self.problems])

    @property
    def modes(self) -> int:
        """Number of modes followed."""
        return int(self.left.shape[2])

    def rotated(self, layers: Sequence[FloatArray]) -> Layers:
        """Layers given in the problems' own coordinates, as this batch works on them (copies)."""
        own = [np.array(each, order="C") for each in layers]
        if self.basis is None:
            own[0] = _rotated(self.problems, list(layers[0]))
        return own + self.rule.start(own)

    def advance(self, layers: Layers, runs: IntArray, steps: IntArray, taken: IntArray) -> None:
        """Take steps with the given runs, in place; steps, taken : (those runs,), taken before."""
        if self.rule.compiled:
            engine(self.engine)  # to load it is not to step
        with stepping():
            self._advance(layers, runs, steps, taken)

    def _advance(self, layers: Layers, runs: IntArray, steps: IntArray, taken: IntArray) -> None:
        every = np.zeros((2, len(self.step_size)), dtype=np.int64)
        every[0, runs], every[1, runs] = steps, taken
        if self.rule.compiled:
            engine(self.engine)(
                layers[: self.depth], self.target, self.curvature, self.step_size, every[0]
            )
            return
        weights, memory = layers[: self.depth], layers[self.depth :]
        landscape = MomentLandscape(self.target, self.curvature, self.basis)
        advance_by_rule(self.rule, weights, memory, landscape, self.step_size, every[1], every[0])

    @np.errstate(all="ignore")
    def measure(self, layers: Layers, runs: IntArray) -> dict[str, AnyArray]:
        """Observables of the given runs; those of runs that are not "finite" are meaningless."""
        picked = slice(None) if len(runs) == len(self.step_size) else runs  # spares copies
        layers = [layer[picked] for layer in layers[: self.depth]]
        if self.basis is not None:
            layers[0] = self.basis[picked].transpose(0, 2, 1) @ layers[0]
        product = layers[0]
        for layer in layers[1:]:
            product = product @ layer
        finite = np.isfinite(_sum_entries(product**2))
        found = {"finite": finite, "product": product}
        found |= {f"weights_{position}": layer for position, layer in enumerate(layers)}
        self._measure_training(found, layers, product, picked)
        if not finite.all():
            product = np.where(finite[:, None, None], product, 0)
        self._measure_spectra(found, product, picked)
        wanted = [f"reduced_rank{kind}_distance" for kind in ("", "_response")]
        if not self.observables.isdisjoint(wanted):
            found |= self._reduced_rank_distances(product, picked)
        if "test_error" in self.observables:
            found["test_error"] = self._test_error(product, runs)
        learned = [found[name] for name in LEARNED if name in self.observables]
        found["learned_share"] = np.hstack([product[:, 0, :0], *learned]) / self.full_value[picked]
        return found

    def _measure_training(
        self, found: dict[str, AnyArray], layers: Layers, product: FloatArray, runs: Picked
    ) -> None:
        """Loss, gradient and imbalance."""
        if "loss" in self.observables:
            miss = product - self.solution[runs]
            found["loss"] = 0.5 * _sum_entries(self.curvature[runs] * miss**2)
        if "gradient_norm" in self.observables:
            residual = self.target[runs] - self.curvature[runs] * product
            found["gradient_norm"] = _gradient_norm(residual, layers)
        if "imbalance" in self.observables:
            found["imbalance"] = _imbalance(layers)

    def _measure_spectra(
        self, found: dict[str, AnyArray], product: FloatArray, runs: Picked
    ) -> None:
        """Singular values of both maps, and mode strengths."""
        wanted = self.observables
        # Where inputs are white both maps are the same, and so are their values.
        white = "response_values" in wanted and bool((self.eigenvalues == 1).all())
        if white or wanted & {"singular_values", "trace_norm"}:
            values = np.linalg.svd(product, compute_uv=False)
            found["singular_values"] = found["response_values"] = values[:, : self.modes]
            found["trace_norm"] = values.sum(axis=1)
        if "response_values" in wanted and not white:
            response = self.eigenvalues[runs][:, :, None] * product
            found["response_values"] = np.linalg.svd(response, compute_uv=False)[:, : self.modes]
        if "mode_strengths" in wanted:
            found["mode_strengths"] = (self.left[runs] * (product @ self.right[runs])).sum(axis=1)

    def _reduced_rank_distances(self, product: FloatArray, runs: Picked) -> dict[str, FloatArray]:
        """Relative distance of W and sigma_x·W to reduced-rank regression of each rank.

        The best map of rank k is the solution projected onto orthonormal directions v, so that
        ‖W − W^k‖² = ‖W‖² + Σ_{r ≤ k} (‖W* v_r‖² − 2 (W v_r)·(W* v_r)).
        """
        directions = self.reduced_rank[runs]
        best, mine = self.solution[runs] @ directions, product @ directions
        distances = {}
        for name, scale in (
            ("reduced_rank_distance", np.ones((len(product), 1, 1))),
            ("reduced_rank_response_distance", self.eigenvalues[runs][:, :, None]),
        ):
            if name not in self.observables:
                continue
            norm = np.cumsum(((scale * best) ** 2).sum(axis=1), axis=1)
            overlap = np.cumsum((scale**2 * best * mine).sum(axis=1), axis=1)
            whole = _sum_entries(np.asarray((scale * product) ** 2))[:, None]
            distances[name] = np.sqrt(np.maximum(whole + norm - 2 * overlap, 0) / norm)
        return distances

    def _test_error(self, product: FloatArray, runs: IntArray) -> FloatArray:
        error = np.full(len(runs), np.nan)
        for position, run in enumerate(runs.tolist()):
            each = self.problems[run]
            if each.held_out is not None:
                error[position] = each.held_out.error(each.eigenvectors @ product[position])
        return error

    def unrotated(self, matrices: FloatArray) -> FloatArray:
        """Matrices (runs, records, dim_in, …) whose rows are inputs, in the problems' coordinates."""
        return np.stack(
            [each.eigenvectors @ own for each, own in zip(self.problems, matrices, strict=True)]
        )


def _rotated(problems: Sequence[Problem], matrices: Sequence[FloatArray]) -> FloatArray:
    return np.stack(
        [each.eigenvectors.T @ matrix for each, matrix in zip(problems, matrices, strict=True)]
    )


def _gradient_norm(residual: FloatArray, layers: list[FloatArray]) -> FloatArray:
    total = np.zeros(len(residual))
    for direction in reversed(descent_directions(residual, layers)):
        total += _sum_entries(direction**2)
    return np.sqrt(total)


def _imbalance(layers: list[FloatArray]) -> FloatArray:
    """Largest relative ‖W_lᵀW_l − W_{l+1}W_{l+1}ᵀ‖_F over neighbouring layers, 0 for one layer."""
    worst = np.zeros(len(layers[0]))
    for layer, following in pairwise(layers):
        left = layer.transpose(0, 2, 1) @ layer
        right = following @ following.transpose(0, 2, 1)
        norm = np.sqrt(_sum_entries(left**2) + _sum_entries(right**2))
        worst = np.maximum(worst, np.sqrt(_sum_entries((left - right) ** 2)) / norm)
    return worst


def _sum_entries(matrices: FloatArray) -> FloatArray:
    total: FloatArray = matrices.reshape(len(matrices), -1).sum(axis=1)
    return total
