"""Moments of large data sets in a few kilobytes: the eigenbasis of sigma_x instead of pixels.

A rotation of the inputs changes no training curve, learning time or distance from an assumption,
when the first weights are drawn alike in all directions. So sigma_x may be kept as its eigenvalues.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Centred, Moments

FOLDER = Path(__file__).with_name("archived")
"""Archives that come with the package."""
TOLERANCE = 1e-10
"""Largest relative difference of two archives that agree."""


@dataclass(frozen=True)
class Archived:
    """Centred moments in the eigenbasis of the centred sigma_x, and the means where they are known.

    lam : (dim_in,) eigenvalues. sigma_xy : (dim_in, dim_out). n : samples. tr_yy : trace of the
    centred YᵀY/n. mean_x : (dim_in,) in that basis, and mean_y : (dim_out,); or None.
    """

    lam: FloatArray
    sigma_xy: FloatArray
    n: int
    tr_yy: float
    mean_x: FloatArray | None = None
    mean_y: FloatArray | None = None

    def moments(self) -> Moments:
        """The moments in that basis; without means only the centred ones."""
        sigma_x = np.diag(self.lam)
        if self.mean_x is None or self.mean_y is None:
            unknown = np.full(len(self.lam), np.nan), np.full(self.sigma_xy.shape[1], np.nan)
            return Moments(sigma_x, self.sigma_xy, *unknown, tr_yy=self.tr_yy, n=self.n)
        return Moments(
            sigma_x=sigma_x + np.outer(self.mean_x, self.mean_x),
            sigma_xy=self.sigma_xy + np.outer(self.mean_x, self.mean_y),
            mean_x=self.mean_x,
            mean_y=self.mean_y,
            tr_yy=self.tr_yy + float(self.mean_y @ self.mean_y),
            n=self.n,
            centred=Centred(sigma_x, self.sigma_xy),
        )


def reduced(moments: Moments) -> Archived:
    """Moments of samples in the eigenbasis of their centred sigma_x.

    The sign of an eigenvector is that which makes the largest entry of its row of sigma_xy positive.
    """
    problem = moments.problem(centred=True)
    sigma_xy = problem.eigenvectors.T @ problem.sigma_xy
    largest = np.take_along_axis(sigma_xy, np.abs(sigma_xy).argmax(axis=1)[:, None], axis=1)
    sign = np.where(largest < 0, -1.0, 1.0)
    return Archived(
        lam=np.maximum(problem.eigenvalues, 0),
        sigma_xy=sign * sigma_xy,
        n=moments.n,
        tr_yy=moments.tr_yy - float(moments.mean_y @ moments.mean_y),
        mean_x=sign[:, 0] * (problem.eigenvectors.T @ moments.mean_x),
        mean_y=moments.mean_y,
    )


def knows_means(path: Path) -> bool:
    """Whether an archive has the means, and so uncentred moments too."""
    with np.load(path, allow_pickle=False) as held:
        return "mean_x" in held.files


def archive_names(data_dir: Path) -> dict[str, Path]:
    """Archives by name: those of the package, then those in the data folder."""
    places = (FOLDER, data_dir / "archived")
    found = [path for place in reversed(places) for path in sorted(place.glob("*.npz"))]
    return {path.stem: path for path in found}


def read_archive(name: str, data_dir: Path) -> Archived:
    """An archive of the package or the data folder. Raises StagewiseError if there is none."""
    known = archive_names(data_dir)
    if name not in known:
        raise StagewiseError(
            f"There are no archived moments named {name!r}; there are {', '.join(sorted(known))}. "
            f"With its images, `stagewise archive-moments {name}` makes them."
        )
    with np.load(known[name], allow_pickle=False) as held:
        arrays = {key: held[key] for key in held.files}
    return Archived(
        **{key: value for key, value in arrays.items() if key not in ("n", "tr_yy")},
        n=int(arrays["n"]),
        tr_yy=float(arrays["tr_yy"]),
    )


def difference(one: Archived, other: Archived) -> float:
    """Largest relative difference of two archives in what no rotation of the inputs changes.

    Compared are the eigenvalues and Z^T f(sigma_x) Z, where Z are sigma_xy and the mean of X if
    both know it, and f are powers and resolvents, which tell spectra and overlaps apart; single
    eigenvectors are not, as those of equal eigenvalues are arbitrary.
    """
    if one.sigma_xy.shape != other.sigma_xy.shape:
        return np.inf
    scale = float(one.lam.max())
    worst = float(np.abs(np.sort(one.lam) - np.sort(other.lam)).max()) / scale
    means = one.mean_x is not None and other.mean_x is not None
    for weight in (np.ones_like, np.sqrt, np.square, _resolvent):
        mine, theirs = (_overlap(each, weight(each.lam / scale), means) for each in (one, other))
        worst = max(worst, float(np.abs(mine - theirs).max() / np.abs(mine).max()))
    counts = abs(one.n - other.n) / one.n, abs(one.tr_yy - other.tr_yy) / one.tr_yy
    return max(worst, *counts)


def _resolvent(lam: FloatArray) -> FloatArray:
    return np.asarray(1 / (lam + 1e-3))


def _overlap(archived: Archived, weight: FloatArray, means: bool) -> FloatArray:
    directions = archived.sigma_xy
    if means and archived.mean_x is not None:
        directions = np.column_stack([directions, archived.mean_x])
    return np.asarray((directions * weight[:, None]).T @ directions)
