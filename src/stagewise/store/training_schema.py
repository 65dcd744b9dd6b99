"""Columns of the table `training`: runs trained for the studies of practice, and their laws."""

import math

import pyarrow as pa

_SHORT = pa.dictionary(pa.int32(), pa.string())
_INTEGER = pa.int64()
_REAL = pa.float64()
_ITERATIONS = "iterations"


def field(name: str, kind: pa.DataType, meaning: str, unit: str = "") -> pa.Field:
    """A column with its meaning."""
    metadata = {"meaning": meaning, "unit": unit} if unit else {"meaning": meaning}
    return pa.field(name, kind, metadata=metadata)


TRAINING = pa.schema(
    [
        field("experiment", _SHORT, "section of the config"),
        field("setting", _INTEGER, "position of the setting in it, from 0"),
        field("dataset", _SHORT, "name of the samples or of the problem"),
        field("rule", _SHORT, "update rule"),
        field("momentum", _REAL, "momentum; 0: none"),
        field("decay", _REAL, "weight decay; 0: none"),
        field("delay", _INTEGER, "age of the gradients"),
        field("threshold", _REAL, "largest norm of a gradient; missing: any"),
        field("label", _SHORT, "update rule with its settings; missing: as rule"),
        field("activation", _SHORT, "linear, tanh or relu"),
        field("loss", _SHORT, "squared or cross_entropy"),
        field("depth", _INTEGER, "number of weight matrices"),
        field("width", _INTEGER, "hidden units"),
        field("samples", _INTEGER, "number of samples; 0: trained on moments"),
        field("noise", _REAL, "standard deviation of the labels' noise, where it was prescribed"),
        field("batch_size", _INTEGER, "samples per step; 0: all of them"),
        field("replacement", pa.bool_(), "whether batches are drawn with replacement"),
        field("step_size", _REAL, "step size"),
        field("delta", _REAL, "initial scale: every layer starts at e^-delta"),
        field("seed", _INTEGER, "replicate, from 0"),
        field("mode", _INTEGER, "mode, strongest first, from 1"),
        field("sigma", _REAL, "singular value of sigma_xy"),
        field("learning_iteration", _REAL, "when it is learned; missing: never", _ITERATIONS),
        field("growth", _REAL, "log-growth per iteration by the law of the study"),
        field("plain_growth", _REAL, "the same by the plain law of the update rule"),
        field("rival_growth", _REAL, "the same by the law's rival"),
        field("exponent", _REAL, "the same by random matrix products; missing: not computed"),
        field(
            "predicted_scatter", _REAL, "standard deviation over batches by the law", _ITERATIONS
        ),
        field("mixing", _REAL, "kappa: the law of mini-batches needs it small"),
        field("forecast", _REAL, "staged forecast, drift left out", _ITERATIONS),
        field("plain_forecast", _REAL, "delta over the plain growth", _ITERATIONS),
        field("drift", _REAL, "factor by which mini-batches delay"),
        field("rival_drift", _REAL, "the same without repulsion of levels"),
        field("peak_share", _REAL, "share of its target where a mode diffuses most"),
        field("predicted_peak_share", _REAL, "the same by the law"),
        field("rank", _INTEGER, "rank at the end of training; 0: not measured"),
        field("predicted_rank", _INTEGER, "rank of nuclear-norm regression"),
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
    complete = [
        {name: _value(row.get(name, _BLANK.get(name))) for name in TRAINING.names} for row in rows
    ]
    return pa.Table.from_pylist(complete, schema=TRAINING)


def _value(value: object) -> object:
    """The value, or None for what is not a number."""
    return None if isinstance(value, float) and math.isnan(value) else value
