"""The typed configuration: defaults, limits and descriptions live here and nowhere else.

`config.yaml` and the overlays in `config/` are checked against these models before any job
starts; the JSON schema and `config/README.md` are generated from them.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from stagewise.config.training import TrainingExperiment
from stagewise.data.kinds import DataSpec
from stagewise.dynamics.initialisations import Initialisation
from stagewise.dynamics.observables import OBSERVABLES, Engine, Observable
from stagewise.dynamics.optimisers import Optimizer
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.update_rule import UpdateRule
from stagewise.fields import Count, Name, NonNegative, Positive, Section


def _listed(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


_Optimizers = Annotated[list[Optimizer], Field(min_length=1)]


class Experiment(Section):
    """A grid of runs: every combination of the lists below, `replicates` times."""

    datasets: list[Name] = Field(min_length=1, description="Names from the section datasets.")
    centred: bool = Field(True, description="Subtract the means of X and Y.")
    depth: list[Annotated[int, Field(ge=1, le=8)]] = Field(
        [2], min_length=1, description="Number of weight matrices; 1 is the linear model."
    )
    width: list[Count | None] = Field(
        [None], min_length=1, description="Hidden units; null: min(dim_in, dim_out)."
    )
    initialisation: list[Initialisation] = Field(
        ["gaussian"], min_length=1, description="How the first weights are drawn."
    )
    delta: list[Positive] | None = Field(
        None, min_length=1, description="Initial scale: every layer starts at e^-delta."
    )
    product_scale: list[Annotated[float, Field(gt=0, lt=1)]] | None = Field(
        None,
        min_length=1,
        description="The same as the scale of the product, e^(-depth delta); instead of delta.",
    )
    optimizer: Annotated[
        list[Optimizer],
        BeforeValidator(_listed, json_schema_input_type=_Optimizers | Optimizer),
    ] = Field(
        [GradientDescent()],
        min_length=1,
        description="Update rules: a name alone, or a section with kind and settings (below).",
    )
    step_size: list[Positive] = Field(
        min_length=1, description="Step sizes, in the unit of step_size_unit."
    )
    step_size_unit: Literal["absolute", "per_sigma", "per_curvature", "per_solution"] = Field(
        "per_sigma",
        description="absolute: the step itself; per_sigma: times the largest sigma; "
        "per_curvature: times the larger of the largest sigma and the top eigenvalue of sigma_x; "
        "per_solution: times the top curvature of the balanced solution, so that 2 is the stable step: "
        "L sigma_1^(2 - 2/L) for depth L and sigma_x = I, or less where entries are missing; for two "
        "layers and moments that commute max lam_i(w_i + w_j) over modes, w = sigma/lam.",
    )
    replicates: Count = Field(20, description="Seeds per grid point.")
    modes: Count = Field(10, description="How many of the strongest modes are followed.")
    horizon: Positive = Field(
        1.5,
        description="Length of a run in units of the learning time of its horizon_mode: "
        "delta/ln(1+step*sigma) for up to two layers, e^(delta(L-2))/((L-2) step sigma) for L of "
        "them; over the observed share.",
    )
    horizon_mode: Count | None = Field(
        None, description="Mode that sets the length of a run; null: the weakest one followed."
    )
    iterations: Count | None = Field(None, description="Length of a run, instead of horizon.")
    extra_iterations: NonNegative = Field(
        0, description="Iterations added to the horizon, for runs whose delta is small."
    )
    records_per_decade: Annotated[int, Field(ge=5, le=2000)] = Field(
        100, description="Recorded iterations per decade, log-spaced (every one at first)."
    )
    refine: bool = Field(
        True, description="Add records where a mode is learned, which locate its learning time."
    )
    observables: list[Observable] | None = Field(
        None,
        description="What is measured at every record beside what studies, stages and plateaus read "
        "of the experiment; null: nothing else, or everything if no study reads the experiment.",
    )
    engine: Engine = Field(
        "compiled",
        description="What takes the steps of gradient descent: compiled code (NumPy, with a line in "
        "the log, where that is not available), or numpy.",
    )
    runs_per_shard: Count = Field(200, description="Runs simulated by one job.")
    compare_commuting: bool = Field(
        False,
        description="Train from the same start without the part of sigma_x that does not commute "
        "too, and record how far the two maps are apart.",
    )
    references: bool = Field(
        False,
        description="Compare with reduced-rank regression and ridge regression on held-out data.",
    )
    teacher_theory: bool = Field(
        False,
        description="Compute Lampinen and Ganguli's theory of test and train error (data sets of "
        "kind low_rank_regression with one_hot inputs).",
    )
    rotate_hidden: bool = Field(
        False,
        description="Keep hidden directions apart (two layers), so that rounding of the large ones "
        "does not drown the small ones; needed from delta of about 40 on.",
    )
    forecast: bool = Field(
        False, description="Forecast the learning times of two layers from the moments too."
    )
    summarise: bool = Field(
        False,
        description="Keep curves over training (mean and band), though no study reads them.",
    )
    stages: bool = Field(
        False, description="Count the stages of escape from saddles, though no study reads them."
    )
    plateaus: bool = Field(
        False,
        description="Instead of recording trajectories keep weights where training rests: curvature "
        "and distance to the best map of low rank at every plateau.",
    )
    curvature: bool = Field(True, description="Curvature at those plateaus too, which takes time.")

    @field_validator("optimizer")
    @classmethod
    def _rules_differ(cls, rules: list[UpdateRule]) -> list[UpdateRule]:
        labels = [rule.label for rule in rules]
        repeated = sorted({label for label in labels if labels.count(label) > 1})
        if repeated:
            raise ValueError(f"{', '.join(repeated)} is listed twice; list each update rule once")
        return rules

    @property
    def recorded(self) -> list[Observable]:
        """Observables that are measured: those listed and those that counting stages needs."""
        needed = set(OBSERVABLES if self.observables is None else self.observables)
        if self.stages:
            needed |= {"loss", "gradient_norm", "response_values", "reduced_rank_distance"}
        return [name for name in OBSERVABLES if name in needed]

    def scales(self, depth: int) -> list[float]:
        """Initial scales delta of networks of a depth."""
        if self.delta is not None:
            return list(self.delta)
        return [-math.log(scale) / depth for scale in self.product_scale or ()]

    @model_validator(mode="after")
    def _one_scale(self) -> "Experiment":
        if (self.delta is None) == (self.product_scale is None):
            given = "neither" if self.delta is None else "both"
            raise ValueError(f"{given} of delta and product_scale is given; give one of them")
        return self


class Config(Section):
    """Everything a run of the workflow depends on."""

    run: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,99})?$")] = Field(
        "", description="Name of this run; outputs go to results/NAME and figures/NAME."
    )
    notice: str = Field("", description="A sentence shown above the verdicts of this run.")
    data_dir: str | None = Field(
        None,
        description="Folder of downloaded data; null: $STAGEWISE_DATA, else the user cache.",
    )
    assumption: list[Name] = Field(
        min_length=1, description="Data sets of the table assumption, names from datasets."
    )
    datasets: dict[Name, DataSpec] = Field(min_length=1, description="Data sets by name.")
    experiments: dict[Name, Experiment] = Field(
        min_length=1, description="Experiments by name; the key `only` chooses some of them."
    )
    training: dict[Name, TrainingExperiment] = Field(
        {}, description="Runs on samples or under other update rules, by name."
    )
    only: list[str] = Field(
        [],
        description="Experiments and studies to run, a study with all that it reads; [] for all.",
    )

    @model_validator(mode="after")
    def _datasets_exist(self) -> "Config":
        readers = {
            f"experiments.{name}.datasets": each.datasets for name, each in self.experiments.items()
        }
        for key, names in (readers | {"assumption": self.assumption}).items():
            for dataset in names:
                if dataset not in self.datasets:
                    known = ", ".join(sorted(self.datasets))
                    raise ValueError(
                        f"{key} names {dataset!r}, which the section datasets does not define; "
                        f"it has {known}"
                    )
        for name, experiment in self.experiments.items():
            for dataset in experiment.datasets:
                if not experiment.centred and self.datasets[dataset].centred_only():
                    raise ValueError(
                        f"experiments.{name} is not centred, but of {dataset} only centred moments "
                        "are known; leave it out or set centred to true"
                    )
        return self
