"""The figures by name. This module is light: it is read before any job starts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureSpec:
    """What a figure needs.

    title : heading on the index page. experiments : sections of the config it shows. aggregates :
    tables it reads. optional : sections that it shows too where the config has them. The module of the same name in this package draws it, and the caption is
    workflow/report/NAME.rst.
    """

    title: str
    experiments: tuple[str, ...]
    aggregates: tuple[str, ...]
    optional: tuple[str, ...] = ()


FIGURES = {
    "closed_form": FigureSpec(
        "Two layers learn in stages, one layer does not",
        ("closed_form",),
        ("trajectory_summary",),
    ),
    "autoencoder": FigureSpec(
        "The linear autoencoder climbs a staircase",
        ("autoencoder", "autoencoder_data"),
        ("trajectory_summary", "learning_times"),
    ),
    "learning_times": FigureSpec(
        "When descent learns a mode: δ/ln(1 + ησ), not δ/(ησ)",
        ("learning_times", "learning_times_limit"),
        ("learning_times",),
    ),
    "step_size": FigureSpec(
        "What a large step does",
        ("step_size", "stable_step", "mode_order"),
        ("learning_times",),
    ),
    "perturbation": FigureSpec(
        "What a part that does not commute does to the path depends on the order of modes",
        ("perturbation", "perturbation_growth"),
        ("learning_times",),
    ),
    "initialisation": FigureSpec(
        "Any vanishing start learns in stages",
        ("initialisation",),
        ("trajectory_summary", "learning_times"),
    ),
    "reduced_rank_path": FigureSpec(
        "Training passes by reduced-rank regression where the two orders agree",
        ("reduced_rank_path",),
        ("trajectory_summary", "learning_times"),
    ),
    "generalisation": FigureSpec(
        "Held-out error along training",
        ("generalisation",),
        ("trajectory_summary", "learning_times", "references"),
    ),
    "lampinen_ganguli": FigureSpec(
        "The theory of test error by Lampinen and Ganguli, against training",
        ("lampinen_ganguli", "lampinen_ganguli_steps"),
        ("trajectory_summary", "teachers"),
    ),
    "forecast": FigureSpec(
        "Forecasts where the moments do not commute",
        ("forecast",),
        ("learning_times", "assumption"),
    ),
    "real_data": FigureSpec(
        "Second moments of real data predict when a network learns each mode",
        ("real_data",),
        ("trajectory_summary", "learning_times"),
        optional=("real_data_uncentred",),
    ),
    "saddle_stages": FigureSpec(
        "Deep matrix factorisation escapes one saddle a singular value",
        ("saddle_stages",),
        ("trajectory_summary", "stages"),
    ),
    "saddle_curvature": FigureSpec(
        "What the Hessian says of saddles, and what it cannot say",
        ("saddles", "saddles_balanced", "stable_step_deep", "completion_path"),
        ("plateaus", "learning_times"),
    ),
    "stage_counts": FigureSpec(
        "Stages counted, with all entries observed and with some",
        (
            "stage_counts_2",
            "stage_counts_3",
            "stage_counts_3_50",
            "stage_counts_4",
            "stage_counts_4_50",
        ),
        ("stages",),
    ),
    "escape_times": FigureSpec(
        "Deeper networks wait longer and learn more abruptly",
        ("escape_times", "depth_law"),
        ("learning_times",),
    ),
    "rmsprop": FigureSpec(
        "RMSProp keeps the stages or merges them, depending on which RMSProp",
        ("descent_separation", "rmsprop"),
        ("learning_times",),
    ),
}
