"""The answer as a table for people and as JSON for programs."""

import json
import math
from dataclasses import asdict, dataclass

from stagewise.forecast.intervals import COVERAGE, LAW_ERROR
from stagewise.intake.wording import counted


@dataclass(frozen=True)
class Stage:
    """One line of the answer; iterations, None where a run or forecast does not get there.

    low, high : 90 % interval of a single run. measured, measured_spread : mean and standard
    deviation over the seeds of --check. explained_share : of the output variance that least
    squares explains, by the best map of this rank.
    """

    stage: int
    iteration: float | None
    low: float | None
    high: float | None
    explained_share: float
    measured: float | None = None
    measured_spread: float | None = None


@dataclass(frozen=True)
class Report:
    """The whole answer. n : samples, 0 for ready moments. seeds : trained ones, 0 without --check.

    classes : how many, 0 where the outputs are numbers, None for moments, which do not tell.
    explained_variance : share of the output variance that least squares explains, if known.
    """

    data: str
    n: int
    dim_in: int
    dim_out: int
    classes: int | None
    centred: bool
    standardised: bool
    step_size: float
    stability_bound: float
    delta: float
    width: int
    method: str
    seeds: int
    explained_variance: float | None
    stages: tuple[Stage, ...]
    notes: tuple[str, ...] = ()
    optimizer: str = "gradient_descent"
    loss: str = "squared"
    activation: str = "linear"
    batch_size: int | None = None
    weight_decay: float = 0.0
    schedule: str = "constant"
    schedule_length: int | None = None

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """The report that `as_json` wrote."""
        content = json.loads(text)
        stages = tuple(Stage(**stage) for stage in content.pop("stages"))
        return cls(**content | {"stages": stages, "notes": tuple(content["notes"])})


def as_json(report: Report) -> str:
    """JSON with the fields of `Report`; no NaN in it."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False, allow_nan=False)


def as_text(report: Report) -> str:
    """A table, led by what it is for."""
    sizes = [
        counted(report.n, "sample") if report.n else "ready moments",
        counted(report.dim_in, "input"),
        _outputs(report),
    ]
    centred = ("centred" if report.centred else "not centred") + (
        ", standardised" if report.standardised else ""
    )
    head = [
        ("data", f"{report.data}: {', '.join(sizes)}"),
        ("moments", f"{centred}{_explained(report)}"),
        (
            "network",
            f"{_layers(report)}, width {report.width}, Gaussian start with {_scale(report)}",
        ),
        (
            "descent",
            f"{_optimizer(report)}step size {report.step_size:.4g}, {report.step_size / report.stability_bound:.2g} × the "
            f"stability bound {report.stability_bound:.3g}",
        ),
        ("method", report.method),
        ("interval", _interval(report)),
    ]
    lines = [f"{name:<9} {text}" for name, text in head]
    return "\n".join([*lines, "", *_table(report), *(f"Note: {each}." for each in report.notes)])


def _table(report: Report) -> list[str]:
    header = ["stage", "iteration", f"{COVERAGE:.0%} interval", "explained"]
    rows = [
        [
            str(each.stage),
            number(each.iteration),
            f"{number(each.low)} – {number(each.high)}" if each.low is not None else "—",
            f"{each.explained_share:.1%}",
        ]
        for each in report.stages
    ]
    if report.seeds:
        header[2:2] = ["measured", "measured/forecast"]
        for row, each in zip(rows, report.stages, strict=True):
            row[2:2] = [_measured(each), _ratio(each)]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [header, *rows]
    ]
    return [*lines, ""] if report.notes else lines


def number(value: float | None) -> str:
    """An iteration, with one decimal below 1000."""
    if value is None:
        return "—"
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}"


def _measured(stage: Stage) -> str:
    if stage.measured is None:
        return "—"
    spread = "" if stage.measured_spread is None else f" ± {number(stage.measured_spread)}"
    return number(stage.measured) + spread


def _ratio(stage: Stage) -> str:
    if stage.measured is None or stage.iteration is None:
        return "—"
    return f"{stage.measured / stage.iteration:.3f}"


def _outputs(report: Report) -> str:
    if report.classes is None:
        return counted(report.dim_out, "output")
    return counted(report.dim_out, "class" if report.classes else "number")


def _layers(report: Report) -> str:
    kinds = [] if report.activation == "linear" else [report.activation]
    kinds += [] if report.loss == "squared" else ["cross-entropy"]
    return "two layers" + (f" ({', '.join(kinds)})" if kinds else "")


def _optimizer(report: Report) -> str:
    parts = []
    if report.optimizer != "gradient_descent":
        parts.append(report.optimizer.replace("_", " "))
    if report.batch_size is not None:
        parts.append(f"batches of {report.batch_size}")
    if report.weight_decay:
        parts.append(f"weight decay {report.weight_decay:g}")
    if report.schedule_length is not None:
        parts.append(f"{report.schedule} schedule over {report.schedule_length} iterations")
    return "".join(f"{each}, " for each in parts)


def _explained(report: Report) -> str:
    if report.explained_variance is None:
        return "; the share of the output variance that least squares explains is unknown"
    return f"; least squares explains {report.explained_variance:.1%} of the output variance"


def _scale(report: Report) -> str:
    return f"delta {report.delta:.4g} (first layer's std {first_layer_std(report):.3g})"


def first_layer_std(report: Report) -> float:
    """Standard deviation of the first layer's entries at the start, e^-delta/√dim_in."""
    return math.exp(-report.delta) / math.sqrt(report.dim_in)


def _interval(report: Report) -> str:
    if report.seeds >= 2:
        return f"of the next run, from {report.seeds} trained seeds"
    error = LAW_ERROR[report.method]
    batches = "" if report.batch_size is None else "batches and "
    return (
        f"scatter of {batches}the start and error of the method ({error:.0%} at delta 16, measured)"
    )
