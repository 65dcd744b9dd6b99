"""Columns of the table `training`: runs trained for the studies of practice, and their laws."""

import pyarrow as pa

from stagewise.store.schemas import INTEGER, ITERATIONS, REAL, SHORT, column

TRAINING = pa.schema(
    [
        column("experiment", SHORT, "section of the config"),
        column("setting", INTEGER, "position of the setting in it, from 0"),
        column("dataset", SHORT, "name of the samples or of the problem"),
        column("rule", SHORT, "update rule"),
        column("momentum", REAL, "momentum; 0: none"),
        column("decay", REAL, "weight decay; 0: none"),
        column("delay", INTEGER, "age of the gradients"),
        column("threshold", REAL, "largest norm of a gradient; missing: any"),
        column("label", SHORT, "update rule with its settings; missing: as rule"),
        column("activation", SHORT, "linear, tanh or relu"),
        column("loss", SHORT, "squared or cross_entropy"),
        column("depth", INTEGER, "number of weight matrices"),
        column("width", INTEGER, "hidden units"),
        column("samples", INTEGER, "number of samples; 0: trained on moments"),
        column("noise", REAL, "standard deviation of the labels' noise, where it was prescribed"),
        column("batch_size", INTEGER, "samples per step; 0: all of them"),
        column("replacement", pa.bool_(), "whether batches are drawn with replacement"),
        column("step_size", REAL, "step size"),
        column("delta", REAL, "initial scale: every layer starts at e^-delta"),
        column("seed", INTEGER, "replicate, from 0"),
        column("mode", INTEGER, "mode, strongest first, from 1"),
        column("sigma", REAL, "singular value of sigma_xy"),
        column("learning_iteration", REAL, "when it is learned; missing: never", ITERATIONS),
        column("growth", REAL, "log-growth per iteration by the law of the study"),
        column("plain_growth", REAL, "the same by the plain law of the update rule"),
        column("rival_growth", REAL, "the same by the law's rival"),
        column("exponent", REAL, "the same by random matrix products; missing: not computed"),
        column("predicted_scatter", REAL, "standard deviation over batches by the law", ITERATIONS),
        column("mixing", REAL, "kappa: the law of mini-batches needs it small"),
        column("forecast", REAL, "staged forecast, drift left out", ITERATIONS),
        column("plain_forecast", REAL, "delta over the plain growth", ITERATIONS),
        column("drift", REAL, "factor by which mini-batches delay"),
        column("rival_drift", REAL, "the same without repulsion of levels"),
        column("peak_share", REAL, "share of its target where a mode diffuses most"),
        column("predicted_peak_share", REAL, "the same by the law"),
        column("rank", INTEGER, "rank at the end of training; 0: not measured"),
        column("predicted_rank", INTEGER, "rank of nuclear-norm regression"),
    ]
)

_BLANK: dict[str, object] = {
    "rule": "gradient_descent",
    "momentum": 0.0,
    "decay": 0.0,
    "delay": 0,
    "activation": "linear",
    "loss": "squared",
    "depth": 2,
    "samples": 0,
    "batch_size": 0,
    "replacement": True,
    "rank": 0,
    "predicted_rank": 0,
}


def training_table(rows: list[dict[str, object]]) -> pa.Table:
    """A table of rows; columns that a row leaves out have their neutral value or are missing."""
    columns = {name: [row.get(name, _BLANK.get(name)) for row in rows] for name in TRAINING.names}
    return pa.table(
        {
            # What is not a number is missing.
            each.name: pa.array(columns[each.name], each.type, from_pandas=True)
            for each in TRAINING
        },
        schema=TRAINING,
    )
