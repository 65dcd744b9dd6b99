"""Second moments of data that never has to be in memory at once: stream, merge, centre."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Completion, HeldOut, Problem


@dataclass(frozen=True)
class Centred:
    """Covariances, where means are so large that subtracting them from raw moments rounds.

    sigma_x : (dim_in, dim_in). sigma_xy : (dim_in, dim_out).
    """

    sigma_x: FloatArray
    sigma_xy: FloatArray


@dataclass(frozen=True)
class Moments:
    """Raw (uncentred) moments of `n` samples; centring is derived from the means.

    sigma_x : (dim_in, dim_in) XᵀX/n. sigma_xy : (dim_in, dim_out) XᵀY/n.
    mean_x : (dim_in,). mean_y : (dim_out,). tr_yy : trace of YᵀY/n.
    n : number of samples; 0 where moments were prescribed and no sample exists.
    observed : None, or which entries of sigma_xy are seen; see `Completion`.
    held_out : moments of other samples of the same kind, to try what was learned on.
    centred : the covariances, if they are known better than the raw moments tell.
    Means that are NaN are not known; the moments are then those about the means.
    """

    sigma_x: FloatArray
    sigma_xy: FloatArray
    mean_x: FloatArray
    mean_y: FloatArray
    tr_yy: float
    n: int
    observed: FloatArray | None = None
    held_out: "Moments | None" = None
    centred: Centred | None = None

    @classmethod
    def of_block(cls, inputs: FloatArray, outputs: FloatArray) -> "Moments":
        """Moments of one block: inputs (n, dim_in), outputs (n, dim_out)."""
        _check_block(inputs, outputs)
        count = len(inputs)
        return cls(
            sigma_x=inputs.T @ inputs / count,
            sigma_xy=inputs.T @ outputs / count,
            mean_x=inputs.mean(axis=0),
            mean_y=outputs.mean(axis=0),
            tr_yy=float(np.sum(outputs**2) / count),
            n=count,
        )

    @classmethod
    def prescribed(
        cls, sigma_x: FloatArray, sigma_xy: FloatArray, observed: FloatArray | None = None
    ) -> "Moments":
        """Moments given outright: means zero, no samples, tr_yy that of an exact fit."""
        given = cls(
            sigma_x=sigma_x,
            sigma_xy=sigma_xy,
            mean_x=np.zeros(sigma_xy.shape[0]),
            mean_y=np.zeros(sigma_xy.shape[1]),
            tr_yy=np.nan,
            n=0,
            observed=observed,
        )
        fit = given.problem(centred=False).least_squares
        return replace(given, tr_yy=float(np.sum(sigma_xy * fit)))

    def merged(self, other: "Moments") -> "Moments":
        """Moments of both samples together (associative and commutative up to rounding)."""
        if 0 in (self.n, other.n):
            raise StagewiseError("Prescribed moments carry no sample count and cannot be merged.")
        if self.sigma_xy.shape != other.sigma_xy.shape:
            raise StagewiseError(
                f"Moments with sigma_xy {self.sigma_xy.shape} and {other.sigma_xy.shape} cannot be "
                "merged; blocks of one data set agree in dim_in and dim_out."
            )
        total = self.n + other.n
        share = other.n / total

        def mix(mine: FloatArray, theirs: FloatArray) -> FloatArray:
            return mine + share * (theirs - mine)

        return Moments(
            sigma_x=mix(self.sigma_x, other.sigma_x),
            sigma_xy=mix(self.sigma_xy, other.sigma_xy),
            mean_x=mix(self.mean_x, other.mean_x),
            mean_y=mix(self.mean_y, other.mean_y),
            tr_yy=self.tr_yy + share * (other.tr_yy - self.tr_yy),
            n=total,
        )

    @property
    def means_known(self) -> bool:
        """Whether there are uncentred moments too."""
        return not np.isnan(self.mean_x).any()

    def problem(self, centred: bool) -> Problem:
        """The regression problem, with X and Y minus their means when `centred`.

        Held-out data are taken about the means of these data, as a prediction would be. Raises
        StagewiseError for uncentred moments where the means are not known.
        """
        if not self.means_known:
            if not centred:
                raise StagewiseError(
                    "The means of these data are not known, so there are centred moments only; "
                    "set centred to true."
                )
            return Problem(self.sigma_x, self.sigma_xy)
        if self.observed is not None:  # a target has no mean to subtract
            if not np.array_equal(self.sigma_x, np.eye(len(self.sigma_x))):
                raise StagewiseError(
                    "observed is given, but sigma_x is not the identity. Completion observes entries "
                    "of the target itself, without inputs."
                )
            return Completion(self.sigma_xy, self.observed)
        if not centred:
            origin = np.zeros(self.sigma_xy.shape[0]), np.zeros(self.sigma_xy.shape[1])
            held_out = self._held_out_about(*origin)
            return Problem(self.sigma_x, self.sigma_xy, held_out)
        if self.centred is not None:
            return Problem(
                self.centred.sigma_x,
                self.centred.sigma_xy,
                held_out=self._held_out_about(self.mean_x, self.mean_y),
            )
        return Problem(
            self.sigma_x - np.outer(self.mean_x, self.mean_x),
            self.sigma_xy - np.outer(self.mean_x, self.mean_y),
            held_out=self._held_out_about(self.mean_x, self.mean_y),
        )

    def _held_out_about(self, x: FloatArray, y: FloatArray) -> HeldOut | None:
        """Moments of the held-out X − x and Y − y."""
        if self.held_out is None:
            return None
        other = self.held_out
        cross = np.outer(other.mean_x, x)
        return HeldOut(
            other.sigma_x - cross - cross.T + np.outer(x, x),
            other.sigma_xy - np.outer(other.mean_x, y) - np.outer(x, other.mean_y - y),
            other.tr_yy - float((2 * other.mean_y - y) @ y),
        )


def stream_moments(blocks: Iterable[tuple[FloatArray, FloatArray]]) -> Moments:
    """Moments of all blocks (inputs, outputs), equal to those of the blocks merged, to rounding.

    Memory is one block and one (dim_in, dim_in) matrix, however many blocks there are.
    Raises StagewiseError for no blocks, empty ones, and shapes that do not fit.
    """
    sums: _Sums | None = None
    for inputs, outputs in blocks:
        _check_block(inputs, outputs)
        sums = sums or _Sums.empty(inputs.shape[1], outputs.shape[1])
        sums.add(inputs, outputs)
    if sums is None:
        raise StagewiseError("The data set holds no samples; at least one is needed.")
    return sums.moments()


@dataclass
class _Sums:
    """Running sums over samples; of the symmetric `xx` only the lower triangle is kept."""

    xx: FloatArray
    xy: FloatArray
    x: FloatArray
    y: FloatArray
    yy: float = 0.0
    n: int = 0

    @classmethod
    def empty(cls, dim_in: int, dim_out: int) -> "_Sums":
        return cls(
            xx=np.zeros((dim_in, dim_in), order="F"),  # the order that BLAS updates in place
            xy=np.zeros((dim_in, dim_out)),
            x=np.zeros(dim_in),
            y=np.zeros(dim_out),
        )

    def add(self, inputs: FloatArray, outputs: FloatArray) -> None:
        if (inputs.shape[1], outputs.shape[1]) != self.xy.shape:
            raise StagewiseError(
                f"A block has inputs of shape {inputs.shape} and outputs of shape {outputs.shape} "
                f"after blocks with {self.xy.shape[0]} inputs and {self.xy.shape[1]} outputs; "
                "every block must have the same columns."
            )
        if len(self.xx):
            from scipy.linalg.blas import dsyrk  # every job imports this module, few stream

            self.xx = dsyrk(1.0, inputs.T, beta=1.0, c=self.xx, lower=1, overwrite_c=1)
        self.xy += inputs.T @ outputs
        self.x += inputs.sum(axis=0)
        self.y += outputs.sum(axis=0)
        self.yy += float(np.sum(outputs**2))
        self.n += len(inputs)

    def moments(self) -> Moments:
        """The means; `xx` is completed and scaled in place and belongs to the result."""
        dim, size = len(self.xx), 64
        for start in range(0, dim, size):
            stop = min(start + size, dim)
            corner = np.tril(self.xx[start:stop, start:stop])
            self.xx[start:stop, start:stop] = corner + np.tril(corner, -1).T
            self.xx[start:stop, stop:] = self.xx[stop:, start:stop].T
        self.xx /= self.n
        return Moments(
            sigma_x=self.xx.T,
            sigma_xy=self.xy / self.n,
            mean_x=self.x / self.n,
            mean_y=self.y / self.n,
            tr_yy=self.yy / self.n,
            n=self.n,
        )


def _check_block(inputs: FloatArray, outputs: FloatArray) -> None:
    if inputs.ndim != 2 or outputs.ndim != 2 or len(inputs) != len(outputs):
        raise StagewiseError(
            f"Inputs have shape {inputs.shape} and outputs {outputs.shape}; they must be "
            "(n, dim_in) and (n, dim_out) with the same n."
        )
    if len(inputs) == 0:
        raise StagewiseError("A block of data holds no samples; at least one is needed.")
