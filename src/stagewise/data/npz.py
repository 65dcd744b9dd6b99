"""Moments in `.npz` files: the pipeline's own, and a user's data or ready moments."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from stagewise.arrays import AnyArray
from stagewise.errors import StagewiseError
from stagewise.intake.columns import Outputs
from stagewise.intake.npz_members import Archive, load_archive, numbers
from stagewise.problems.moments import Centred, Moments
from stagewise.problems.problem import check_moments
from stagewise.store.files import replacing

_FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")
_HELD_OUT = "held_out_"
"""Prefix of the same arrays for held-out data."""

_CENTRED = "centred_"
"""Prefix of the covariances, where they are kept beside raw moments."""


def write_moments(draws: list[Moments], path: Path) -> None:
    """Write the draws of one data set, stacked on a leading axis, without timestamps."""
    fields = _FIELDS if draws[0].observed is None else (*_FIELDS, "observed")
    arrays = {field: np.stack([getattr(each, field) for each in draws]) for field in fields}
    centred = [each.centred for each in draws if each.centred is not None]
    if centred:
        arrays |= {
            _CENTRED + field: np.stack([getattr(each, field) for each in centred])
            for field in ("sigma_x", "sigma_xy")
        }
    held_out = [each.held_out for each in draws if each.held_out is not None]
    if held_out:
        arrays |= {
            _HELD_OUT + field: np.stack([getattr(each, field) for each in held_out])
            for field in _FIELDS
        }
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def read_moments(path: Path) -> list[Moments]:
    """Draws of one data set as `write_moments` wrote them."""
    try:
        arrays = load_archive(path).arrays
    except StagewiseError as error:
        raise StagewiseError(f"{error} Delete it and run the same command again.") from None
    split = any(name.startswith(_HELD_OUT) for name in arrays)
    needed = [
        prefix + field for prefix in ("", *([_HELD_OUT] if split else [])) for field in _FIELDS
    ]
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise StagewiseError(f"{path} lacks {', '.join(missing)}. Delete it and run again.")
    draws = range(len(arrays["n"]))
    if not split:
        return [_draw(arrays, "", draw) for draw in draws]
    return [
        replace(_draw(arrays, "", draw), held_out=_draw(arrays, _HELD_OUT, draw)) for draw in draws
    ]


def _draw(arrays: dict[str, AnyArray], prefix: str, draw: int) -> Moments:
    return Moments(
        sigma_x=arrays[prefix + "sigma_x"][draw],
        sigma_xy=arrays[prefix + "sigma_xy"][draw],
        mean_x=arrays[prefix + "mean_x"][draw],
        mean_y=arrays[prefix + "mean_y"][draw],
        tr_yy=float(arrays[prefix + "tr_yy"][draw]),
        n=int(arrays[prefix + "n"][draw]),
        observed=arrays["observed"][draw] if "observed" in arrays and not prefix else None,
        centred=None if prefix else _centred(arrays, draw),
    )


def _centred(arrays: dict[str, AnyArray], draw: int) -> Centred | None:
    names = [_CENTRED + field for field in ("sigma_x", "sigma_xy")]
    if not set(names) <= set(arrays):
        return None
    sigma_x, sigma_xy = (arrays[name][draw] for name in names)
    return Centred(sigma_x, sigma_xy)


def read_user_data(path: Path, outputs: Outputs = "auto") -> Moments:
    """Moments of a user's `.npz`: either X (n, dim_in) with y, or sigma_x with sigma_xy.

    Columns far from zero keep their precision. y : classes become one output each; by the rule of
    `intake.outputs.are_classes` unless `outputs` says what they are. Ready moments may come with
    mean_x and mean_y (both, or 0), tr_yy and n.
    Raises StagewiseError in sentences for anything else.
    """
    from stagewise.intake.arrays import array_samples
    from stagewise.intake.intake import take_in

    archive = load_archive(path)
    if holds_moments(archive):
        return ready_moments(archive)
    samples = array_samples(archive, outputs, ("outputs: classes", "outputs: numbers"))
    return take_in(samples, droppable=False).statistics.moments()


def holds_moments(archive: Archive) -> bool:
    """Whether it has ready moments, and no samples under the documented names beside them."""
    names = set(archive.names)
    return {"sigma_x", "sigma_xy"} <= names and not {"X", "y"} <= names


def ready_moments(archive: Archive) -> Moments:
    """Moments that a user computed himself. Raises StagewiseError where they are none."""
    arrays, path = {name: archive[name] for name in _FIELDS if name in archive.names}, archive.path
    sigma_x, sigma_xy = (numbers(arrays[key], key, path) for key in ("sigma_x", "sigma_xy"))
    check_moments(sigma_x, sigma_xy)
    prescribed = Moments.prescribed(sigma_x, sigma_xy)
    given = [key for key in ("mean_x", "mean_y") if key in arrays]
    if len(given) == 1:
        (lacking,) = {"mean_x", "mean_y"} - set(given)
        raise StagewiseError(
            f"{path} holds {given[0]} and no {lacking}. Give both means, or neither where X and Y "
            "are centred."
        )
    means = {
        key: numbers(arrays[key], key, path) if key in arrays else getattr(prescribed, key)
        for key in ("mean_x", "mean_y")
    }
    for key, mean in means.items():
        if mean.shape != getattr(prescribed, key).shape:
            raise StagewiseError(
                f"{path} holds {key} of shape {mean.shape}; it must be "
                f"{getattr(prescribed, key).shape} to fit sigma_xy {sigma_xy.shape}."
            )
    moments = Moments(
        sigma_x=sigma_x,
        sigma_xy=sigma_xy,
        tr_yy=_scalar(arrays.get("tr_yy", np.array(prescribed.tr_yy)), "tr_yy", path),
        n=_count(arrays.get("n", np.array(0)), path),
        mean_x=means["mean_x"],
        mean_y=means["mean_y"],
    )
    _check_centring(moments, path)
    return moments


def _check_centring(moments: Moments, path: Path) -> None:
    try:
        _ = moments.problem(centred=True).eigenvalues
    except StagewiseError as error:
        raise StagewiseError(
            f"{path}: with its means removed, {error} sigma_x and sigma_xy must be uncentred."
        ) from None


def _scalar(array: AnyArray, name: str, path: Path) -> float:
    value = numbers(array, name, path)
    if value.ndim != 0 or value < 0:
        raise StagewiseError(f"{path} holds {name} as {array}; it must be one number, at least 0.")
    return float(value)


def _count(array: AnyArray, path: Path) -> int:
    count = _scalar(array, "n", path)
    if not count.is_integer():
        raise StagewiseError(f"{path} holds n as {count}; it must be a whole number of samples.")
    return int(count)
