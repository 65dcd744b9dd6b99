"""Second moments of data that never has to be in memory at once: stream, merge, centre."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem


@dataclass(frozen=True)
class Moments:
    """Raw (uncentred) moments of `n` samples; centring is derived from the means.

    sigma_x : (dim_in, dim_in) XᵀX/n. sigma_xy : (dim_in, dim_out) XᵀY/n.
    mean_x : (dim_in,). mean_y : (dim_out,). tr_yy : trace of YᵀY/n.
    n : number of samples; 0 where moments were prescribed and no sample exists.
    """

    sigma_x: FloatArray
    sigma_xy: FloatArray
    mean_x: FloatArray
    mean_y: FloatArray
    tr_yy: float
    n: int

    @classmethod
    def of_block(cls, inputs: FloatArray, outputs: FloatArray) -> "Moments":
        """Moments of one block: inputs (n, dim_in), outputs (n, dim_out)."""
        if inputs.ndim != 2 or outputs.ndim != 2 or len(inputs) != len(outputs):
            raise StagewiseError(
                f"Inputs have shape {inputs.shape} and outputs {outputs.shape}; they must be "
                "(n, dim_in) and (n, dim_out) with the same n."
            )
        count = len(inputs)
        if count == 0:
            raise StagewiseError("A block of data holds no samples; at least one is needed.")
        return cls(
            sigma_x=inputs.T @ inputs / count,
            sigma_xy=inputs.T @ outputs / count,
            mean_x=inputs.mean(axis=0),
            mean_y=outputs.mean(axis=0),
            tr_yy=float(np.sum(outputs**2) / count),
            n=count,
        )

    @classmethod
    def prescribed(cls, sigma_x: FloatArray, sigma_xy: FloatArray) -> "Moments":
        """Moments given outright: means zero, no samples, tr_yy that of an exact fit."""
        fit = Problem(sigma_x, sigma_xy).least_squares
        return cls(
            sigma_x=sigma_x,
            sigma_xy=sigma_xy,
            mean_x=np.zeros(sigma_xy.shape[0]),
            mean_y=np.zeros(sigma_xy.shape[1]),
            tr_yy=float(np.sum(sigma_xy * fit)),
            n=0,
        )

    def merged(self, other: "Moments") -> "Moments":
        """Moments of both samples together (associative and commutative up to rounding)."""
        total = self.n + other.n
        if total == 0:
            raise StagewiseError("Prescribed moments carry no sample count and cannot be merged.")
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

    def problem(self, centred: bool) -> Problem:
        """The regression problem, with X and Y minus their means when `centred`."""
        if not centred:
            return Problem(self.sigma_x, self.sigma_xy)
        return Problem(
            self.sigma_x - np.outer(self.mean_x, self.mean_x),
            self.sigma_xy - np.outer(self.mean_x, self.mean_y),
        )


def stream_moments(blocks: Iterable[tuple[FloatArray, FloatArray]]) -> Moments:
    """Moments of all blocks (inputs, outputs); memory is one block and O(dim_in²)."""
    parts = (Moments.of_block(inputs, outputs) for inputs, outputs in blocks)
    try:
        first = next(parts)
    except StopIteration:
        raise StagewiseError("The data set holds no samples; at least one is needed.") from None
    return reduce(Moments.merged, parts, first)
