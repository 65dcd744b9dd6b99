"""From `--data` to moments: the bundled data set, arrays, or a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stagewise.data.digits import digits_moments
from stagewise.errors import StagewiseError
from stagewise.forecast.options import Columns, Request
from stagewise.forecast.wording import listed
from stagewise.problems.moments import Moments

ENDINGS = (".csv", ".npz", ".parquet")


@dataclass(frozen=True)
class Source:
    """Moments of the data asked for, and what has to be said about them."""

    name: str
    moments: Moments
    notes: tuple[str, ...] = ()


def load(request: Request) -> Source:
    """Read the data of a request. Raises StagewiseError in sentences for whatever is wrong."""
    if request.data == "digits":
        _refuse_columns(request.columns, "digits has its classes as outputs")
        return Source("digits", digits_moments())
    path = Path(request.data)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise StagewiseError(
            f"--data is {request.data}; it must be digits or a file that ends with "
            f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}."
        )
    if not path.is_file():
        raise StagewiseError(f"{path} does not exist or is not a file.")
    if ending == ".npz":
        _refuse_columns(request.columns, ".npz files hold their outputs as y or sigma_xy")
        source = _arrays(path, request)
    else:
        source = _table(path, request)
    _check_rows(source)
    return source


def _refuse_columns(columns: Columns, reason: str) -> None:
    if columns != Columns():
        raise StagewiseError(
            f"--targets, --label and --drop name columns of tables, but {reason}. Leave them out."
        )


def _table(path: Path, request: Request) -> Source:
    from stagewise.forecast.extraction import extract
    from stagewise.forecast.tables import Table

    found = extract(Table.open(path), request.columns, request.centred)
    names = [found.inputs[place] for place in found.constant_inputs]
    names += [found.outputs[place] for place in found.constant_outputs]
    constant = _Constant(tuple(names), found.constant_inputs, found.constant_outputs)
    return _without(constant, Source(str(path), found.moments), request)


def _arrays(path: Path, request: Request) -> Source:
    from stagewise.data.npz import load_arrays, read_user_data

    moments = read_user_data(path)
    power = np.diag(moments.sigma_x)
    inputs = np.flatnonzero(power - moments.mean_x**2 <= 1e-10 * power)
    if moments.n and len(inputs):
        arrays = load_arrays(path)
        if "X" in arrays:  # which has no rounding
            doubtful = arrays["X"][:, inputs]
            inputs = inputs[doubtful.min(axis=0) == doubtful.max(axis=0)]
    places = tuple(inputs.tolist())
    constant = _Constant(tuple(f"{place} of the inputs" for place in places), places, ())
    return _without(constant, Source(str(path), moments), request)


@dataclass(frozen=True)
class _Constant:
    """Columns that hold one value: their names, and their places among inputs and outputs."""

    names: tuple[str, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def _without(constant: _Constant, source: Source, request: Request) -> Source:
    """Refuse constant columns, which centring turns into zeros, or remove them if asked to."""
    # Uncentred, a constant input is an intercept.
    if not constant.names or not request.centred:
        return source
    if not request.drop_constant:
        raise StagewiseError(
            f"{source.name} has constant columns, which covary with nothing: "
            f"{listed(constant.names)}. Leave them out with --drop-constant."
        )
    moments = source.moments
    inputs = np.delete(np.arange(len(moments.mean_x)), constant.inputs)
    outputs = np.delete(np.arange(len(moments.mean_y)), constant.outputs)
    if 0 in (len(inputs), len(outputs)):
        kind = "output" if len(inputs) else "input"
        raise StagewiseError(f"Every {kind} of {source.name} is constant; nothing can be learned.")
    lost = moments.mean_y[list(constant.outputs)]
    return Source(
        source.name,
        Moments(
            sigma_x=moments.sigma_x[np.ix_(inputs, inputs)],
            sigma_xy=moments.sigma_xy[np.ix_(inputs, outputs)],
            mean_x=moments.mean_x[inputs],
            mean_y=moments.mean_y[outputs],
            tr_yy=moments.tr_yy - float(lost @ lost),
            n=moments.n,
        ),
        (*source.notes, f"constant columns are left out: {listed(constant.names)}"),
    )


def _check_rows(source: Source) -> None:
    if source.moments.n == 1:
        raise StagewiseError(f"{source.name} has 1 row of data; at least 2 are needed.")
