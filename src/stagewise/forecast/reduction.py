"""Problems of many inputs or outputs in the few coordinates that training can see.

Rows fewer than inputs: weights outside of the rows' span are never moved, so that the span's own
coordinates hold the whole course. Few outputs: W₁ grows out of sigma_xy by products with sigma_x,
so that it stays near the block Krylov space of the two. Both keep the law of a Gaussian start,
which looks the same in every orthonormal frame.
"""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.forecast.laws import integrate
from stagewise.intake.streamed_moments import Statistics
from stagewise.problems.problem import Problem

SMALL = 1000
"""Inputs up to which nothing is reduced."""
KRYLOV = 800
"""Largest dimension of the Krylov space that stands for more inputs than `SMALL`."""
_ROUNDING = 1e-13
_FIRST, _GROWTH, _UNCHANGED = 60, 1.5, 1e-8
"""Dimensions at which learning times are looked at first, their growth until the next look, and the
relative change of times that is none."""


def operations(rows: int, dim_in: int, dim_out: int) -> float:
    """About how many the moments, least squares and the problem of a data set take."""
    small = min(rows, dim_in)
    moments = rows * dim_in * small + small**3 / 3
    if small <= SMALL or dim_out * 20 <= KRYLOV:
        return float(moments + KRYLOV * dim_in * small)
    return float(moments + 10 * dim_in**3)  # eigenvalues


def reduced(statistics: Statistics, centred: bool) -> Problem:
    """The problem of a data set, in few coordinates where it has many inputs."""
    dim_in, dim_out = statistics.xy.shape
    if dim_in <= SMALL:
        return _whole(statistics, centred)
    if statistics.rows is not None and statistics.n <= SMALL:
        return _of_rows(statistics, centred)
    if dim_out * 20 <= KRYLOV:
        return _krylov(statistics, centred)
    return _whole(statistics, centred)


def _means(statistics: Statistics, centred: bool) -> tuple[FloatArray, FloatArray]:
    if centred:
        return np.zeros_like(statistics.mean_x), np.zeros_like(statistics.mean_y)
    return statistics.mean_x, statistics.mean_y


def _cross(statistics: Statistics, centred: bool) -> FloatArray:
    mean_x, mean_y = _means(statistics, centred)
    scaled = statistics.xy * np.outer(statistics.scale_x, statistics.scale_y)
    return np.asarray(scaled + np.outer(mean_x, mean_y))


def _whole(statistics: Statistics, centred: bool) -> Problem:
    mean_x, _ = _means(statistics, centred)
    sigma_x = statistics.covariance_x() * np.outer(statistics.scale_x, statistics.scale_x)
    return Problem(sigma_x + np.outer(mean_x, mean_x), _cross(statistics, centred))


def _of_rows(statistics: Statistics, centred: bool) -> Problem:
    """In the span of the rows: X = U diag(√(nλ)) Vᵀ gives sigma_x = diag(λ) and its part of sigma_xy."""
    assert statistics.rows is not None
    mean_x, mean_y = _means(statistics, centred)
    x = statistics.rows[0] * statistics.scale_x + mean_x
    y = statistics.rows[1] * statistics.scale_y + mean_y
    values, left = np.linalg.eigh(x @ x.T / statistics.n)
    kept = values > _ROUNDING * values[-1]
    values, left = values[kept], left[:, kept]
    return Problem(np.diag(values), np.sqrt(values / statistics.n)[:, None] * (left.T @ y))


def _krylov(statistics: Statistics, centred: bool) -> Problem:
    """In the span of sigma_xy, sigma_x sigma_xy, sigma_x² sigma_xy, …, orthonormalised.

    It grows until learning times no longer change, or to `KRYLOV` dimensions.
    """
    mean_x, _ = _means(statistics, centred)
    scale = statistics.scale_x[:, None]
    count = statistics.n

    def product(vectors: FloatArray) -> FloatArray:
        if statistics.rows is not None:
            image = statistics.rows[0].T @ (statistics.rows[0] @ (scale * vectors)) / count
        else:
            image = statistics.covariance_x() @ (scale * vectors)
        image *= scale
        return np.asarray(image if centred else image + np.outer(mean_x, mean_x @ vectors))

    sigma_xy = _cross(statistics, centred)
    frame, images = np.empty((2, len(scale), KRYLOV))
    block = np.linalg.qr(sigma_xy)[0]
    size, due = 0, _FIRST
    times = np.full(1, np.nan)
    while block.shape[1] and size + block.shape[1] <= KRYLOV:
        size += block.shape[1]
        new = slice(size - block.shape[1], size)
        frame[:, new], images[:, new] = block, product(block)
        if size >= due:
            before, times = times, _times(_projected(frame, images, size, sigma_xy), len(scale))
            if np.allclose(times, before, rtol=_UNCHANGED, atol=0):
                break
            due = int(_GROWTH * size)
        block = images[:, new]
        norm = np.linalg.norm(block, axis=0).max()
        for _ in range(2):  # once leaves rounding behind
            block = block - frame[:, :size] @ (frame[:, :size].T @ block)
        block, triangle = np.linalg.qr(block)
        block = block[:, np.abs(np.diag(triangle)) > _ROUNDING * norm]
    return _projected(frame, images, size, sigma_xy)


def _projected(frame: FloatArray, images: FloatArray, size: int, sigma_xy: FloatArray) -> Problem:
    """In the first vectors of an orthonormal frame, whose images under sigma_x are known."""
    sigma_x = frame[:, :size].T @ images[:, :size]
    return Problem((sigma_x + sigma_x.T) / 2, frame[:, :size].T @ sigma_xy)


def _times(problem: Problem, dim_in: int) -> FloatArray:
    """Learning times of a usual run on data of so many inputs, and the largest eigenvalue."""
    stages = len(problem.modes.sigma)
    step_size = 0.25 / max(problem.eigenvalues[-1], problem.modes.sigma[0])
    run = integrate(problem, float(step_size), 16.0, stages, stages, dim_in)
    return np.append(run.learning_iterations[0], problem.eigenvalues[-1])


def in_few_outputs(problem: Problem) -> Problem:
    """Turned so that there are no more outputs than inputs; the others have no covariance.

    The second layer's start looks the same in every frame, and of the coordinates left out only
    products with the small start reach the rest.
    """
    if problem.dim_out <= problem.dim_in:
        return problem
    left, sigma, _ = np.linalg.svd(problem.sigma_xy, full_matrices=False)
    return Problem(problem.sigma_x, left * sigma)
