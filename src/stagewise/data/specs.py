"""Data sets that are drawn, bundled or a user's own, as sections of the configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stagewise.data.image_specs import Section

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


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
    perturbation: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Spectral norm of a random symmetric matrix added to sigma_x that breaks "
        "commutation (zero diagonal in the modes), as a share of the smallest lam.",
    )
    seed_name: str | None = Field(
        None,
        description="Name that seeds the draws; null: the data set's own. Data sets that share it "
        "share their random numbers.",
    )
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
    """Noisy regression y = Wᵀx + noise with a teacher W of low rank.

    Held-out data are all inputs of that kind, with the teacher's outputs free of noise.
    """

    kind: Literal["low_rank_regression"]
    dim_in: Count = Field(20, description="Input dimension.")
    dim_out: Count = Field(10, description="Output dimension.")
    rank: Count = Field(3, description="Rank of the teacher; at most min(dim_in, dim_out).")
    samples: Count = Field(1000, description="Samples per draw; for one_hot inputs dim_in of them.")
    strength: Positive = Field(
        1.0, description="The teacher's singular values are rank, …, 2, 1 times this."
    )
    inputs: Literal["gaussian", "one_hot"] = Field(
        "gaussian", description="Gaussian inputs, or each unit vector once."
    )
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
        if self.inputs == "one_hot" and self.samples != self.dim_in:
            raise ValueError(
                f"samples is {self.samples} but one_hot inputs are dim_in = {self.dim_in} samples; "
                f"set samples to {self.dim_in}"
            )
        return self


class RotatedData(Section):
    """Moments from commuting to generic: eigenvectors of sigma_x rotated away from the modes."""

    kind: Literal["rotated"]
    angle: Annotated[float, Field(ge=0, le=1)] = Field(
        description="0: sigma_x and sigma_xy commute; 1: a random frame; between: on the way."
    )
    dim_in: Count = Field(40, description="Input dimension; at least modes.")
    modes: Count = Field(9, description="Output dimension, and modes of sigma_xy.")
    sigma_decay: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.85, description="sigma is 1, sigma_decay, sigma_decay², …"
    )
    lam_range: list[Positive] = Field(
        [0.05, 1.0],
        min_length=2,
        max_length=2,
        description="Eigenvalues of sigma_x, log-spaced between these, in random order.",
    )
    draws: Count = Field(1, description="Independent draws of the frame.")

    @model_validator(mode="after")
    def _modes_fit(self) -> "RotatedData":
        if self.modes > self.dim_in:
            raise ValueError(f"modes is {self.modes} but dim_in is {self.dim_in}; use at most that")
        return self


class PowerLawData(Section):
    """Inputs of eigenvalues i^-decay and a Gaussian target map, as in natural images."""

    kind: Literal["power_law"]
    dim_in: Count = Field(100, description="Input dimension.")
    dim_out: Count = Field(10, description="Output dimension.")
    decay: Positive = Field(2.0, description="Eigenvalue i of sigma_x is i^-decay.")
    output_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="Output k of the target map is scaled by output_decay^k."
    )
    draws: Count = Field(1, description="Independent draws of the target map.")


class LowRankMatrixData(Section):
    """Targets of matrix factorisation: low rank, sigma_x = I, all or some entries observed."""

    kind: Literal["low_rank_matrix"]
    dim_in: Count = Field(20, description="Rows of the target.")
    dim_out: Count = Field(20, description="Columns of the target.")
    rank: list[Count] = Field(
        [3], min_length=1, description="Ranks R; singular value k of a target is 2^(R − k)."
    )
    observed: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        [1.0],
        min_length=1,
        description="Shares of the entries that are observed; a smaller one is part of a larger.",
    )
    draws: Count = Field(
        10, description="Independent targets of each rank; draws count ranks × shares × these."
    )

    @model_validator(mode="after")
    def _ranks_fit(self) -> "LowRankMatrixData":
        if max(self.rank) > min(self.dim_in, self.dim_out):
            raise ValueError(
                f"rank has {max(self.rank)} but min(dim_in, dim_out) is "
                f"{min(self.dim_in, self.dim_out)}; ranks must be at most that"
            )
        return self


class DigitsData(Section):
    """The UCI handwritten digits that scikit-learn bundles: 1797 images of 8 × 8."""

    kind: Literal["digits"]
    train_samples: Annotated[int, Field(ge=20, le=1700)] | None = Field(
        None, description="Learn from as many random images and hold out the others; null: all."
    )
    draws: Count = Field(1, description="Independent splits; 1 where nothing is held out.")

    @model_validator(mode="after")
    def _only_splits_are_drawn(self) -> "DigitsData":
        if self.draws > 1 and self.train_samples is None:
            raise ValueError(f"draws is {self.draws} but nothing is held out; set train_samples")
        return self


class NpzData(Section):
    """A user's own data: `.npz` with X and y, or with ready moments sigma_x and sigma_xy."""

    kind: Literal["npz"]
    path: str = Field(description="The file; relative paths start at the working directory.")
