"""Inputs and outputs among the arrays of an `.npz` file, under names that libraries give too."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from stagewise.arrays import AnyArray
from stagewise.errors import StagewiseError
from stagewise.intake.columns import Outputs
from stagewise.intake.npz_members import Archive, check_numeric
from stagewise.intake.streamed_samples import Labels, Samples
from stagewise.intake.wording import counted, listed

INPUTS = ("x", "data", "images", "image", "features", "inputs", "input")
OUTPUTS = ("y", "target", "targets", "labels", "label", "classes", "outputs", "output")
_HELD_OUT = {"test", "testing", "te", "val", "valid", "validation", "dev", "extra"}
_TOGETHER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=^[xyXY])(?=(train|tr|test|te|val|valid|dev)$)")
"""Where words of a name meet, as in trainX and Xtrain."""
_BLOCK_BYTES = 1 << 25
_WANTED = "X and y, or sigma_x and sigma_xy"


def array_samples(archive: Archive, kind: Outputs, flags: tuple[str, str]) -> Samples:
    """Inputs and outputs of an archive as named columns.

    Raises StagewiseError in sentences for names, shapes and types that do not tell which is which.
    """
    names, notes = _pair(archive)
    x, y = archive[names[0]], archive[names[1]]
    inputs, notes_x = _inputs(x, names[0])
    outputs = y[:, None] if y.ndim == 1 else y
    if inputs.ndim != 2 or outputs.ndim != 2 or len(inputs) != len(outputs):
        turned = _turned(x, y, names)
        raise StagewiseError(
            f"{archive.path} holds {names[0]} of shape {x.shape} and {names[1]} of shape {y.shape}; "
            f"{names[0]} must be (n, dim_in) and {names[1]} (n,) or (n, dim_out) with the same n."
            + (f" Was {turned} meant?" if turned else "")
        )
    if 0 in inputs.shape + outputs.shape:
        raise StagewiseError(
            f"{archive.path} holds {names[0]} of shape {x.shape} and {names[1]} of shape {y.shape}; "
            "samples, inputs and outputs are needed."
        )
    check_numeric(x, names[0], archive.path)
    textual = y.dtype.kind in "USb" and outputs.shape[1] == 1
    if not textual:
        check_numeric(y, names[1], archive.path)
    return Samples(
        name=str(archive.path),
        inputs=tuple(_columns(x, names[0])),
        outputs=tuple(_columns(y if y.shape[1:] != (1,) else y[:, 0], names[1])),
        kind=kind,
        textual=textual,
        blocks=lambda text: (
            (inputs[rows].astype(np.float64), _labels(outputs[rows], text))
            for rows in _slices(inputs)
        ),
        labels=lambda text: (_labels(outputs[rows], text) for rows in _slices(outputs)),
        flags=flags,
        rows=len(inputs),
        notes=(*notes, *notes_x),
    )


def _pair(archive: Archive) -> tuple[tuple[str, str], list[str]]:
    """Names of inputs and outputs, and what to say about the choice."""
    names = archive.names
    if "X" in names and "y" in names:
        return ("X", "y"), []
    for training in (False, True):
        found = {name: _key(name) for name in names}
        inputs = _first(
            INPUTS, {name: key for name, (key, kind) in found.items() if kind == training}
        )
        outputs = _first(
            OUTPUTS, {name: key for name, (key, kind) in found.items() if kind == training}
        )
        if inputs is not None and outputs is not None:
            return (inputs, outputs), [_taken(archive, inputs, outputs)]
    if set(names) == {"arr_0", "arr_1"}:
        return ("arr_0", "arr_1"), [_taken(archive, "arr_0", "arr_1")]
    held = ", ".join(names) or "none"
    raise StagewiseError(
        f"{archive.path} holds the arrays {held}; it must hold {_WANTED}. Names like data and "
        "target, images and labels, or x_train and y_train are understood too."
    )


def _turned(x: AnyArray, y: AnyArray, names: tuple[str, str]) -> str:
    """How the samples come first, where they seem to be last."""
    if not x.ndim or not y.ndim:
        return ""
    if x.ndim > 1 and x.shape[-1] == len(y):
        return f"{names[0]}.T" if x.ndim == 2 else f"np.moveaxis({names[0]}, -1, 0)"
    if y.ndim == 2 and y.shape[1] == len(x):
        return f"{names[1]}.T"
    both = x.ndim == y.ndim == 2 and x.shape[1] == y.shape[1]
    return f"{names[0]}.T with {names[1]}.T" if both else ""


def _key(name: str) -> tuple[str, bool | None]:
    """A name without its "train", and whether it had one; None for test and validation data."""
    apart = _TOGETHER.sub("_", name).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", apart) if word]
    if set(words) & _HELD_OUT:
        return name, None
    rest = [word for word in words if word not in ("train", "training", "tr")]
    return "_".join(rest), len(rest) < len(words)


def _first(keys: Sequence[str], found: dict[str, str]) -> str | None:
    """The name whose key comes first in `keys`; two of the same key (x, X) tell nothing."""
    for key in keys:
        names = [name for name, its_key in found.items() if its_key == key]
        if len(names) == 1:
            return names[0]
        if names:
            return None
    return None


def _taken(archive: Archive, inputs: str, outputs: str) -> str:
    rest = [name for name in archive.names if name not in (inputs, outputs)]
    left = f"; {listed(rest)} {'are' if len(rest) > 1 else 'is'} left alone" if rest else ""
    return f"inputs are the array {inputs!r} and outputs {outputs!r}{left}"


def _inputs(x: AnyArray, name: str) -> tuple[AnyArray, list[str]]:
    """Inputs with one row per sample; images are laid out in rows."""
    if x.ndim == 1 and len(x):
        return x[:, None], [f"{name!r} has one axis and is taken as one input"]
    if x.ndim in (3, 4, 5) and 0 not in x.shape:
        shape = " × ".join(map(str, x.shape[1:]))
        size = int(np.prod(x.shape[1:]))
        return x.reshape(len(x), size), [
            f"samples of {shape} values are taken as {counted(size, 'input')}"
        ]
    return x, []


def _columns(array: AnyArray, name: str) -> Iterator[str]:
    """How numpy addresses each column of an array, e.g. "X[:, 3]"."""
    if array.ndim == 1:
        yield name
    for place in np.ndindex(array.shape[1:] if array.ndim > 1 else (0,)):
        yield f"{name}[:, {', '.join(map(str, place))}]"


def _slices(array: AnyArray) -> Iterator[slice]:
    rows = max(1, _BLOCK_BYTES // (8 * array.shape[1]))
    return (slice(at, at + rows) for at in range(0, len(array), rows))


def _labels(outputs: AnyArray, text: bool) -> Labels:
    if not text:
        return np.asarray(outputs, dtype=np.float64)
    import pyarrow as pa

    column = outputs[:, 0]
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8", "replace")
    if column.dtype.kind == "U":
        column = np.char.strip(column)
        return pa.array(column.astype(object), pa.string(), mask=column == "")
    if column.dtype.kind == "f":
        column = column.astype(np.float64)
        return pa.array(column, mask=~np.isfinite(column)).cast(pa.string())
    return pa.array(column).cast(pa.string())
