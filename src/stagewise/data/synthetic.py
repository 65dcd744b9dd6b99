"""Synthetic problems, built backwards where possible so that their answers are known."""

from dataclasses import replace

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.config.models import (
    AlignedData,
    AutoencoderData,
    LowRankMatrixData,
    LowRankRegressionData,
    PowerLawData,
    RandomModesData,
    RotatedData,
)
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem


def random_orthogonal(size: int, generator: np.random.Generator) -> FloatArray:
    """Orthogonal matrix (size, size) from the Haar measure."""
    factor, triangle = np.linalg.qr(generator.standard_normal((size, size)))
    return factor * np.sign(np.diag(triangle))


def aligned(
    sigma: FloatArray, lam: FloatArray, frame: str, generator: np.random.Generator
) -> Moments:
    """Moments with sigma_xy = U diag(sigma) Vᵀ and sigma_x = U diag(lam) Uᵀ.

    sigma, lam : (modes,). frame : "random" draws U and V, "coordinate" sets both to the identity.
    Source: Assumption 1 of Gidel et al. 2019 with B = 0.
    """
    modes = len(sigma)
    if frame == "coordinate":
        return Moments.prescribed(np.diag(lam), np.diag(sigma))
    left, right = (random_orthogonal(modes, generator) for _ in range(2))
    sigma_x = (left * lam) @ left.T
    return Moments.prescribed((sigma_x + sigma_x.T) / 2, (left * sigma) @ right.T)


def draw_aligned(spec: AlignedData, generator: np.random.Generator) -> Moments:
    """The prescribed problem in one draw of its frames."""
    lam = spec.sigma if spec.lam is None else spec.lam
    return aligned(np.array(spec.sigma), np.array(lam), spec.frame, generator)


def draw_random_modes(spec: RandomModesData, generator: np.random.Generator) -> Moments:
    """A commuting problem with random sigma (largest 1, descending) and lam."""
    weaker = generator.uniform(spec.sigma_ratio, 1.0, spec.modes - 1)
    sigma = np.concatenate([[1.0], np.sort(weaker)[::-1]])
    low, high = np.log(spec.lam_range)
    ratio = np.exp(generator.uniform(low, high, spec.modes))
    lam = np.full(spec.modes, ratio[0]) if spec.equal_lam else ratio * sigma
    moments = aligned(sigma, lam, spec.frame, generator)
    if spec.perturbation == 0:
        return moments
    left = Problem(moments.sigma_x, moments.sigma_xy).modes.left
    breaking = generator.standard_normal((spec.modes, spec.modes))
    breaking += breaking.T
    np.fill_diagonal(breaking, 0)
    breaking *= spec.perturbation * lam.min() / np.linalg.norm(breaking, ord=2)
    return Moments.prescribed(moments.sigma_x + left @ breaking @ left.T, moments.sigma_xy)


def draw_autoencoder(spec: AutoencoderData, generator: np.random.Generator) -> Moments:
    """Moments of the linear autoencoder Y = X = Bz + e.

    B has entries uniform on [0, 1] (dim, rank), z is Gaussian with variances that halve from one
    factor to the next, e is isotropic noise. Source: reconstructed; the paper's own parameters
    are not published.
    """
    mixing = generator.uniform(size=(spec.dim, spec.rank))
    spread = np.sqrt(spec.largest_variance * 0.5 ** np.arange(spec.rank))
    factors = spread * generator.standard_normal((spec.samples, spec.rank))
    noise = spec.noise * generator.standard_normal((spec.samples, spec.dim))
    inputs = factors @ mixing.T + noise
    return Moments.of_block(inputs, inputs)


def draw_rotated(spec: RotatedData, generator: np.random.Generator) -> Moments:
    """Moments with fixed spectra whose frames are apart by a chosen part of a random rotation.

    sigma_x = R diag(lam) Rᵀ with R on the geodesic from the identity (angle 0) to a Haar-random
    rotation (angle 1); sigma_xy has the first coordinate axes as left singular vectors.
    """
    import scipy.linalg  # every job imports this module

    target = random_orthogonal(spec.dim_in, generator)
    if np.linalg.det(target) < 0:
        target[:, 0] = -target[:, 0]
    lam = generator.permutation(np.geomspace(spec.lam_range[0], spec.lam_range[1], spec.dim_in))
    rotation = scipy.linalg.expm(spec.angle * scipy.linalg.logm(target).real)
    sigma_x = (rotation * lam) @ rotation.T
    sigma = spec.sigma_decay ** np.arange(spec.modes)
    sigma_xy = np.zeros((spec.dim_in, spec.modes))
    sigma_xy[: spec.modes] = np.diag(sigma) @ random_orthogonal(spec.modes, generator)
    return Moments.prescribed((sigma_x + sigma_x.T) / 2, sigma_xy)


def draw_power_law(spec: PowerLawData, generator: np.random.Generator) -> Moments:
    """Moments sigma_x = diag(i^-decay) and sigma_xy = sigma_x·W with a Gaussian W.

    Column k of W (dim_in, dim_out) is scaled by output_decay^k.
    """
    lam = np.arange(1.0, spec.dim_in + 1) ** -spec.decay
    scale = spec.output_decay ** np.arange(spec.dim_out)
    teacher = generator.standard_normal((spec.dim_in, spec.dim_out)) * scale
    return Moments.prescribed(np.diag(lam), np.asarray(lam[:, None] * teacher))


def draw_low_rank_regression(
    spec: LowRankRegressionData, generator: np.random.Generator
) -> Moments:
    """Moments of y = Wᵀx + noise; the teacher W has singular values strength·(rank, …, 2, 1).

    Held out are the moments of all such inputs, with the teacher's outputs free of noise.
    """
    left = random_orthogonal(spec.dim_in, generator)[:, : spec.rank]
    right = random_orthogonal(spec.dim_out, generator)[:, : spec.rank]
    teacher = spec.strength * (left * np.arange(spec.rank, 0, -1.0)) @ right.T
    spread = np.arange(1, spec.dim_in + 1) ** (-spec.input_decay / 2)
    one_hot = spec.inputs == "one_hot"
    inputs = spread * (
        np.eye(spec.dim_in) if one_hot else generator.standard_normal((spec.samples, spec.dim_in))
    )
    noise = spec.noise * generator.standard_normal((spec.samples, spec.dim_out))
    population = np.diag(spread**2 / (spec.dim_in if one_hot else 1))
    return replace(
        Moments.of_block(inputs, inputs @ teacher + noise),
        held_out=Moments.prescribed(population, population @ teacher),
    )


def low_rank_matrices(
    spec: LowRankMatrixData, rank: int, generator: np.random.Generator
) -> list[Moments]:
    """One random target of a rank, once for each share of its entries that is observed.

    Its singular vectors are Haar random, singular value k is 2^(rank − k). The entries observed are
    a uniformly random set of the size asked for, each set within the larger ones.
    """
    left, right = (
        random_orthogonal(size, generator)[:, :rank] for size in (spec.dim_in, spec.dim_out)
    )
    target = (left * 2.0 ** np.arange(rank - 1, -1, -1)) @ right.T
    place = generator.permutation(target.size).reshape(target.shape)
    return [
        Moments.prescribed(
            np.eye(spec.dim_in), target, (place < round(share * target.size)).astype(np.float64)
        )
        for share in spec.observed
    ]
