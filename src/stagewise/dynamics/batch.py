"""A batch of runs in the eigenbases of their problems: weights that advance and are measured.

Most update rules commute with rotations of the input space, and run in the eigenbasis of sigma_x:
there sigma_x·W is an elementwise product, which spares the largest of the matrix products. What is
measured does not depend on the basis, nor on the other runs of the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from stagewise.arrays import AnyArray, FloatArray, IntArray
from stagewise.dynamics.gradients import descent_directions
from stagewise.dynamics.kernel import advance
from stagewise.dynamics.spectra import effective_rank
from stagewise.dynamics.update_rule import MomentLandscape, UpdateRule
from stagewise.problems.problem import Problem

OBSERVABLES = (
    "loss",
    "gradient_norm",
    "singular_values",
    "response_values",
    "mode_strengths",
    "trace_norm",
    "effective_rank",
    "imbalance",
    "reduced_rank_distance",
    "reduced_rank_response_distance",
    "test_error",
)


Layers = list[FloatArray]
"""Weights of each layer, then what the update rule remembers, if anything."""


@dataclass(frozen=True)
class Batch:
    """What a batch of runs learns; the weights themselves are passed around as `layers`.

    Every array has a leading axis of runs. depth : number of layers. step_size : (runs,).
    eigenvalues : of sigma_x (runs, dim_in). target, curvature : (runs, dim_in, dim_out); the
    gradient with respect to W is curvature ∘ W − target. solution : least-squares map. left, right : singular vectors of the
    modes followed. full_value : (runs, 2·modes), where response values and mode strengths end.
    reduced_rank : (runs, dim_out, modes), output directions of reduced-rank regression.
    rule : how the weights are updated.
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

    @classmethod
    def of(
        cls,
        problems: Sequence[Problem],
        depth: int,
        step_size: FloatArray,
        modes: int,
        rule: UpdateRule,
    ) -> "Batch":
        """One problem and one step size a run."""
        eigenvalues = np.stack([each.eigenvalues for each in problems])
        target = _rotated(problems, [each.sigma_xy for each in problems])
        curvature = np.repeat(eigenvalues[:, :, None], target.shape[2], axis=2)
        for run, problem in enumerate(problems):
            if problem.observed is not None:
                curvature[run] = problem.observed
                target[run] *= problem.observed
        sigma, lam = (
            np.stack([getattr(each.modes, name)[:modes] for each in problems])
            for name in ("sigma", "lam")
        )
        return cls(
            problems=tuple(problems),
            depth=depth,
            step_size=step_size,
            eigenvalues=eigenvalues,
            target=target,
            curvature=curvature,
            solution=_rotated(problems, [each.least_squares for each in problems]),
            left=_rotated(problems, [each.modes.left[:, :modes] for each in problems]),
            right=np.stack([each.modes.right[:, :modes] for each in problems]),
            full_value=np.hstack([sigma, sigma / lam]),
            reduced_rank=np.stack([each.reduced_rank_directions[:, :modes] for each in problems]),
            rule=rule,
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

    def advance(self, layers: Layers, runs: IntArray, steps: int, taken: int) -> None:
        """Take steps with the given runs, in place; taken : how many they took before."""
        if self.rule.compiled:
            active = np.zeros(len(self.step_size), dtype=bool)
            active[runs] = True
            advance(layers, self.target, self.curvature, self.step_size, steps, active)
            return
        mine = [each[runs] for each in layers]
        basis = None if self.basis is None else self.basis[runs]
        landscape = MomentLandscape(self.target[runs], self.curvature[runs], basis)
        weights, memory = mine[: self.depth], mine[self.depth :]
        before = np.full(len(runs), taken)
        self.rule.advance(weights, memory, landscape, self.step_size[runs], before, steps)
        for whole, part in zip(layers, mine, strict=True):
            whole[runs] = part

    def measure(self, layers: Layers, runs: IntArray) -> dict[str, AnyArray]:
        """Observables of the given runs; those of runs that are not "finite" are meaningless."""
        layers = [layer[runs] for layer in layers[: self.depth]]
        if self.basis is not None:
            layers[0] = self.basis[runs].transpose(0, 2, 1) @ layers[0]
        eigenvalues = self.eigenvalues[runs][:, :, None]
        with np.errstate(all="ignore"):
            product = layers[0]
            for layer in layers[1:]:
                product = product @ layer
            curvature, response = self.curvature[runs], eigenvalues * product
            loss = 0.5 * _sum_entries(curvature * (product - self.solution[runs]) ** 2)
            gradient_norm = _gradient_norm(self.target[runs] - curvature * product, layers)
            finite = np.isfinite(loss) & np.isfinite(gradient_norm)
        product, response = (
            np.where(finite[:, None, None], each, 0) for each in (product, response)
        )
        values = np.asarray(np.linalg.svd(product, compute_uv=False), dtype=np.float64)
        whitened = (eigenvalues == 1).all()  # then both maps are the same, and so are their values
        response_values = values if whitened else np.linalg.svd(response, compute_uv=False)
        response_values = response_values[:, : self.modes]
        strengths = (self.left[runs] * (product @ self.right[runs])).sum(axis=1)
        return {
            "finite": finite,
            "loss": loss,
            "gradient_norm": gradient_norm,
            "singular_values": values[:, : self.modes],
            "response_values": response_values,
            "mode_strengths": strengths,
            "trace_norm": values.sum(axis=1),
            "effective_rank": effective_rank(values),
            "imbalance": _imbalance(layers),
            **self._reduced_rank_distances(product, runs),
            "test_error": self._test_error(product, runs),
            "learned_share": np.hstack([response_values, strengths]) / self.full_value[runs],
            "product": product,
            **{f"weights_{position}": layer for position, layer in enumerate(layers)},
        }

    def _reduced_rank_distances(self, product: FloatArray, runs: IntArray) -> dict[str, FloatArray]:
        """Relative distance of W and sigma_x·W to reduced-rank regression of each rank.

        The best map of rank k is the solution projected onto orthonormal directions v, so that
        ‖W − W^k‖² = ‖W‖² + Σ_{r ≤ k} (‖W* v_r‖² − 2 (W v_r)·(W* v_r)).
        """
        directions = self.reduced_rank[runs]
        best, mine = self.solution[runs] @ directions, product @ directions
        distances = {}
        for name, scale in (
            ("reduced_rank_distance", np.ones((len(runs), 1, 1))),
            ("reduced_rank_response_distance", self.eigenvalues[runs][:, :, None]),
        ):
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
    with np.errstate(all="ignore"):
        for layer, following in pairwise(layers):
            left = layer.transpose(0, 2, 1) @ layer
            right = following @ following.transpose(0, 2, 1)
            norm = np.sqrt(_sum_entries(left**2) + _sum_entries(right**2))
            worst = np.maximum(worst, np.sqrt(_sum_entries((left - right) ** 2)) / norm)
    return worst


def _sum_entries(matrices: FloatArray) -> FloatArray:
    total: FloatArray = matrices.reshape(len(matrices), -1).sum(axis=1)
    return total
