"""The typed configuration: defaults, limits and descriptions live here and nowhere else.

`config.yaml` and the overlays in `config/` are checked against these models before any job
starts; the JSON schema and `config/README.md` are generated from them.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_]*$"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Section(BaseModel):
    """A part of the configuration; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AlignedData(Section):
    """Moments that satisfy Assumption 1 exactly: sigma and lam prescribed, frames chosen."""

    kind: Literal["aligned"]
    sigma: list[Positive] = Field(min_length=1, description="Singular values of sigma_xy.")
    lam: list[Positive] | None = Field(
        None, description="Eigenvalues of sigma_x, in sigma's order; null: equal to sigma."
    )
    frame: Literal["coordinate", "random"] = Field(
        "random",
        description="Singular vectors: random orthogonal ones, or coordinate axes (diagonal "
        "matrices, where rounding never mixes modes, for large delta).",
    )
    draws: Count = Field(1, description="Independent draws of the frames.")

    @model_validator(mode="after")
    def _lengths_match(self) -> "AlignedData":
        if self.lam is not None and len(self.lam) != len(self.sigma):
            raise ValueError(
                f"lam has {len(self.lam)} values and sigma {len(self.sigma)}; give one per mode"
            )
        return self


class RandomModesData(Section):
    """Commuting moments whose sigma and lam are drawn at random, one set a draw."""

    kind: Literal["random_modes"]
    modes: Count = Field(2, description="Number of modes.")
    sigma_ratio: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2, description="The first sigma is 1, the others uniform on [sigma_ratio, 1]."
    )
    lam_range: list[Positive] = Field(
        [0.2, 5.0],
        min_length=2,
        max_length=2,
        description="lam/sigma is log-uniform between these two values.",
    )
    equal_lam: bool = Field(False, description="One lam for all modes of a draw.")
    frame: Literal["coordinate", "random"] = Field("coordinate", description="As for aligned.")
    draws: Count = Field(20, description="Independent draws.")

    @model_validator(mode="after")
    def _range_ascends(self) -> "RandomModesData":
        if self.lam_range[0] > self.lam_range[1]:
            raise ValueError(f"lam_range is {self.lam_range}; its first value must not be larger")
        return self


class AutoencoderData(Section):
    """Linear autoencoder on low-rank data: Y = X = Bz + e (reconstructed protocol)."""

    kind: Literal["autoencoder"]
    dim: Count = Field(20, description="Dimension of inputs and outputs.")
    rank: Count = Field(10, description="Number of latent factors; at most dim.")
    samples: Count = Field(1000, description="Samples per draw.")
    largest_variance: Positive = Field(
        4.0, description="Variance of the first factor; each next one has half of it."
    )
    noise: NonNegative = Field(1e-3, description="Standard deviation of e.")
    draws: Count = Field(20, description="Independent data sets.")

    @model_validator(mode="after")
    def _rank_fits(self) -> "AutoencoderData":
        if self.rank > self.dim:
            raise ValueError(f"rank is {self.rank} but dim is {self.dim}; rank must be at most dim")
        return self


class LowRankRegressionData(Section):
    """Noisy regression y = Wᵀx + noise with a teacher W of low rank."""

    kind: Literal["low_rank_regression"]
    dim_in: Count = Field(20, description="Input dimension.")
    dim_out: Count = Field(10, description="Output dimension.")
    rank: Count = Field(3, description="Rank of the teacher; at most min(dim_in, dim_out).")
    samples: Count = Field(1000, description="Samples per draw.")
    input_decay: NonNegative = Field(
        0.0, description="Input coordinate i has variance i^-input_decay; 0 is whitened."
    )
    noise: NonNegative = Field(0.1, description="Standard deviation of the output noise.")
    draws: Count = Field(20, description="Independent data sets.")

    @model_validator(mode="after")
    def _rank_fits(self) -> "LowRankRegressionData":
        if self.rank > min(self.dim_in, self.dim_out):
            raise ValueError(
                f"rank is {self.rank} but min(dim_in, dim_out) is "
                f"{min(self.dim_in, self.dim_out)}; rank must be at most that"
            )
        return self


class DigitsData(Section):
    """The UCI handwritten digits that scikit-learn bundles: 1797 images of 8 × 8."""

    kind: Literal["digits"]


class MnistData(Section):
    """MNIST training images from the four IDX files in a directory."""

    kind: Literal["mnist"]
    directory: str = Field("mnist", description="Folder of the IDX files, within data_dir.")
    download: bool = Field(True, description="Fetch files that are missing.")


class NpzData(Section):
    """A user's own data: `.npz` with X and y, or with ready moments sigma_x and sigma_xy."""

    kind: Literal["npz"]
    path: str = Field(description="The file; relative paths start at the working directory.")


DataSpec = Annotated[
    AlignedData
    | RandomModesData
    | AutoencoderData
    | LowRankRegressionData
    | DigitsData
    | MnistData
    | NpzData,
    Field(discriminator="kind"),
]


class Experiment(Section):
    """A grid of runs: every combination of the lists below, `replicates` times."""

    datasets: list[Name] = Field(min_length=1, description="Names from the section datasets.")
    centred: bool = Field(True, description="Subtract the means of X and Y.")
    depth: list[Annotated[int, Field(ge=1, le=8)]] = Field(
        [2], min_length=1, description="Number of weight matrices; 1 is the linear model."
    )
    width: Count | None = Field(None, description="Hidden units; null: min(dim_in, dim_out).")
    initialisation: list[Literal["aligned", "orthogonal", "gaussian"]] = Field(
        ["gaussian"], min_length=1, description="How the first weights are drawn."
    )
    delta: list[Positive] = Field(
        min_length=1, description="Initial scale: every layer starts at e^-delta."
    )
    step_size: list[Positive] = Field(
        min_length=1, description="Step sizes, in the unit of step_size_unit."
    )
    step_size_unit: Literal["absolute", "per_sigma", "per_curvature"] = Field(
        "per_sigma",
        description="absolute: the step itself; per_sigma: times the largest sigma; "
        "per_curvature: times the larger of the largest sigma and the top eigenvalue of sigma_x.",
    )
    replicates: Count = Field(20, description="Seeds per grid point.")
    modes: Count = Field(10, description="How many of the strongest modes are followed.")
    horizon: Positive = Field(
        1.5,
        description="Length of a run, in units of delta/ln(1+step*sigma) of its horizon_mode.",
    )
    horizon_mode: Count | None = Field(
        None, description="Mode that sets the length of a run; null: the weakest one followed."
    )
    extra_iterations: NonNegative = Field(
        0, description="Iterations added to the horizon, for runs whose delta is small."
    )
    records_per_decade: Annotated[int, Field(ge=5, le=2000)] = Field(
        100, description="Recorded iterations per decade, log-spaced (every one at first)."
    )
    runs_per_shard: Count = Field(200, description="Runs simulated by one job.")
    summarise: bool = Field(
        False, description="Keep curves over training (mean and band), not only learning times."
    )


class Config(Section):
    """Everything a run of the workflow depends on."""

    run: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]*)?$")] = Field(
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
    random_completions: Count = Field(
        20, description="Random basis completions averaged in the table assumption."
    )
    datasets: dict[Name, DataSpec] = Field(min_length=1, description="Data sets by name.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="Experiments by name.")
    figures: list[Name] = Field(min_length=1, description="Figures to render, in page order.")

    @field_validator("figures")
    @classmethod
    def _figures_differ(cls, figures: list[str]) -> list[str]:
        repeated = sorted({name for name in figures if figures.count(name) > 1})
        if repeated:
            raise ValueError(f"{', '.join(repeated)} listed twice; list each figure once")
        return figures

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
        return self
