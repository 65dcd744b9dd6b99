"""What a forecast needs of a data set: its problem, in few coordinates, and explained shares."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from stagewise.arrays import AnyArray, FloatArray
from stagewise.forecast.reduction import reduced
from stagewise.intake.streamed_moments import Statistics
from stagewise.problems.problem import Problem

_NOTHING = 1e-10
"""Share of the explained variance that is hardly more than rounding."""
_INSIDE = 1e-6
"""Share of the means' length that may lie outside of the inputs' span by rounding."""


@dataclass(frozen=True)
class Regression:
    """problem : in coordinates that hold all that training sees. dim_in, dim_out : of the data.

    explained : (dim_out,), output variance that the best map of rank 1, 2, … explains, ascending.
    total : output variance; None where it is not known. Both in units of unit_y².
    """

    problem: Problem
    dim_in: int
    dim_out: int
    explained: FloatArray
    total: float | None
    unit_y: float

    @property
    def explained_share(self) -> float | None:
        """Share of the output variance that least squares explains, from 0 to 1."""
        if self.total is None or not self.total > 0:
            return None
        share = float(self.explained[-1]) / self.total
        # Rounding alone goes no further; what does is not the variance of these outputs.
        return None if share > 1 + 1e-6 else min(share, 1.0)

    @property
    def rank(self) -> int:
        """Rank of the least-squares map, in whatever units, up to rounding."""
        return int(np.sum(np.diff(self.explained, prepend=0) > _NOTHING * self.explained[-1]))

    @property
    def rank_shares(self) -> FloatArray:
        """Of the explained variance, what maps of rank 1, 2, … explain (dim_out,)."""
        if not self.explained[-1] > 0:
            return np.ones_like(self.explained)
        return np.asarray(np.minimum(self.explained / self.explained[-1], 1.0))


def regression(statistics: Statistics, centred: bool) -> Regression:
    """The regression of a data set, from columns in whatever units and however far from zero."""
    explained, total = explained_variance(statistics, centred)
    return Regression(
        problem=reduced(statistics, centred),
        dim_in=len(statistics.mean_x),
        dim_out=len(statistics.mean_y),
        explained=explained,
        total=total,
        unit_y=float(statistics.scale_y.max()),
    )


def explained_variance(statistics: Statistics, centred: bool) -> tuple[FloatArray, float]:
    """Output variance that maps of rank 1, 2, … explain (dim_out,), and all of it.

    Least squares on columns of unit variance by a pivoted Cholesky factor, which leaves out what
    others determine up to rounding. Without centring, the mean products are added to the inverse
    by Sherman and Morrison's formula. In units of the largest scale of the outputs.
    """
    unit = statistics.scale_y / statistics.scale_y.max()
    total = float(np.sum(statistics.yy * unit**2))
    mean_y = statistics.mean_y / statistics.scale_y.max()
    power = statistics.power_x
    varied = power > 0
    spread = np.sqrt(power[varied])
    mean_x = statistics.mean_x[varied] / statistics.scale_x[varied] / spread
    if statistics.rows is not None:
        x, y = statistics.rows
        return _of_rows(
            x[:, varied] / spread + (0 if centred else mean_x),
            y * unit + (0 if centred else mean_y),
            intercept=not centred and bool((~varied & (statistics.mean_x != 0)).any()),
        )
    covariance_x = statistics.covariance_x()
    if not varied.all():  # a copy takes a while
        covariance_x = covariance_x[np.ix_(varied, varied)]
    correlation = covariance_x / np.outer(spread, spread)
    lower, pivots, rank, _ = dpstrf(correlation.T, lower=1, overwrite_a=1)
    order = pivots - 1
    covariance = statistics.xy[varied] / spread[:, None] * unit

    def solved(right: FloatArray) -> FloatArray:
        return np.asarray(solve_triangular(lower[:rank, :rank], right[order][:rank], lower=True))

    half = solved(covariance)
    if centred:
        return _ascending(half), total
    total += float(mean_y @ mean_y)
    image = solved(mean_x)
    outside = mean_x[order][rank:] - lower[rank:, :rank] @ image
    constant = (~varied & (statistics.mean_x != 0)).any()
    if constant or np.linalg.norm(outside) > _INSIDE * np.linalg.norm(mean_x):
        return _ascending(
            np.vstack([half, mean_y])
        ), total  # some map of the inputs is an intercept
    size, along = float(image @ image), half.T @ image
    cross = np.outer(along, mean_y)
    explained = half.T @ half + (
        cross + cross.T + size * np.outer(mean_y, mean_y) - np.outer(along, along)
    ) / (1 + size)
    return _sums(np.linalg.eigvalsh((explained + explained.T) / 2), len(mean_y)), total


def _of_rows(x: FloatArray, y: FloatArray, intercept: bool) -> tuple[FloatArray, float]:
    """The same from rows (n, d) and (n, p), n at most d, by the (n, n) matrix of products."""
    count = len(x)
    if intercept:
        x = np.hstack([x, np.ones((count, 1))])
    factor, pivots, rank, _ = dpstrf(x @ x.T, lower=1)
    span = np.linalg.qr(np.tril(factor)[:, :rank])[0]
    fit = span.T @ y[pivots - 1]
    return _ascending(fit / np.sqrt(count)), float(np.sum(y**2) / count)


def _ascending(half: FloatArray) -> FloatArray:
    """Sums of the largest eigenvalues of halfᵀ half: half (rows, p) → (p,)."""
    rows, size = half.shape
    gram = half.T @ half if size <= rows else half @ half.T
    return _sums(np.linalg.eigvalsh(gram), size)


def _sums(values: AnyArray, size: int) -> FloatArray:
    largest = np.clip(values[::-1], 0, None)
    return np.asarray(np.cumsum(np.pad(largest, (0, size - len(largest)))))
