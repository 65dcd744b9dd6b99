"""From `--data` to a regression: the bundled data set, arrays, or a table."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.data.samples import digits
from stagewise.errors import StagewiseError
from stagewise.forecast.options import Request
from stagewise.forecast.reduction import operations
from stagewise.forecast.regression import Regression, regression
from stagewise.intake.columns import Columns
from stagewise.intake.intake import Intake, open_samples, refuse_all_constant, take_in
from stagewise.intake.outputs import encoding
from stagewise.intake.streamed_moments import of_moments
from stagewise.intake.streamed_samples import Samples
from stagewise.intake.wording import listed, pasted
from stagewise.problems.moments import Moments

TABLES = (
    "a table (.csv, .tsv, .txt, .dat or .data, these also compressed, .parquet, .feather, or a "
    "folder of .parquet)"
)
_OTHERS = {
    (".xlsx", ".xls", ".xlsm", ".ods"): "a workbook; save its sheet as .csv",
    (".npy",): "a single array; save inputs and outputs together, by numpy.savez(path, X=X, y=y)",
    (".mat", ".h5", ".hdf5", ".pkl", ".pickle", ".joblib", ".pt", ".pth", ".rds", ".rdata"): (
        "kept by another program; save it by numpy.savez(path, X=X, y=y)"
    ),
    (".json", ".jsonl", ".arff", ".dta", ".sav", ".sas7bdat", ".db", ".sqlite", ".tar", ".tgz"): (
        "no table that is read here; save it as .csv"
    ),
}
"""Files that people have, by endings, and what to do about them."""
_ARRAY_FLAGS = ("--classes", "--numbers")
LARGEST_HELD = 1_000_000_000
"""Bytes of samples that are held in memory where moments do not suffice."""
_RATE = 2e10
"""Operations a second, of a core of 2020."""
_LONG = 5 * _RATE
_SHARE = 0.99
"""Share of the variance whose columns are counted for `_unit_notes`."""


@dataclass(frozen=True)
class Source:
    """The regression asked for, and what has to be said about the data.

    n : samples, 0 for ready moments. classes : how many; 0 for numbers; None for ready moments,
    which do not tell.
    """

    name: str
    n: int
    classes: int | None
    regression: Regression
    notes: tuple[str, ...] = ()
    samples: tuple[FloatArray, FloatArray] | None = None
    """Inputs (n, dim_in) and outputs (n, dim_out) as the regression has them, where asked for."""


def load(request: Request) -> Source:
    """Read the data of a request. Raises StagewiseError in sentences for whatever is wrong."""
    if request.data == "digits":
        _refuse_columns(request.columns, "digits has its classes as outputs")
        source = _from_moments("digits", Moments.of_block(*digits()), request, classes=10)
        held = _as_asked(*digits(), request, classes=10) if request.needs_samples else None
        return replace(source, samples=held)
    path = Path(request.data).expanduser()
    if not request.data.strip() or not path.exists():
        raise StagewiseError(_not_there(request.data, path))
    if path.suffix.lower() == ".npz":
        _refuse_columns(request.columns, ".npz files hold their outputs as y or sigma_xy")
        return _arrays(path, request)
    if not _is_table(path):
        raise StagewiseError(_unknown(request.data, path))
    return _from_samples(open_samples(path, request.columns), request, droppable=True)


def _not_there(data: str, path: Path) -> str:
    if "://" in data:
        return f"--data is {data!r}, an address; download the file and give its path."
    if path.suffix and (path.suffix.lower() == ".npz" or _is_table(path)):
        return f"{path} does not exist."
    return _unknown(data, path)


def _unknown(data: str, path: Path) -> str:
    for endings, what in _OTHERS.items():
        if path.suffix.lower() in endings:
            return f"--data is {data!r}, {what}."
    return f"--data is {data!r}; it must be digits, an .npz file, or {TABLES}."


def _is_table(path: Path) -> bool:
    from stagewise.intake.tables import ARROW, PARQUET
    from stagewise.intake.text_file import is_text_table

    return path.is_dir() or path.suffix.lower() in PARQUET + ARROW or is_text_table(path)


def _refuse_columns(columns: Columns, reason: str) -> None:
    if columns.named or columns.header is not None or columns.keep_index:
        raise StagewiseError(
            "--targets, --label, --drop, --keep-index, --header and --no-header are about tables, "
            f"but {reason}. Leave them out."
        )


def _from_samples(samples: Samples, request: Request, droppable: bool) -> Source:
    dim_in = len(samples.inputs)
    work = operations(samples.rows, dim_in, len(samples.outputs))
    if work > _LONG:
        print(
            f"{dim_in} inputs and about {samples.rows} samples take some {work:.0e} operations, "
            f"{work / _RATE:.0f} s or so on one core …",
            file=sys.stderr,
        )
    found = take_in(samples, droppable)
    found = _without_constants(found, request, droppable)
    if request.standardise:
        found = _standardised(found)
    notes = list(found.notes)
    if not request.standardise:
        notes += _unit_notes(found.statistics.deviation_x, found.inputs)
        if not found.classes:
            notes += _unit_notes(found.statistics.deviation_y, found.outputs)
    dim_in = len(found.inputs)
    if found.statistics.n <= dim_in:
        notes.append(
            f"there are no more samples ({found.statistics.n}) than inputs ({dim_in}), so the "
            "network can fit them exactly and the explained shares say nothing about new data"
        )
    return Source(
        name=found.name,
        n=found.statistics.n,
        classes=found.classes,
        regression=regression(found.statistics, request.centred),
        notes=tuple(notes),
        samples=_held(samples, found, request) if request.needs_samples else None,
    )


def _held(samples: Samples, found: Intake, request: Request) -> tuple[FloatArray, FloatArray]:
    """Inputs and outputs in memory, the columns that were kept."""
    size = 8 * found.statistics.n * (len(samples.inputs) + len(found.outputs))
    if size > LARGEST_HELD:
        raise StagewiseError(
            f"{found.name} takes {size / 1e9:.1f} GB of memory; --batch-size, and --check with another "
            f"loss or activation, hold all samples and are for up to {LARGEST_HELD / 1e9:g} GB. Give "
            "fewer rows."
        )
    encoded = encoding(samples)
    blocks = [(x, encoded.encode(raw)) for x, raw in samples.blocks(encoded.as_text)]
    inputs, outputs = (np.vstack([block[place] for block in blocks]) for place in (0, 1))
    kept = np.isin(samples.inputs, found.inputs), np.isin(encoded.names, found.outputs)
    return _as_asked(inputs[:, kept[0]], outputs[:, kept[1]], request, found.classes)


def _as_asked(
    inputs: FloatArray, outputs: FloatArray, request: Request, classes: int
) -> tuple[FloatArray, FloatArray]:
    """Samples in the units asked for, and centred if asked for."""
    if request.standardise:
        inputs = inputs / _units(inputs)
        outputs = outputs if classes else outputs / _units(outputs)
    if request.centred:
        inputs, outputs = inputs - inputs.mean(axis=0), outputs - outputs.mean(axis=0)
    return inputs, outputs


def _units(columns: FloatArray) -> FloatArray:
    deviations = columns.std(axis=0)
    return np.asarray(np.where(deviations > 0, deviations, 1.0))


def _arrays(path: Path, request: Request) -> Source:
    from stagewise.data.npz import holds_moments, ready_moments
    from stagewise.intake.arrays import array_samples
    from stagewise.intake.npz_members import load_archive

    archive = load_archive(path)
    if not holds_moments(archive):
        samples = array_samples(archive, request.columns.outputs, _ARRAY_FLAGS)
        return _from_samples(samples, request, droppable=False)
    if request.columns.outputs != "auto":
        raise StagewiseError(
            f"{path} holds ready moments, which fix what the outputs are. Leave out --classes and "
            "--numbers."
        )
    if request.needs_samples:
        flag, why = (
            ("--batch-size", "needs samples, as the noise of batches is in fourth moments")
            if request.practice.batch_size is not None
            else ("--check", "with another loss or activation trains on samples")
        )
        raise StagewiseError(
            f"{path} holds ready moments, but {flag} {why}. Give a file with X and y, or leave {flag} "
            "out."
        )
    known = {"tr_yy", "n"} <= set(archive.names)
    return _from_moments(str(path), ready_moments(archive), request, None, known)


def _without_constants(found: Intake, request: Request, droppable: bool) -> Intake:
    """Refuse constant columns, which centring turns into zeros, or remove them if asked to."""
    # Uncentred, a constant input is an intercept.
    inputs = found.constant_inputs if request.centred else ()
    outputs = found.constant_outputs if request.centred else ()
    if not inputs and not outputs:
        return found
    names = [found.inputs[place] for place in inputs]
    names += [found.outputs[place] for place in outputs]
    refuse_all_constant(found)
    if not request.drop_constant:
        by_name = f" or --drop {pasted(names)}" if droppable and not outputs else ""
        raise StagewiseError(
            f"{found.name} has constant columns, which covary with nothing: {listed(names)}. Leave "
            f"them out with --drop-constant{by_name}."
        )
    return replace(
        found,
        statistics=found.statistics.without(inputs, outputs),
        inputs=tuple(np.delete(np.array(found.inputs, dtype=object), inputs)),
        outputs=tuple(np.delete(np.array(found.outputs, dtype=object), outputs)),
        constant_inputs=(),
        constant_outputs=(),
        notes=(*found.notes, f"constant columns are left out: {listed(names)}"),
    )


def _standardised(found: Intake) -> Intake:
    x = found.statistics.deviation_x
    y = np.ones_like(found.statistics.mean_y) if found.classes else found.statistics.deviation_y
    units = (np.where(each > 0, each, 1.0) for each in (x, y))
    what = "inputs" if found.classes else "inputs and outputs"
    return replace(
        found,
        statistics=found.statistics.in_units(*units),
        notes=(*found.notes, f"{what} are divided by their standard deviations"),
    )


def _unit_notes(deviations: FloatArray, names: tuple[str, ...]) -> list[str]:
    """Say where nearly all variance is in a quarter of the columns or fewer."""
    shares = np.square(deviations / deviations.max())
    order = np.argsort(shares)[::-1]
    holding = int(np.searchsorted(np.cumsum(shares[order]), _SHARE * shares.sum())) + 1
    if len(names) < 2 or holding > max(1, len(names) // 4):
        return []
    which = [names[place] for place in order[:holding]]
    held = float(shares[order[:holding]].sum() / shares.sum())
    return [
        f"{listed(which)} {'has' if holding == 1 else 'have'} {held:.1%} of the variance of "
        f"{len(names)} columns, so that the learning times depend on the units chosen; "
        "--standardise makes them equal"
    ]


def _from_moments(
    name: str, moments: Moments, request: Request, classes: int | None, total_known: bool = True
) -> Source:
    """From moments alone; columns are constant where their variance is nothing but rounding."""
    found = of_moments(moments)
    notes: list[str] = []
    constant = tuple(np.flatnonzero(found.power_x == 0).tolist()) if request.centred else ()
    if constant and name != "digits":  # whose dark corners are harmless
        names = [f"input {place}" for place in constant]
        if len(constant) == len(found.mean_x):
            raise StagewiseError(f"Every input of {name} is constant; nothing can be learned.")
        if not request.drop_constant:
            raise StagewiseError(
                f"{name} has constant columns, which covary with nothing: {listed(names)} (counted "
                "from 0). Leave them out with --drop-constant."
            )
        found = found.without(constant, ())
        notes.append(f"constant columns are left out: {listed(names)}")
    if request.standardise:
        units = np.where(found.deviation_x > 0, found.deviation_x, 1.0)
        found = found.in_units(units, np.ones_like(found.mean_y))
        notes.append("inputs are divided by their standard deviations")
    else:
        names = [f"input {place}" for place in range(len(found.mean_x))]
        notes += _unit_notes(found.deviation_x, tuple(names))
    result = regression(found, request.centred)
    mean_y = float(moments.mean_y @ moments.mean_y)
    total = moments.tr_yy - (mean_y if request.centred else 0.0)
    result = replace(result, total=total / result.unit_y**2 if total_known else None)
    if total_known and result.explained_share is None:
        notes.append(
            f"tr_yy is {moments.tr_yy:.6g}, less than least squares explains, so it is not the trace "
            "of YᵀY/n of the same data; the share explained is unknown"
        )
    return Source(name, moments.n, classes, result, tuple(notes))
