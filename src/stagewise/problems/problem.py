"""A learning problem as its second moments, and the decomposition everything else is read in.

Conventions: inputs have `dim_in` = d coordinates and outputs `dim_out` = p. `sigma_x` is XᵀX/n
(d, d), `sigma_xy` is XᵀY/n (d, p), and a network's end-to-end map W is (d, p): it predicts XW.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError

RANK_TOLERANCE = 1e-10
"""Singular values of sigma_xy below this share of the largest one count as zero."""


@dataclass(frozen=True)
class HeldOut:
    """Second moments of data that a map is tried on, about the means of the training data.

    sigma_x : (dim_in, dim_in). sigma_xy : (dim_in, dim_out). tr_yy : mean squared size of targets.
    """

    sigma_x: FloatArray
    sigma_xy: FloatArray
    tr_yy: float

    def error(self, product: FloatArray) -> float:
        """Squared error of a map (dim_in, dim_out), as a share of the targets' squared size."""
        fit = np.sum(product * (self.sigma_x @ product - 2 * self.sigma_xy))
        return float(1 + fit / self.tr_yy)


@dataclass(frozen=True)
class Problem:
    """Second moments of a regression problem.

    sigma_x : (dim_in, dim_in), symmetric positive semi-definite.
    sigma_xy : (dim_in, dim_out).
    held_out : moments of data to try maps on, if there are any.
    Raises StagewiseError for shapes that do not fit, non-finite entries, or a `sigma_x` that is
    not symmetric; and when it is first decomposed, unless it is positive semi-definite and sees all
    of sigma_xy. Arrays are shared, never written to.
    """

    sigma_x: FloatArray
    sigma_xy: FloatArray
    held_out: HeldOut | None = None

    def __post_init__(self) -> None:
        check_moments(self.sigma_x, self.sigma_xy)

    @property
    def dim_in(self) -> int:
        return int(self.sigma_xy.shape[0])

    @property
    def dim_out(self) -> int:
        return int(self.sigma_xy.shape[1])

    @property
    def observed_share(self) -> float:
        """Share of the target's entries that the loss sees."""
        return 1.0

    @property
    def curvature(self) -> FloatArray:
        """In the eigenbasis, the gradient in W is curvature ∘ W − seen (dim_in, dim_out)."""
        return np.repeat(self.eigenvalues[:, None], self.dim_out, axis=1)

    @property
    def seen(self) -> FloatArray:
        """sigma_xy as far as the loss sees it, in the eigenbasis (dim_in, dim_out)."""
        return np.asarray(self.eigenvectors.T @ self.sigma_xy)

    @cached_property
    def _eigen(self) -> tuple[FloatArray, FloatArray]:
        diagonal = np.diag(self.sigma_x)
        if np.count_nonzero(self.sigma_x) == np.count_nonzero(diagonal):  # seconds in 3072 pixels
            order = np.argsort(diagonal, kind="stable")
            values, vectors = diagonal[order], np.eye(self.dim_in)[:, order]
        else:
            values, vectors = np.linalg.eigh(self.sigma_x)
        _check_spectrum(values, vectors, self.sigma_xy)
        return values, vectors

    @property
    def eigenvalues(self) -> FloatArray:
        """Eigenvalues of sigma_x, ascending (dim_in,)."""
        return self._eigen[0]

    @property
    def eigenvectors(self) -> FloatArray:
        """Eigenvectors of sigma_x in the columns (dim_in, dim_in)."""
        return self._eigen[1]

    @cached_property
    def modes(self) -> "Modes":
        """Singular modes of sigma_xy, strongest first; see `Modes`."""
        left, sigma, right = np.linalg.svd(self.sigma_xy, full_matrices=False)
        kept = int(np.sum(sigma > RANK_TOLERANCE * sigma[0]))
        if kept == 0:
            raise StagewiseError(
                "sigma_xy is zero, so there is no mode to learn. Inputs and outputs must covary: "
                "check that the targets are not constant."
            )
        left = left[:, :kept]
        lam = np.einsum("ik,ij,jk->k", left, self.sigma_x, left, optimize=True)
        return Modes(left, sigma[:kept], right[:kept].T, lam)

    @cached_property
    def commuting(self) -> "Problem":
        """The problem without the part of sigma_x that does not commute with sigma_xy.

        sigma_x is made diagonal in the left singular vectors of sigma_xy, completed by the
        eigenvectors of sigma_x on what they leave; sigma and lam of the modes stay.
        """
        frame = self.modes.completed_left(self.sigma_x)
        diagonal = np.einsum("ik,ij,jk->k", frame, self.sigma_x, frame, optimize=True)
        sigma_x = (frame * diagonal) @ frame.T
        return Problem((sigma_x + sigma_x.T) / 2, self.sigma_xy, held_out=self.held_out)

    @property
    def non_commuting(self) -> float:
        """Spectral norm of what `commuting` leaves out, ‖B‖ of Gidel et al. 2019."""
        return float(np.linalg.norm(self.sigma_x - self.commuting.sigma_x, ord=2))

    @cached_property
    def _seen_inputs(self) -> tuple[FloatArray, FloatArray]:
        """Eigenvalues of sigma_x that are not zero to rounding, and their eigenvectors."""
        keep = self.eigenvalues > RANK_TOLERANCE * self.eigenvalues[-1]
        return self.eigenvalues[keep], self.eigenvectors[:, keep]

    @cached_property
    def least_squares(self) -> FloatArray:
        """Minimum-norm least-squares map sigma_x⁺ sigma_xy (dim_in, dim_out)."""
        values, basis = self._seen_inputs
        return basis @ ((basis.T @ self.sigma_xy) / values[:, None])

    @cached_property
    def reduced_rank_directions(self) -> FloatArray:
        """Output directions of reduced-rank regression, best first (dim_out, directions).

        Right singular vectors of sigma_x^{−1/2} sigma_xy; the best map of rank k is
        `least_squares` projected onto the first k of them. Source: Izenman 1975.
        """
        values, basis = self._seen_inputs
        whitened = (basis.T @ self.sigma_xy) / np.sqrt(values[:, None])
        return np.asarray(np.linalg.svd(whitened, full_matrices=False)[2].T)


@dataclass(frozen=True, init=False)
class Completion(Problem):
    """A target of which only some entries are seen: the loss is ½‖observed ∘ (W − target)‖².

    target : (dim_in, dim_out), which takes the place of sigma_xy, with sigma_x = I. observed : the
    same shape, zeros and ones. Modes, the least-squares map and what follows from them are those of
    the whole target. Raises StagewiseError for entries or shapes that do not fit.
    """

    observed: FloatArray = field(init=False)

    def __init__(self, target: FloatArray, observed: FloatArray) -> None:
        super().__init__(np.eye(len(target)), target)
        _check_observed(observed, target)
        object.__setattr__(self, "observed", observed)

    @property
    def observed_share(self) -> float:
        return float(self.observed.mean())

    @cached_property
    def _eigen(self) -> tuple[FloatArray, FloatArray]:
        return np.ones(self.dim_in), np.eye(self.dim_in)  # entries are seen in these coordinates

    @property
    def curvature(self) -> FloatArray:
        return self.observed

    @property
    def seen(self) -> FloatArray:
        return self.observed * self.sigma_xy


@dataclass(frozen=True)
class Modes:
    """Singular value decomposition sigma_xy = left · diag(sigma) · rightᵀ, zero modes dropped.

    left : (dim_in, modes); right : (dim_out, modes); sigma : (modes,), descending.
    lam : (modes,), the diagonal of leftᵀ · sigma_x · left (Assumption 1 of Gidel et al. 2019 says
        that the off-diagonal part is small).
    """

    left: FloatArray
    sigma: FloatArray
    right: FloatArray
    lam: FloatArray

    def completed_left(self, sigma_x: FloatArray) -> FloatArray:
        """`left` completed to a basis (dim_in, dim_in) by eigenvectors of sigma_x on the rest."""
        rest = np.linalg.svd(self.left, full_matrices=True)[0][:, self.left.shape[1] :]
        return np.hstack([self.left, rest @ np.linalg.eigh(rest.T @ sigma_x @ rest)[1]])


def _check_spectrum(values: FloatArray, vectors: FloatArray, sigma_xy: FloatArray) -> None:
    lowest, highest = values[[0, -1]]
    if lowest < -1e-8 * highest:
        raise StagewiseError(
            f"sigma_x has the eigenvalue {lowest:.3g}, but second moments XᵀX/n have none "
            "below zero. Was a matrix other than XᵀX/n given?"
        )
    still = vectors[:, values <= 1e-14 * highest]
    if np.linalg.norm(still.T @ sigma_xy) > 1e-3 * np.linalg.norm(sigma_xy):
        raise StagewiseError(
            "sigma_xy has a part along inputs that do not vary according to sigma_x; no data "
            "have such moments. Do the two come from the same data?"
        )


def _check_observed(observed: FloatArray, target: FloatArray) -> None:
    if observed.shape != target.shape or not np.isin(observed, (0.0, 1.0)).all():
        raise StagewiseError(
            f"observed has shape {observed.shape}; it must hold zeros and ones in the shape of "
            f"the target, {target.shape}."
        )
    if not observed.any():
        raise StagewiseError("observed is zero everywhere; at least one entry must be observed.")


def check_moments(sigma_x: FloatArray, sigma_xy: FloatArray) -> None:
    """Raise StagewiseError unless the two arrays can be XᵀX/n and XᵀY/n of one data set."""
    if sigma_x.ndim != 2 or sigma_x.shape[0] != sigma_x.shape[1]:
        raise StagewiseError(f"sigma_x has shape {sigma_x.shape}; it must be (dim_in, dim_in).")
    if sigma_xy.ndim != 2 or 0 in sigma_xy.shape:
        raise StagewiseError(f"sigma_xy has shape {sigma_xy.shape}; it must be (dim_in, dim_out).")
    if sigma_xy.shape[0] != sigma_x.shape[0]:
        raise StagewiseError(
            f"sigma_xy has {sigma_xy.shape[0]} rows but sigma_x is {sigma_x.shape}; rows are "
            "inputs. Was YᵀX passed for XᵀY?"
        )
    for name, array in (("sigma_x", sigma_x), ("sigma_xy", sigma_xy)):
        if not np.isfinite(array).all():
            raise StagewiseError(
                f"{name} holds a value that is not finite. Remove or fill missing data first."
            )
    if np.abs(sigma_x - sigma_x.T).max() > 1e-8 * np.abs(sigma_x).max():
        raise StagewiseError("sigma_x is not symmetric; second moments XᵀX/n are.")
