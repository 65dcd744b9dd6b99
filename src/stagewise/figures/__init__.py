"""The figures by name. This module is light: it is read before any job starts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureSpec:
    """What a figure needs.

    title : heading on the index page. experiments : sections of the config it shows. aggregates :
    tables it reads. The module of the same name in this package draws it, and the caption is
    workflow/report/NAME.rst.
    """

    title: str
    experiments: tuple[str, ...]
    aggregates: tuple[str, ...]


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
        ("real_data", "real_data_uncentred"),
        ("trajectory_summary", "learning_times"),
    ),
}
