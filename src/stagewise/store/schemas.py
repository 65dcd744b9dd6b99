"""Columns of the tables that stages hand on: type, unit and meaning of each."""

import pyarrow as pa

from stagewise.dynamics.observables import OBSERVABLES

ITERATIONS = "iterations"


def column(name: str, kind: pa.DataType, meaning: str, unit: str = "") -> pa.Field:
    """A column with its meaning, and its unit where it has one."""
    metadata = {"meaning": meaning, "unit": unit} if unit else {"meaning": meaning}
    return pa.field(name, kind, metadata=metadata)


TEXT = pa.string()
SHORT = pa.dictionary(pa.int32(), pa.string())
INTEGER = pa.int64()
REAL = pa.float64()

_GRID = [
    column("experiment", SHORT, "section of the config"),
    column("dataset", SHORT, "name of the data set"),
    column("centred", pa.bool_(), "whether the means were subtracted"),
    column("depth", INTEGER, "number of weight matrices"),
    column("dim_in", INTEGER, "input dimension"),
    column("dim_out", INTEGER, "output dimension"),
    column("rank", INTEGER, "rank of sigma_xy"),
    column("observed", REAL, "share of the target's entries that the loss sees"),
    column("width", INTEGER, "hidden units"),
    column("initialisation", SHORT, "how the first weights were drawn"),
    column("delta", REAL, "initial scale: every layer starts at e^-delta"),
    column("relative_step_size", REAL, "step size in the experiment's own unit"),
    column("optimizer", SHORT, "update rule"),
]
GRID_COLUMNS = [field.name for field in _GRID]

_RUN = [
    *_GRID,
    column("run", INTEGER, "position in the experiment's grid, from 0"),
    column("seed", INTEGER, "replicate of the grid point, from 0"),
    column("step_size", REAL, "step size of gradient descent"),
    column("status", SHORT, "ok or diverged"),
    column(
        "orientation",
        REAL,
        "sign of det W at the start times that of det sigma_xy; missing: not square",
    ),
    column("non_commuting", REAL, "spectral norm of the part of sigma_x off the modes"),
]

RUN_COLUMNS = [field.name for field in _RUN]

_MODE = [
    column("mode", INTEGER, "mode, strongest first, from 1"),
    column("sigma", REAL, "singular value of sigma_xy"),
    column("lam", REAL, "diagonal entry of U^T sigma_x U"),
]

# An observable that an experiment does not ask for is no column of its tables.
TRAJECTORIES = pa.schema(
    [
        *_RUN,
        *_MODE,
        column("iteration", INTEGER, "iteration of the record", ITERATIONS),
        column("refined", pa.bool_(), "record added to locate a learning time"),
        column("loss", REAL, "training loss above the least-squares minimum"),
        column("gradient_norm", REAL, "Frobenius norm of the gradient over all layers"),
        column("trace_norm", REAL, "sum of the singular values of W"),
        column("imbalance", REAL, "relative difference of neighbouring layers' Gram matrices"),
        column("response_value", REAL, "singular value of sigma_x W of this rank"),
        column("mode_strength", REAL, "u^T W v of this mode"),
        column(
            "reduced_rank_distance",
            REAL,
            "relative Frobenius distance of W to reduced-rank regression of this rank",
        ),
        column("reduced_rank_response_distance", REAL, "the same of sigma_x W"),
        column("test_error", REAL, "held-out error over the targets' size; missing: none held out"),
        column("deviation", REAL, "spectral distance of W to that of commuting moments"),
    ]
)

LEARNING_TIMES = pa.schema(
    [
        *_RUN,
        *_MODE,
        column(
            "learning_iteration",
            REAL,
            "first iteration at which the singular value of sigma_x W reaches sigma/2",
            ITERATIONS,
        ),
        column(
            "mode_learning_iteration",
            REAL,
            "first iteration at which u^T W v reaches sigma/(2 lam)",
            ITERATIONS,
        ),
        column("predicted_flow", REAL, "delta/(step_size sigma)", ITERATIONS),
        column("predicted_discrete", REAL, "delta/ln(1 + step_size sigma)", ITERATIONS),
        column("predicted_reduced_rank", REAL, "reduced-rank staged law", ITERATIONS),
        column("predicted_vanishing_flow", REAL, "the same of a flow from 0", ITERATIONS),
        column("predicted_staged", REAL, "staged forecast; missing: not computed", ITERATIONS),
        column("predicted_integrated", REAL, "integrated forecast; missing likewise", ITERATIONS),
        column("nearest_reduced_rank", REAL, "smallest distance of W to regression of this rank"),
        column("nearest_reduced_rank_response", REAL, "the same of sigma_x W"),
        column("final_strength", REAL, "last recorded u^T W v"),
        column("best_test_error", REAL, "smallest recorded test error"),
        column("final_test_error", REAL, "last recorded test error"),
        column("largest_deviation", REAL, "largest recorded deviation; missing: not compared"),
        column("largest_deviation_iteration", REAL, "when that was recorded", ITERATIONS),
        column("final_deviation", REAL, "last recorded deviation"),
        column("final_imbalance", REAL, "last recorded imbalance of the layers"),
        column("outcome", SHORT, "monotone, overshoot or no convergence"),
        column("next_overlap", REAL, "share of the next mode when this one reaches 90 %"),
        column("next_value_overlap", REAL, "the same of singular values of sigma_x W"),
    ]
)

_PLATEAU = [
    *_RUN,
    column("stage", INTEGER, "plateau, from 1; the last one is the end of the run"),
    column("stages", INTEGER, "stages of the run, one fewer than plateaus"),
    column("learned", INTEGER, "singular values that have reached half of their target"),
    column("iteration", INTEGER, "where the gradient is smallest", ITERATIONS),
    column("gradient_norm", REAL, "Frobenius norm of the gradient there"),
    column("loss", REAL, "training loss there"),
    column("predicted_loss", REAL, "half the squares of what is not learned; full observation"),
]

STAGES = pa.schema(
    [
        *_PLATEAU,
        column("sigma_ratio", REAL, "largest ratio of neighbouring singular values of the target"),
        column("rises", INTEGER, "singular values learned in the stage that follows"),
        column("peak_iteration", INTEGER, "where the gradient peaks in it", ITERATIONS),
        column("peak_gradient_norm", REAL, "Frobenius norm of the gradient at its peak"),
        column("distance", REAL, "distance of W to the target over the target's norm"),
    ]
)

PLATEAUS = pa.schema(
    [
        *_PLATEAU,
        column("at_end", pa.bool_(), "whether this is where the run ended"),
        column("smallest_curvature", REAL, "smallest eigenvalue of the Hessian"),
        column("largest_curvature", REAL, "largest eigenvalue of the Hessian"),
        column("product_rank", INTEGER, "singular values of W above 1 % of the largest"),
        column("greedy_loss", REAL, "loss of the greedily grown best map of rank learned"),
        column("greedy_distance", REAL, "distance of W to that map over the target's norm"),
        column("target_distance", REAL, "distance of W to the target over its norm"),
    ]
)

FORECASTS = pa.schema(
    [
        column("experiment", SHORT, "section of the config"),
        column("dataset", SHORT, "name of the data set"),
        column("draw", INTEGER, "draw of the data set, from 0"),
        column("width", INTEGER, "hidden units"),
        column("delta", REAL, "initial scale: every layer starts at e^-delta"),
        column("relative_step_size", REAL, "step size in the experiment's own unit"),
        column("mode", INTEGER, "stage, from 1"),
        column("predicted_reduced_rank", REAL, "reduced-rank staged law", ITERATIONS),
        column("predicted_vanishing_flow", REAL, "the same of a flow from 0", ITERATIONS),
        column("predicted_staged", REAL, "staged forecast", ITERATIONS),
        column("predicted_integrated", REAL, "integrated forecast", ITERATIONS),
        column("largest_curvature", REAL, "step size times top curvature on the way"),
    ]
)

REFERENCES = pa.schema(
    [
        column("experiment", SHORT, "section of the config"),
        column("dataset", SHORT, "name of the data set"),
        column("draw", INTEGER, "draw of the data set, from 0"),
        column("method", SHORT, "reduced_rank or ridge"),
        column("parameter", REAL, "rank, or penalty over the top eigenvalue of sigma_x"),
        column("test_error", REAL, "held-out error over the targets' size"),
    ]
)

TEACHERS = pa.schema(
    [
        column("experiment", TEXT, "section of the config"),
        column("dataset", TEXT, "name of the data set"),
        column("teacher_rank", INTEGER, "rank of the teacher"),
        column("strength", REAL, "smallest singular value of the teacher"),
        column("white", pa.bool_(), "whether sigma_x is a multiple of the identity"),
        column("initialisation", TEXT, "how the first weights were drawn"),
        column("delta", REAL, "initial scale: every layer starts at e^-delta"),
        column("relative_step_size", REAL, "step size in the experiment's own unit"),
        column("fastest", REAL, "growth of the strongest mode in one step, if inputs are white"),
        column("version", TEXT, "asymptotic, or finite: from the noisy targets of each draw"),
        column("law", TEXT, "growth of the flow, or discrete: of the update rule"),
        column("iteration", INTEGER, "iteration", ITERATIONS),
        column("test_error", REAL, "held-out error over the targets' size"),
        column("train_error", REAL, "training error over the targets' size"),
    ]
)

SUMMARY = pa.schema(
    [
        *_GRID,
        column("quantity", SHORT, "what the row is about, a column of the trajectories"),
        column("mode", INTEGER, "mode, from 1; 0 for quantities of the whole map"),
        column("iteration", INTEGER, "iteration of the record", ITERATIONS),
        column("flow_time", REAL, "iteration times step size, mean over seeds"),
        column("mean", REAL, "mean over seeds"),
        column("low", REAL, "5 % quantile over seeds"),
        column("high", REAL, "95 % quantile over seeds"),
        column("predicted", REAL, "mean over seeds of the closed form; missing if none"),
        column("largest_deviation", REAL, "largest |measured - closed form| over seeds"),
        column("seeds", INTEGER, "number of runs in the row"),
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
