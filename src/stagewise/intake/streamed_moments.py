"""Means and second moments of streamed columns, whatever their offsets and units.

Every block is centred and scaled by powers of two, which round nothing, and merged with what came
before by the update of Chan, Golub and LeVeque (1983): to n samples of mean m come k of mean m',
and the sum of squares about the mean grows by that of the block and by nk/(n + k)·(m' − m)².
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Centred, Moments

WIDE_BYTES = 400_000_000
"""Rows of wide data are kept up to this size, as long as they are fewer than the inputs."""

_TILE = 512
"""Rows and columns of a matrix that are transposed at once."""

_FAR = 100.0
"""Means above so many standard deviations cost raw moments more than four of their sixteen digits."""


@dataclass(frozen=True)
class Statistics:
    """Columns in their own units: x = mean_x + scale_x·z, and second moments of z.

    mean_x (d,), mean_y (p,), scale_x (d,), scale_y (p,) > 0; xy (d, p) and yy (p,), the diagonal,
    are about the means. Either xx (d, d) is there, or rows, z itself for inputs (n, d) and outputs
    (n, p) where there are fewer rows than inputs.
    """

    n: int
    mean_x: FloatArray
    mean_y: FloatArray
    scale_x: FloatArray
    scale_y: FloatArray
    xy: FloatArray
    yy: FloatArray
    xx: FloatArray | None
    rows: tuple[FloatArray, FloatArray] | None

    @property
    def power_x(self) -> FloatArray:
        """Variances of the scaled inputs (d,)."""
        if self.rows is not None:
            return np.asarray(np.mean(self.rows[0] ** 2, axis=0))
        assert self.xx is not None
        return np.diag(self.xx)

    @property
    def deviation_x(self) -> FloatArray:
        """Standard deviations of the inputs in their units (d,)."""
        return np.asarray(self.scale_x * np.sqrt(self.power_x))

    @property
    def deviation_y(self) -> FloatArray:
        """Standard deviations of the outputs in their units (p,)."""
        return np.asarray(self.scale_y * np.sqrt(self.yy))

    def in_units(self, x: FloatArray, y: FloatArray) -> "Statistics":
        """The same columns measured in the units x (d,) and y (p,)."""
        return replace(
            self,
            mean_x=self.mean_x / x,
            mean_y=self.mean_y / y,
            scale_x=self.scale_x / x,
            scale_y=self.scale_y / y,
        )

    def without(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> "Statistics":
        """The statistics without some columns, by place."""
        x = np.delete(np.arange(len(self.mean_x)), inputs)
        y = np.delete(np.arange(len(self.mean_y)), outputs)
        return replace(
            self,
            mean_x=self.mean_x[x],
            mean_y=self.mean_y[y],
            scale_x=self.scale_x[x],
            scale_y=self.scale_y[y],
            xy=self.xy[np.ix_(x, y)],
            yy=self.yy[y],
            xx=None if self.xx is None else self.xx[np.ix_(x, x)],
            rows=None if self.rows is None else (self.rows[0][:, x], self.rows[1][:, y]),
        )

    def covariance_x(self) -> FloatArray:
        """Covariances of the scaled inputs (d, d)."""
        if self.rows is not None:
            return np.asarray(self.rows[0].T @ self.rows[0] / self.n)
        assert self.xx is not None
        return self.xx

    def moments(self) -> Moments:
        """Raw moments in the columns' units; with the centred ones where means far exceed spreads.

        Raises StagewiseError where they are too large or too small for floating-point numbers.
        """
        check_range(self)
        sigma_x = self.covariance_x() * np.outer(self.scale_x, self.scale_x)
        sigma_xy = self.xy * np.outer(self.scale_x, self.scale_y)
        far = [
            np.any(np.abs(mean) > _FAR * deviation)
            for mean, deviation in (
                (self.mean_x, self.deviation_x),
                (self.mean_y, self.deviation_y),
            )
        ]
        return Moments(
            sigma_x=sigma_x + np.outer(self.mean_x, self.mean_x),
            sigma_xy=sigma_xy + np.outer(self.mean_x, self.mean_y),
            mean_x=self.mean_x,
            mean_y=self.mean_y,
            tr_yy=float(np.sum(self.deviation_y**2) + self.mean_y @ self.mean_y),
            n=self.n,
            centred=Centred(sigma_x, sigma_xy) if any(far) else None,
        )


def of_moments(moments: Moments) -> Statistics:
    """Statistics of ready moments, whose variances below 1e-10 of the raw power are rounding.

    Variances of single outputs are not known and given as zeros.
    """
    power = np.diag(moments.sigma_x)
    centred = moments.centred or Centred(
        moments.sigma_x - np.outer(moments.mean_x, moments.mean_x),
        moments.sigma_xy - np.outer(moments.mean_x, moments.mean_y),
    )
    varied = np.diag(centred.sigma_x) > 1e-10 * power
    scale = _power_of_two(np.sqrt(np.where(varied, np.diag(centred.sigma_x), 0)))
    kept = np.where(varied, 1 / scale, 0.0)
    scale_y = np.full(len(moments.mean_y), _power_of_two(np.abs(centred.sigma_xy).max()))
    return Statistics(
        n=moments.n,
        mean_x=moments.mean_x,
        mean_y=moments.mean_y,
        scale_x=scale,
        scale_y=scale_y,
        xy=centred.sigma_xy * kept[:, None] / scale_y,
        yy=np.zeros(len(moments.mean_y)),
        xx=centred.sigma_x * np.outer(kept, kept),
        rows=None,
    )


def check_range(statistics: Statistics) -> None:
    """Refuse columns whose squares leave the range of floating-point numbers."""
    largest = [
        float(np.max(np.hypot(mean, deviation), initial=0))
        for mean, deviation in (
            (statistics.mean_x, statistics.deviation_x),
            (statistics.mean_y, statistics.deviation_y),
        )
    ]
    spread = min(float(np.max(each)) for each in (statistics.deviation_x, statistics.deviation_y))
    if not max(largest) < 1e120 or 0 < spread < 1e-120:
        raise StagewiseError(
            f"The columns reach {max(largest):.3g}, and the squares of some are too large or too "
            "small for floating-point numbers. Give them in other units."
        )


def statistics_of(blocks: Iterable[tuple[FloatArray, FloatArray]]) -> Statistics:
    """Statistics of all blocks (inputs, outputs), finite numbers; memory is O(d²) or less."""
    sums: _Sums | None = None
    kept: list[tuple[FloatArray, FloatArray]] = []
    size = count = 0
    for inputs, outputs in blocks:
        if sums is None and not kept:
            dim = inputs.shape[1]
        if sums is None:
            kept.append((inputs, outputs))
            count += len(inputs)
            size += inputs.nbytes
            if count <= dim and size <= WIDE_BYTES:
                continue
            sums = _Sums.like(*kept[0])
            for block in kept:
                sums.add(*block)
            kept = []
        else:
            sums.add(inputs, outputs)
    if sums is not None:
        return sums.statistics()
    if not kept:
        raise StagewiseError("The data set holds no samples; at least two are needed.")
    return _of_rows(*(np.vstack([block[place] for block in kept]) for place in (0, 1)))


def centre_and_scale(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean (c,), a power of two near the spread (c,), and (values − mean)/scale (n, c)."""
    mean = values.mean(axis=0)
    z = values - mean
    # What rounding left of the mean, far from zero, is in z without rounding.
    rest = z.mean(axis=0)
    z -= rest
    scale = _power_of_two(np.abs(z).max(axis=0))
    return mean + rest, scale, z / scale


def _power_of_two(size: FloatArray) -> FloatArray:
    exponent = np.frexp(np.where(size > 0, size, 1.0))[1]
    return np.asarray(np.ldexp(1.0, np.clip(exponent, -1000, 1000)))


def _of_rows(inputs: FloatArray, outputs: FloatArray) -> Statistics:
    mean_x, scale_x, x = centre_and_scale(inputs)
    mean_y, scale_y, y = centre_and_scale(outputs)
    count = len(x)
    return Statistics(
        n=count,
        mean_x=mean_x,
        mean_y=mean_y,
        scale_x=scale_x,
        scale_y=scale_y,
        xy=x.T @ y / count,
        yy=np.mean(y**2, axis=0),
        xx=None,
        rows=(x, y),
    )


@dataclass
class _Sums:
    """Running sums about running means, all in units of `scale`, inputs then outputs.

    Of the symmetric `xx` only the lower triangle is kept.
    """

    xx: FloatArray
    xy: FloatArray
    yy: FloatArray
    mean: FloatArray
    """Of the scaled columns, less `origin`."""
    origin: FloatArray
    scale: FloatArray
    n: int = 0

    @classmethod
    def like(cls, inputs: FloatArray, outputs: FloatArray) -> "_Sums":
        d, p = inputs.shape[1], outputs.shape[1]
        mean, scale, _ = centre_and_scale(np.hstack([inputs, outputs]))
        return cls(
            xx=np.zeros((d, d), order="F"),  # the order that BLAS updates in place
            xy=np.zeros((d, p)),
            yy=np.zeros(p),
            mean=np.zeros(d + p),
            origin=mean,
            scale=scale,
        )

    def add(self, inputs: FloatArray, outputs: FloatArray) -> None:
        from scipy.linalg.blas import dsyrk

        d, count = len(self.xx), len(inputs)
        z = np.empty((count + 1, len(self.mean)))
        z[:count, :d], z[:count, d:] = inputs, outputs
        z[:count] -= self.origin
        z[:count] /= self.scale
        mean = z[:count].mean(axis=0)
        z[:count] -= mean
        # The last row adds what the means of block and sums differ by.
        total = self.n + count
        z[count] = np.sqrt(self.n * count / total) * (mean - self.mean)
        self.mean += count / total * (mean - self.mean)
        self.n = total
        self.xx = dsyrk(1.0, z[:, :d].T, beta=1.0, c=self.xx, lower=1, overwrite_c=1)
        self.xy += z[:, :d].T @ z[:, d:]
        self.yy += np.sum(z[:, d:] ** 2, axis=0)

    def statistics(self) -> Statistics:
        d = len(self.xx)
        mean = self.origin + self.scale * self.mean
        self.xx /= self.n
        for at in range(0, d, _TILE):  # copies of the whole would take longer than the sums
            tile, rest = slice(at, at + _TILE), slice(at + _TILE, None)
            self.xx[tile, tile] = np.tril(self.xx[tile, tile])
            self.xx[tile, tile] += np.tril(self.xx[tile, tile], -1).T
            self.xx[tile, rest] = self.xx[rest, tile].T
        return Statistics(
            n=self.n,
            mean_x=mean[:d],
            mean_y=mean[d:],
            scale_x=self.scale[:d],
            scale_y=self.scale[d:],
            xy=self.xy / self.n,
            yy=self.yy / self.n,
            xx=self.xx,
            rows=None,
        )
