"""Columns of the tables that stages hand on: type, unit and meaning of each."""

import pyarrow as pa

from stagewise.dynamics.observables import OBSERVABLES

_ITERATIONS = "iterations"


def _field(name: str, kind: pa.DataType, meaning: str, unit: str = "") -> pa.Field:
    metadata = {"meaning": meaning, "unit": unit} if unit else {"meaning": meaning}
    return pa.field(name, kind, metadata=metadata)


_TEXT = pa.string()
_SHORT = pa.dictionary(pa.int32(), pa.string())
_INTEGER = pa.int64()
_REAL = pa.float64()

_GRID = [
    _field("experiment", _SHORT, "section of the config"),
    _field("dataset", _SHORT, "name of the data set"),
    _field("centred", pa.bool_(), "whether the means were subtracted"),
    _field("depth", _INTEGER, "number of weight matrices"),
    _field("dim_in", _INTEGER, "input dimension"),
    _field("dim_out", _INTEGER, "output dimension"),
    _field("rank", _INTEGER, "rank of sigma_xy"),
    _field("observed", _REAL, "share of the target's entries that the loss sees"),
    _field("width", _INTEGER, "hidden units"),
    _field("initialisation", _SHORT, "how the first weights were drawn"),
    _field("delta", _REAL, "initial scale: every layer starts at e^-delta"),
    _field("relative_step_size", _REAL, "step size in the experiment's own unit"),
    _field("optimizer", _SHORT, "update rule"),
]
GRID_COLUMNS = [field.name for field in _GRID]

_RUN = [
    *_GRID,
    _field("run", _INTEGER, "position in the experiment's grid, from 0"),
    _field("seed", _INTEGER, "replicate of the grid point, from 0"),
    _field("step_size", _REAL, "step size of gradient descent"),
    _field("status", _SHORT, "ok or diverged"),
    _field(
        "orientation",
        _REAL,
        "sign of det W at the start times that of det sigma_xy; missing: not square",
    ),
    _field("non_commuting", _REAL, "spectral norm of the part of sigma_x off the modes"),
]

RUN_COLUMNS = [field.name for field in _RUN]

_MODE = [
    _field("mode", _INTEGER, "mode, strongest first, from 1"),
    _field("sigma", _REAL, "singular value of sigma_xy"),
    _field("lam", _REAL, "diagonal entry of U^T sigma_x U"),
]

# An observable that an experiment does not ask for is no column of its tables.
TRAJECTORIES = pa.schema(
    [
        *_RUN,
        *_MODE,
        _field("iteration", _INTEGER, "iteration of the record", _ITERATIONS),
        _field("refined", pa.bool_(), "record added to locate a learning time"),
        _field("loss", _REAL, "training loss above the least-squares minimum"),
        _field("gradient_norm", _REAL, "Frobenius norm of the gradient over all layers"),
        _field("trace_norm", _REAL, "sum of the singular values of W"),
        _field("imbalance", _REAL, "relative difference of neighbouring layers' Gram matrices"),
        _field("response_value", _REAL, "singular value of sigma_x W of this rank"),
        _field("mode_strength", _REAL, "u^T W v of this mode"),
        _field(
            "reduced_rank_distance",
            _REAL,
            "relative Frobenius distance of W to reduced-rank regression of this rank",
        ),
        _field("reduced_rank_response_distance", _REAL, "the same of sigma_x W"),
        _field(
            "test_error", _REAL, "held-out error over the targets' size; missing: none held out"
        ),
        _field("deviation", _REAL, "spectral distance of W to that of commuting moments"),
    ]
)

LEARNING_TIMES = pa.schema(
    [
        *_RUN,
        *_MODE,
        _field(
            "learning_iteration",
            _REAL,
            "first iteration at which the singular value of sigma_x W reaches sigma/2",
            _ITERATIONS,
        ),
        _field(
            "mode_learning_iteration",
            _REAL,
            "first iteration at which u^T W v reaches sigma/(2 lam)",
            _ITERATIONS,
        ),
        _field("predicted_flow", _REAL, "delta/(step_size sigma)", _ITERATIONS),
        _field("predicted_discrete", _REAL, "delta/ln(1 + step_size sigma)", _ITERATIONS),
        _field("predicted_reduced_rank", _REAL, "reduced-rank staged law", _ITERATIONS),
        _field("predicted_vanishing_flow", _REAL, "the same of a flow from 0", _ITERATIONS),
        _field("predicted_staged", _REAL, "staged forecast; missing: not computed", _ITERATIONS),
        _field("predicted_integrated", _REAL, "integrated forecast; missing likewise", _ITERATIONS),
        _field("nearest_reduced_rank", _REAL, "smallest distance of W to regression of this rank"),
        _field("nearest_reduced_rank_response", _REAL, "the same of sigma_x W"),
        _field("final_strength", _REAL, "last recorded u^T W v"),
        _field("best_test_error", _REAL, "smallest recorded test error"),
        _field("final_test_error", _REAL, "last recorded test error"),
        _field("largest_deviation", _REAL, "largest recorded deviation; missing: not compared"),
        _field("largest_deviation_iteration", _REAL, "when that was recorded", _ITERATIONS),
        _field("final_deviation", _REAL, "last recorded deviation"),
        _field("final_imbalance", _REAL, "last recorded imbalance of the layers"),
        _field("outcome", _SHORT, "monotone, overshoot or no convergence"),
        _field("next_overlap", _REAL, "share of the next mode when this one reaches 90 %"),
        _field("next_value_overlap", _REAL, "the same of singular values of sigma_x W"),
    ]
)

_PLATEAU = [
    *_RUN,
    _field("stage", _INTEGER, "plateau, from 1; the last one is the end of the run"),
    _field("stages", _INTEGER, "stages of the run, one fewer than plateaus"),
    _field("learned", _INTEGER, "singular values that have reached half of their target"),
    _field("iteration", _INTEGER, "where the gradient is smallest", _ITERATIONS),
    _field("gradient_norm", _REAL, "Frobenius norm of the gradient there"),
    _field("loss", _REAL, "training loss there"),
    _field("predicted_loss", _REAL, "half the squares of what is not learned; full observation"),
]

STAGES = pa.schema(
    [
        *_PLATEAU,
        _field("sigma_ratio", _REAL, "largest ratio of neighbouring singular values of the target"),
        _field("rises", _INTEGER, "singular values learned in the stage that follows"),
        _field("peak_iteration", _INTEGER, "where the gradient peaks in it", _ITERATIONS),
        _field("peak_gradient_norm", _REAL, "Frobenius norm of the gradient at its peak"),
        _field("distance", _REAL, "distance of W to the target over the target's norm"),
    ]
)

PLATEAUS = pa.schema(
    [
        *_PLATEAU,
        _field("at_end", pa.bool_(), "whether this is where the run ended"),
        _field("smallest_curvature", _REAL, "smallest eigenvalue of the Hessian"),
        _field("largest_curvature", _REAL, "largest eigenvalue of the Hessian"),
        _field("product_rank", _INTEGER, "singular values of W above 1 % of the largest"),
        _field("greedy_loss", _REAL, "loss of the greedily grown best map of rank learned"),
        _field("greedy_distance", _REAL, "distance of W to that map over the target's norm"),
        _field("target_distance", _REAL, "distance of W to the target over its norm"),
    ]
)

FORECASTS = pa.schema(
    [
        _field("experiment", _SHORT, "section of the config"),
        _field("dataset", _SHORT, "name of the data set"),
        _field("draw", _INTEGER, "draw of the data set, from 0"),
        _field("width", _INTEGER, "hidden units"),
        _field("delta", _REAL, "initial scale: every layer starts at e^-delta"),
        _field("relative_step_size", _REAL, "step size in the experiment's own unit"),
        _field("mode", _INTEGER, "stage, from 1"),
        _field("predicted_reduced_rank", _REAL, "reduced-rank staged law", _ITERATIONS),
        _field("predicted_vanishing_flow", _REAL, "the same of a flow from 0", _ITERATIONS),
        _field("predicted_staged", _REAL, "staged forecast", _ITERATIONS),
        _field("predicted_integrated", _REAL, "integrated forecast", _ITERATIONS),
        _field("largest_curvature", _REAL, "step size times top curvature on the way"),
    ]
)

REFERENCES = pa.schema(
    [
        _field("experiment", _SHORT, "section of the config"),
        _field("dataset", _SHORT, "name of the data set"),
        _field("draw", _INTEGER, "draw of the data set, from 0"),
        _field("method", _SHORT, "reduced_rank or ridge"),
        _field("parameter", _REAL, "rank, or penalty over the top eigenvalue of sigma_x"),
        _field("test_error", _REAL, "held-out error over the targets' size"),
    ]
)

TEACHERS = pa.schema(
    [
        _field("experiment", _TEXT, "section of the config"),
        _field("dataset", _TEXT, "name of the data set"),
        _field("teacher_rank", _INTEGER, "rank of the teacher"),
        _field("strength", _REAL, "smallest singular value of the teacher"),
        _field("white", pa.bool_(), "whether sigma_x is a multiple of the identity"),
        _field("initialisation", _TEXT, "how the first weights were drawn"),
        _field("delta", _REAL, "initial scale: every layer starts at e^-delta"),
        _field("relative_step_size", _REAL, "step size in the experiment's own unit"),
        _field("fastest", _REAL, "growth of the strongest mode in one step, if inputs are white"),
        _field("version", _TEXT, "asymptotic, or finite: from the noisy targets of each draw"),
        _field("law", _TEXT, "growth of the flow, or discrete: of the update rule"),
        _field("iteration", _INTEGER, "iteration", _ITERATIONS),
        _field("test_error", _REAL, "held-out error over the targets' size"),
        _field("train_error", _REAL, "training error over the targets' size"),
    ]
)

SUMMARY = pa.schema(
    [
        *_GRID,
        _field("quantity", _SHORT, "what the row is about, a column of the trajectories"),
        _field("mode", _INTEGER, "mode, from 1; 0 for quantities of the whole map"),
        _field("iteration", _INTEGER, "iteration of the record", _ITERATIONS),
        _field("flow_time", _REAL, "iteration times step size, mean over seeds"),
        _field("mean", _REAL, "mean over seeds"),
        _field("low", _REAL, "5 % quantile over seeds"),
        _field("high", _REAL, "95 % quantile over seeds"),
        _field("predicted", _REAL, "mean over seeds of the closed form; missing if none"),
        _field("largest_deviation", _REAL, "largest |measured - closed form| over seeds"),
        _field("seeds", _INTEGER, "number of runs in the row"),
    ]
)


_MEASURED_FROM = {
    "learning_iteration": {"response_values"},
    "next_value_overlap": {"response_values"},
    "response_value": {"response_values"},
    "mode_learning_iteration": {"mode_strengths"},
    "final_strength": {"mode_strengths"},
    "next_overlap": {"mode_strengths"},
    "outcome": {"mode_strengths"},
    "mode_strength": {"mode_strengths"},
    "alignment": {"response_values", "mode_strengths"},
    "nearest_reduced_rank": {"reduced_rank_distance"},
    "nearest_reduced_rank_response": {"reduced_rank_response_distance"},
    "best_test_error": {"test_error"},
    "final_test_error": {"test_error"},
    "final_imbalance": {"imbalance"},
}


def measured_from(name: str) -> set[str]:
    """Observables that a column of the learning times, or a curve of the summary, is made of."""
    return _MEASURED_FROM.get(name, {name}.intersection(OBSERVABLES))


def units_of(schema: pa.Schema) -> dict[str, str]:
    """Meaning of every column, with its unit where it has one."""
    described = {}
    for field in schema:
        metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
        unit = f" ({metadata['unit']})" if "unit" in metadata else ""
        described[field.name] = metadata["meaning"] + unit
    return described
