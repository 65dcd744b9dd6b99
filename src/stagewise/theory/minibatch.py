"""Mini-batches: what the noise of gradients does to learning times, to second order in the step.

Two layers, squared loss. A step on a batch multiplies every hidden direction (u, v), a row of
[W₁ᵀ, W₂], by the same random I + ηM_t, M_t = [[0, G_t], [G_tᵀ, 0]] with G_t the batch's mean of
x eᵀ and e the residual at the saddle. The noise therefore vanishes at the saddle with the network
itself and raises no rank: times stay proportional to delta, and the slope is one over a Lyapunov
exponent of the product of the I + ηM_t. To second order the exponents follow from the variances over
the samples of M's entries in its own eigenbasis. docs/practice.md has the derivations.
"""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.theory.growth import DESCENT, GrowthRule


@dataclass(frozen=True)
class SaddleNoise:
    """Eigendirections of M at a saddle and how their couplings vary over the samples.

    sigma : (directions,), eigenvalues of M: zeros of the directions that are learned, then descending:
    the singular values of the residual moments, zeros, and those singular values with a minus.
    variances : (directions, directions), V_jk, the variance over samples of q_jᵀ m q_k with
    m = [[0, x eᵀ], [e xᵀ, 0]]. samples : their number n.
    """

    sigma: FloatArray
    variances: FloatArray
    samples: int

    @classmethod
    def of(
        cls,
        inputs: FloatArray,
        outputs: FloatArray,
        learned: FloatArray | None = None,
        rank: int = 0,
    ) -> "SaddleNoise":
        """At the saddle where the network is this map; None is the origin.

        inputs : (n, dim_in). outputs : (n, dim_out). learned : (dim_in, dim_out), a critical point
        of rank `rank` (reduced-rank regression is one): its singular directions [u; v]/√2 lie in M's
        null space and come first. One pass, O(n (dim_in + dim_out)²).
        """
        residuals = outputs if learned is None else outputs - inputs @ learned
        dim_in, size = inputs.shape[1], inputs.shape[1] + outputs.shape[1]
        moments = np.zeros((size, size))
        moments[:dim_in, dim_in:] = inputs.T @ residuals / len(inputs)
        moments += moments.T
        first = np.empty((size, 0))
        if learned is not None:
            left, _, right = np.linalg.svd(learned, full_matrices=False)
            first = np.vstack([left[:, :rank], right[:rank].T]) / np.sqrt(2)
        rest = np.linalg.svd(first, full_matrices=True)[0][:, rank:]
        values, vectors = np.linalg.eigh(rest.T @ moments @ rest)
        basis = np.hstack([first, rest @ vectors[:, ::-1]])
        return cls(
            sigma=np.concatenate([np.zeros(rank), values[::-1]]),
            variances=pair_variances(inputs @ basis[:dim_in], residuals @ basis[dim_in:]),
            samples=len(inputs),
        )


def pair_variances(inputs: FloatArray, residuals: FloatArray) -> FloatArray:
    """V_jk = Var over samples of a_j c_k + a_k c_j, (directions, directions).

    inputs, residuals : (n, directions), a and c: each sample's coordinates along the directions.
    """
    samples = len(inputs)
    square = (inputs**2).T @ residuals**2
    both = inputs * residuals
    mean = inputs.T @ residuals / samples
    total = (square + square.T + 2 * both.T @ both) / samples
    return np.asarray(total - (mean + mean.T) ** 2)


def batch_exponents(
    noise: SaddleNoise,
    step_size: float,
    batch_size: int,
    count: int,
    *,
    replace: bool = True,
    repulsion: bool = True,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """The largest `count` Lyapunov exponents per iteration, to second order in the noise.

    With s_j = dg/dx at σ_j (1/(1 + ησ_j) for descent) and draws with replacement:
        γ_k = g(σ_k) − (η²/B)[½ V_kk s_k² + Σ_{j<k} V_jk s_j s_k].
    The sum is a repulsion of levels: it comes from E ln of the volume that k directions span, and
    repulsion=False leaves it out. Without replacement (descent only) the draws of an epoch of
    m = ⌊n/B⌋ batches repel one another, Cov = −Var/(m − 1), and with f = (n − B)/(n − 1)
        Σ_{l≤k} γ_l = Σ_{l≤k} ln μ_l − (η²f/B)[½Σ_{j,l≤k} V_jl/(μ_jμ_l) + Σ_{l≤k<j} V_lj φ(μ_j/μ_l)/μ_l²],
        φ(r) = Σ_{i=1}^{m−1} (m − i) r^{i−1}/(m(m − 1)).
    Source: derived; at the origin to the order said, at later saddles a heuristic that is checked.
    """
    sigma, variances = noise.sigma, noise.variances
    growth = rule.growth(step_size, sigma[:count])
    slope = rule.sensitivity(step_size, sigma[:count])
    strength = step_size**2 / batch_size
    inner = variances[:count, :count] * np.outer(slope, slope)
    if not repulsion:
        return np.asarray(growth - strength * np.diag(inner) / 2)
    volumes = np.array([inner[:k, :k].sum() / 2 for k in range(1, count + 1)])
    if not replace:
        batches = noise.samples // batch_size
        strength *= (noise.samples - batch_size) / (noise.samples - 1)
        factors = 1 + step_size * sigma
        for k in range(1, count + 1):
            kept, others = factors[:k, None], factors[None, k:]
            weights = _epoch_correlation(batches, others / kept) / kept**2
            volumes[k - 1] += (variances[:k, k:] * weights).sum()
    return np.asarray(growth - strength * np.diff(volumes, prepend=0.0))


def _epoch_correlation(batches: int, ratio: FloatArray) -> FloatArray:
    """φ(r) of `batch_exponents`, by Horner's scheme."""
    total = np.zeros_like(ratio)
    for lag in range(batches - 1, 0, -1):
        total = total * ratio + (batches - lag)
    return np.asarray(total / (batches * max(batches - 1, 1)))


def batch_scatter(
    noise: SaddleNoise,
    iterations: FloatArray,
    step_size: float,
    batch_size: int,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """Standard deviation over batches of learning times (modes,), draws with replacement.

    √(T η² V_kk/B) s_k/g(σ_k), for small steps √(T V_kk/B)/σ_k: the sampling error of σ_k estimated
    from the T·B samples that were seen. iterations : (modes,), T. Source: derived, a random walk of
    the log-amplitude that crosses a fixed level.
    """
    count = len(iterations)
    sigma = noise.sigma[:count]
    growth, slope = rule.growth(step_size, sigma), rule.sensitivity(step_size, sigma)
    spread = np.sqrt(iterations * np.diag(noise.variances)[:count] / batch_size)
    return np.asarray(step_size * spread * slope / growth)


def mixing(
    noise: SaddleNoise,
    step_size: float,
    batch_size: int,
    count: int,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """κ_k = (η_eff/2B) Σ_{j≠k} V_jk/|σ_k − σ_j|: the laws of this module need κ ≪ 1.

    The share of a mode's direction that noise mixes into others; where κ ≳ 1 noise speeds escape
    instead of delaying it.
    """
    gaps = np.abs(noise.sigma[:count, None] - noise.sigma[None, :])
    gaps[np.arange(count), np.arange(count)] = np.inf
    with np.errstate(divide="ignore"):
        shares = np.where(gaps > 0, noise.variances[:count] / gaps, np.inf)
    return np.asarray(float(rule.speed(np.asarray(step_size))) / (2 * batch_size) * shares.sum(1))


def label_noise_exponent(
    step_size: float, noise_scale: float, batch_size: int, dim_in: int, dim_out: int
) -> float:
    """Exponent of pure label noise of standard deviation τ on white inputs, where σ = 0.

    (η²τ²/2B)√(dp)(1 − 8/(√d + √p)²): noise alone leaves the saddle once the dimensions are large.
    Source: derived for large dimensions; the bracket is the first correction, checked.
    """
    size = np.sqrt(dim_in * dim_out)
    bracket = 1 - 8 / (np.sqrt(dim_in) + np.sqrt(dim_out)) ** 2
    return float(step_size**2 * noise_scale**2 / (2 * batch_size) * size * bracket)


def diffusion_peak(depth: int, label_noise: float) -> float:
    """Share w/w* of a mode at which the variance of SGD's step of w is largest.

    depth : L ≥ 2, one mode, Gaussian inputs. label_noise : τ² over λw*², the labels' variance as a
    share of the mode's. Var(Δw) ∝ s^(4−4/L) [2(1 − s)² + τ²/(λw*²)]; without label noise the
    maximum is at (2L − 2)/(3L − 2), ½ for two layers, so exactly when the mode counts as learned.
    With label noise above 5√5 − 11 = .180 (two layers) the largest is at the end, s = 1. Source:
    derived: each step moves w by L w^(2−2/L) times the mode's gradient noise.
    """
    share = np.linspace(0, 1, 100_001)
    spread = share ** (4 - 4 / depth) * (2 * (1 - share) ** 2 + label_noise)
    return float(share[np.argmax(spread)])
