"""Test and train error of two layers on a noisy low-rank teacher (Lampinen and Ganguli 2019).

Setting: one-hot or white inputs, targets W̄ + noise of variance 1/dim_in an entry, a teacher W̄
(dim_in, dim_out) of rank R with singular values s, aspect A = dim_out/dim_in < 1, width at least
dim_out. Errors are shares of the squared size of the targets: the teacher's own for the test, the
noisy ones for training. Rates are those of the loss ½‖Y − XW‖², without 1/n.
"""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.theory.growth import GrowthRule

_NODES = 400


@dataclass(frozen=True)
class NoisyTeacher:
    """Noisy targets in their own singular basis.

    values : (modes,), singular values of the noisy targets. gains : (modes,), u_kᵀ W̄ v_k in their
    singular vectors. weights : (modes,), how many modes each stands for. teacher_size : ‖W̄‖².
    """

    values: FloatArray
    gains: FloatArray
    weights: FloatArray
    teacher_size: float

    def errors(self, strengths: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Test and train error (times,) of maps with these mode strengths (times, modes)."""
        test = self.teacher_size + (strengths**2 - 2 * strengths * self.gains) @ self.weights
        train = (self.values - strengths) ** 2 @ self.weights
        return (
            np.asarray(test / self.teacher_size),
            np.asarray(train / (self.values**2 @ self.weights)),
        )


def asymptotic_teacher(teacher: FloatArray, dim_in: int, dim_out: int) -> NoisyTeacher:
    """Noisy targets as dim_in, dim_out → ∞ at fixed aspect; teacher (rank,) descending.

    A mode with s > A^¼ comes out at √((1 + s²)(A + s²))/s with the squared overlaps
    1 − (A + s²)/(s²(s² + 1)) on the side of the inputs and 1 − A(1 + s²)/(s²(s² + A)) on that of
    the outputs; a weaker one drowns at the edge 1 + √A. The others follow Marchenko and Pastur.
    Source: Lampinen and Ganguli 2019.
    """
    aspect = dim_out / dim_in
    seen = teacher > aspect**0.25
    square = np.where(seen, teacher, 1.0) ** 2  # a mode of strength zero has no value
    value = np.sqrt((1 + square) * (aspect + square) / square)
    inputs = 1 - (aspect + square) / (square * (square + 1))
    outputs = 1 - aspect * (1 + square) / (square * (square + aspect))
    overlap = np.sqrt(np.where(seen, inputs * outputs, 0.0))
    noise, share = marchenko_pastur(aspect)
    return NoisyTeacher(
        values=np.concatenate([np.where(seen, value, 1 + np.sqrt(aspect)), noise]),
        gains=np.concatenate([teacher * overlap, np.zeros(len(noise))]),
        weights=np.concatenate([np.ones(len(teacher)), (dim_out - len(teacher)) * share]),
        teacher_size=float(np.sum(teacher**2)),
    )


def finite_teacher(teacher: FloatArray, targets: FloatArray) -> NoisyTeacher:
    """The same of one draw: teacher and noisy targets as matrices (dim_in, dim_out)."""
    left, values, right = np.linalg.svd(targets, full_matrices=False)
    return NoisyTeacher(
        values=values,
        gains=np.einsum("ik,ij,kj->k", left, teacher, right, optimize=True),
        weights=np.ones(len(values)),
        teacher_size=float(np.sum(teacher**2)),
    )


def marchenko_pastur(aspect: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights (sum 1) for means over the singular values of pure noise, aspect < 1.

    With x² = 1 + A + 2√A cos θ the density √([(1 + √A)² − x²][x² − (1 − √A)²])/(πAx) dx is
    (2/π) sin²θ/x² dθ, which is smooth: the midpoint rule converges faster than any power.
    """
    angle = (np.arange(_NODES) + 0.5) * np.pi / _NODES
    square = 1 + aspect + 2 * np.sqrt(aspect) * np.cos(angle)
    return np.sqrt(square), 2 * np.sin(angle) ** 2 / square / _NODES


def learned_strengths(values: FloatArray, start: float, growth: FloatArray) -> FloatArray:
    """Mode strengths x/(1 + e^−g(x/ε − 1)) of white inputs, from the strength ε.

    values : x (modes,). growth : g (times, modes), 2·x·time of the flow. From random orthogonal
    frames the start counts as ε(1 + width/dim_in)/4.
    Source: Saxe, McClelland and Ganguli 2013.
    """
    return np.asarray(values / (1 + np.exp(-growth) * (values / start - 1)))


def growth(
    values: FloatArray, rate: float, epochs: FloatArray, rule: GrowthRule | None = None
) -> FloatArray:
    """Logarithm of how much small modes have grown after `epochs`, (times, modes).

    rule : the growth function of an update rule, of which both layers have one each; None for the flow,
    2·rate·x an epoch, as Lampinen and Ganguli have it.
    """
    each = rate * values if rule is None else rule.growth(rate, values)
    return np.asarray(2 * epochs[:, None] * each)
