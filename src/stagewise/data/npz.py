"""Moments in `.npz` files: the pipeline's own, and a user's data or ready moments."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from stagewise.arrays import AnyArray, FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments, stream_moments
from stagewise.problems.problem import check_moments
from stagewise.store.files import replacing

_FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")
_HELD_OUT = "held_out_"
"""Prefix of the same arrays for held-out data."""

_BLOCK = 4096


def write_moments(draws: list[Moments], path: Path) -> None:
    """Write the draws of one data set, stacked on a leading axis, without timestamps."""
    fields = _FIELDS if draws[0].observed is None else (*_FIELDS, "observed")
    arrays = {field: np.stack([getattr(each, field) for each in draws]) for field in fields}
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
        arrays = load_arrays(path)
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
    )


def read_user_data(path: Path) -> Moments:
    """Moments of a user's `.npz`: either X (n, dim_in) with y, or sigma_x with sigma_xy.

    y may be (n, dim_out), or (n,): integers are class labels (one-hot), other numbers one output.
    Ready moments may come with mean_x and mean_y (default 0), tr_yy and n.
    Raises StagewiseError in sentences for anything else.
    """
    arrays = load_arrays(path)
    if "X" in arrays and "y" in arrays:
        inputs = _numbers(arrays["X"], "X", path)
        outputs = _targets(arrays["y"], path)
        if inputs.ndim != 2 or outputs.ndim != 2 or len(inputs) != len(outputs):
            raise StagewiseError(
                f"{path} holds X of shape {arrays['X'].shape} and y of shape {arrays['y'].shape}; "
                "X must be (n, dim_in) and y (n,) or (n, dim_out) with the same n."
            )
        if 0 in inputs.shape + outputs.shape:
            raise StagewiseError(
                f"{path} holds X of shape {inputs.shape} and y of shape {arrays['y'].shape}; "
                "samples, inputs and outputs are needed."
            )
        starts = range(0, len(inputs), _BLOCK)
        return stream_moments(
            (inputs[at : at + _BLOCK], outputs[at : at + _BLOCK]) for at in starts
        )
    if "sigma_x" in arrays and "sigma_xy" in arrays:
        return _ready_moments(arrays, path)
    raise StagewiseError(
        f"{path} holds the arrays {', '.join(sorted(arrays)) or 'none'}; it must hold X and y, or "
        "sigma_x and sigma_xy."
    )


def load_arrays(path: Path) -> dict[str, AnyArray]:
    """All arrays of an `.npz` file; never unpickles."""
    try:
        with path.open("rb") as stream:
            start = stream.read(6)
            if start == b"\x93NUMPY":
                raise StagewiseError(f"{path} holds a single array; an .npz archive is needed.")
            if not start.startswith((b"PK\3\4", b"PK\5\6")):  # members, or none
                raise StagewiseError(f"{path} is not an .npz file, the archive of numpy.savez.")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as content:
                arrays = {name: content[name] for name in content.files}
    except FileNotFoundError:
        raise StagewiseError(f"{path} does not exist. Give the path of an .npz file.") from None
    except StagewiseError:
        raise
    except Exception as error:  # a damaged archive fails in more ways than zipfile documents
        raise StagewiseError(
            f"{path} cannot be read as an .npz file of plain arrays: {error}."
        ) from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise StagewiseError(f"{path} holds {name}, which is not an array.")
    return arrays


def _ready_moments(arrays: dict[str, AnyArray], path: Path) -> Moments:
    sigma_x, sigma_xy = (_numbers(arrays[key], key, path) for key in ("sigma_x", "sigma_xy"))
    check_moments(sigma_x, sigma_xy)
    prescribed = Moments.prescribed(sigma_x, sigma_xy)
    means = {
        key: _numbers(arrays[key], key, path) if key in arrays else getattr(prescribed, key)
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
        moments.problem(centred=True)
    except StagewiseError as error:
        raise StagewiseError(
            f"{path}: with its means removed, {error} sigma_x and sigma_xy must be uncentred."
        ) from None


def _numbers(array: AnyArray, name: str, path: Path) -> FloatArray:
    if array.dtype.kind not in "fiub":
        raise StagewiseError(f"{path} holds {name} of type {array.dtype}; it must hold numbers.")
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        count = int((~np.isfinite(numbers)).sum())
        raise StagewiseError(
            f"{path} holds {count} values of {name} that are not finite. Remove or fill them."
        )
    return numbers


def _scalar(array: AnyArray, name: str, path: Path) -> float:
    numbers = _numbers(array, name, path)
    if numbers.ndim != 0 or numbers < 0:
        raise StagewiseError(f"{path} holds {name} as {array}; it must be one number, at least 0.")
    return float(numbers)


def _count(array: AnyArray, path: Path) -> int:
    count = _scalar(array, "n", path)
    if not count.is_integer():
        raise StagewiseError(f"{path} holds n as {count}; it must be a whole number of samples.")
    return int(count)


def _targets(array: AnyArray, path: Path) -> FloatArray:
    if array.ndim == 1 and array.dtype.kind in "iub":
        classes, labels = np.unique(array, return_inverse=True)
        return np.eye(len(classes))[labels]
    targets = _numbers(array, "y", path)
    return targets[:, None] if targets.ndim == 1 else targets
