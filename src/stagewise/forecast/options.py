"""Options of `stagewise forecast`, as the command line gives them."""

import argparse
import csv
from dataclasses import dataclass, field
from pathlib import Path

from stagewise.errors import StagewiseError
from stagewise.forecast.recipe import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, Practice
from stagewise.intake.columns import Columns, Outputs

METHODS = ("integrated", "staged", "plain", "reduced_rank")
DESCRIPTION = """\
Say at which iteration of gradient descent a two-layer linear network learns each rank of a
regression, from the second moments of the data and without training. Tables are streamed, so they
may be larger than memory."""


@dataclass(frozen=True)
class Request:
    """What was asked for; None means: choose for me. See `add_options`."""

    data: str
    columns: Columns = field(default_factory=Columns)
    drop_constant: bool = False
    standardise: bool = False
    centred: bool = True
    step_size: float | None = None
    delta: float | None = None
    std: float | None = None
    width: int | None = None
    method: str = "integrated"
    stages: int | None = None
    check: bool = False
    seeds: int = 4
    plot: Path | None = None
    json: bool = False
    practice: Practice = field(default_factory=Practice)

    @property
    def needs_samples(self) -> bool:
        """Whether second moments do not suffice."""
        return self.practice.batch_size is not None or (
            self.check and not self.practice.trains_on_moments
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options on a parser."""
    parser.description = DESCRIPTION
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        required=True,
        metavar="DATA",
        help="digits (bundled), .npz with X and y or with sigma_x and sigma_xy, or a table: .csv, "
        ".tsv or .txt (also compressed), .parquet, or a folder of .parquet files",
    )
    outputs = data.add_mutually_exclusive_group()
    outputs.add_argument("--targets", metavar="A,B", help="columns to predict, numbers")
    outputs.add_argument("--label", metavar="COLUMN", help="column of classes to predict (one-hot)")
    data.add_argument("--drop", metavar="A,B", help="columns to leave out; the others are inputs")
    kind = data.add_mutually_exclusive_group()
    kind.add_argument(
        "--classes", action="store_true", help="the output is a class, whatever it looks like"
    )
    kind.add_argument(
        "--numbers", action="store_true", help="the outputs are numbers, whatever they look like"
    )
    head = data.add_mutually_exclusive_group()
    head.add_argument(
        "--header",
        action="store_true",
        help="the first line has the names, whatever they look like",
    )
    head.add_argument(
        "--no-header", action="store_true", help="it has values; the columns are called c1, c2, …"
    )
    data.add_argument(
        "--keep-index", action="store_true", help="take row numbers or labels as an input too"
    )
    data.add_argument("--drop-constant", action="store_true", help="leave out constant columns")
    data.add_argument(
        "--standardise",
        action="store_true",
        help="divide inputs, and outputs that are numbers, by their standard deviations",
    )
    data.add_argument("--uncentred", action="store_true", help="do not subtract the means")
    run = parser.add_argument_group("training run")
    run.add_argument(
        "--step-size", type=float, metavar="ETA", help="default: half of the stability bound"
    )
    scale = run.add_mutually_exclusive_group()
    scale.add_argument(
        "--delta", type=float, help="the first layer starts with the scale e^-delta (default: 16)"
    )
    scale.add_argument(
        "--std", type=float, help="the same as the standard deviation of the first layer's entries"
    )
    run.add_argument(
        "--width", type=int, help="hidden units (default: the lesser of inputs and outputs)"
    )
    run.add_argument("--optimizer", choices=OPTIMIZERS, default=OPTIMIZERS[0])
    run.add_argument(
        "--momentum", type=float, help="of heavy_ball and nesterov (default: 0.9)", metavar="BETA"
    )
    run.add_argument(
        "--batch-size", type=int, metavar="B", help="samples per step, drawn with replacement"
    )
    run.add_argument(
        "--weight-decay", type=float, default=0.0, metavar="MU", help="L2, in the gradient"
    )
    run.add_argument(
        "--schedule", choices=SCHEDULES, default=SCHEDULES[0], help="the step falls to a tenth"
    )
    run.add_argument(
        "--schedule-length",
        type=int,
        metavar="N",
        help="iterations that it falls for (default: twice those of the last stage without it)",
    )
    run.add_argument("--loss", choices=LOSSES, default=LOSSES[0])
    run.add_argument(
        "--activation", choices=ACTIVATIONS, default=ACTIVATIONS[0], help="of the hidden units"
    )
    answer = parser.add_argument_group("answer")
    answer.add_argument(
        "--method",
        choices=METHODS,
        help="default: integrated for gradient descent on all samples, else staged",
    )
    answer.add_argument("--stages", type=int, help="ranks to forecast (default: up to 10)")
    answer.add_argument("--check", action="store_true", help="train too, and show both")
    answer.add_argument("--seeds", type=int, default=4, help="training runs of --check")
    answer.add_argument("--plot", type=Path, metavar="FILE", help="draw a figure, .png or .pdf")
    answer.add_argument("--json", action="store_true", help="print JSON instead of a table")


def request(options: argparse.Namespace) -> Request:
    """The request that parsed options make."""
    practice = Practice(
        optimizer=options.optimizer,
        momentum=options.momentum,
        loss=options.loss,
        activation=options.activation,
        batch_size=options.batch_size,
        weight_decay=options.weight_decay,
        schedule=options.schedule,
        schedule_length=options.schedule_length,
    )
    return Request(
        data=options.data,
        columns=Columns(
            _names(options.targets),
            options.label,
            _names(options.drop),
            outputs=_outputs(options),
            keep_index=options.keep_index,
            header=True if options.header else False if options.no_header else None,
        ),
        standardise=options.standardise,
        drop_constant=options.drop_constant,
        centred=not options.uncentred,
        step_size=options.step_size,
        delta=options.delta,
        std=options.std,
        width=options.width,
        method=options.method or ("integrated" if practice.is_descent else "staged"),
        practice=practice,
        stages=options.stages,
        check=options.check,
        seeds=options.seeds,
        plot=options.plot,
        json=options.json,
    )


def _outputs(options: argparse.Namespace) -> Outputs:
    if options.classes:
        return "classes"
    return "numbers" if options.numbers else "auto"


def _names(text: str | None) -> tuple[str, ...]:
    """Names separated by commas; one with a comma or outer spaces stands in quotation marks.

    An empty text names the column without a name.
    """
    if text is None:
        return ()
    try:
        names = tuple(next(csv.reader([text], skipinitialspace=True, strict=True), [])) or ("",)
    except csv.Error as error:
        raise StagewiseError(
            f"{text!r} cannot be cut into names: {error}. A name with a comma stands in quotation "
            "marks, and quotation marks in a name are doubled."
        ) from None
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise StagewiseError(f"{', '.join(map(repr, repeated))} is named twice in {text!r}.")
    return names
