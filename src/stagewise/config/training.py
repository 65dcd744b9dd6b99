"""Sections of the configuration about runs that are trained on samples, or by other update rules."""

from typing import Annotated, Literal

from pydantic import Field

from stagewise.dynamics.optimisers import Optimizer
from stagewise.fields import Count, NonNegative, Positive, Section

Share = Annotated[float, Field(ge=0, lt=1)]
SampleSet = Literal[
    "digits",
    "wine",
    "cancer",
    "cancer_worst",
    "diabetes",
    "diabetes_serum",
    "linnerud",
    "patches",
    "mnist",
]


class RuleSetting(Section):
    """One update rule with its step."""

    optimizer: Optimizer = Field(description="Update rule, as in an experiment.")
    step_size: Positive = Field(description="Step size, absolute.")


class UpdateRules(Section):
    """Linear networks trained on moments by other rules than gradient descent."""

    kind: Literal["update_rules"]
    sigma: list[Positive] = Field(min_length=1, description="Singular values of sigma_xy.")
    lam: list[Positive] = Field(min_length=1, description="Eigenvalues of sigma_x.")
    width: Count = Field(description="Hidden units of two layers.")
    delta: list[Positive] = Field(
        min_length=2, max_length=2, description="Initial scales of two layers."
    )
    replicates: Count = Field(20, description="Gaussian starts per rule.")
    rules: list[RuleSetting] = Field(min_length=1, description="Rules for two layers.")
    deep_decay: list[Positive] = Field([], description="L2 decays of three and four layers.")
    deep_decay_offsets: list[float] = Field(
        [], description="Distances of aligned starts from the largest delta that is learned."
    )
    deep_decay_step: Positive = Field(0.2, description="Their step size.")
    deep_momentum: list[Share] = Field(
        [], description="Heavy ball's momentum with three and four layers."
    )
    deep_momentum_step: Positive = Field(0.1, description="Their step size.")
    end_cases: Annotated[int, Field(ge=0)] = Field(
        0, description="Random problems that are trained to the end under L2 decay."
    )
    end_iterations: Count = Field(20_000, description="Length of those runs.")


class StagedProblems(Section):
    """Linear networks on random problems whose moments do not commute."""

    kind: Literal["staged_problems"]
    cases: Count = Field(200, description="Random problems, one start each.")
    dim_in: Count = Field(6, description="Input dimension.")
    modes: Count = Field(4, description="Output dimension and number of modes.")
    width: Count = Field(5, description="Hidden units.")
    condition: Positive = Field(30, description="Largest over smallest eigenvalue of sigma_x.")
    sigma_ratio: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.6, description="Each singular value of sigma_xy over the one before."
    )
    step_size: Positive = Field(
        0.3, description="Step over the largest sigma, or less where that is not stable."
    )
    delta: list[Positive] = Field(
        [16, 32], min_length=2, max_length=2, description="Initial scales."
    )


class BatchSetting(Section):
    """One sample and one way to draw batches from it."""

    samples: Count = Field(description="Size of the sample.")
    noise: NonNegative = Field(description="Standard deviation of the labels' noise.")
    step_size: Positive = Field(description="Step size, absolute.")
    batch_size: Count = Field(description="Samples per step.")
    modes: Count = Field(1, description="How many of the strongest modes are followed.")
    depth: Annotated[int, Field(ge=2, le=4)] = Field(2, description="Number of weight matrices.")
    delta: list[Positive] | None = Field(None, description="Initial scales; null: all of them.")
    shuffled: bool = Field(True, description="Train without replacement too.")


class MiniBatches(Section):
    """Linear networks trained on batches of samples whose moments are prescribed."""

    kind: Literal["mini_batches"]
    sigma: list[Positive] = Field(min_length=1, description="Singular values of sigma_xy.")
    lam: list[Positive] = Field(min_length=1, description="Eigenvalues of sigma_x.")
    dim_out: Count = Field(description="Output dimension.")
    width: Count = Field(description="Hidden units.")
    delta: list[Positive] = Field(min_length=1, description="Initial scales.")
    replicates: Count = Field(300, description="Sequences of batches per setting, from one start.")
    settings: list[BatchSetting] = Field(min_length=1, description="Samples and batches.")
    diffusion_noise: list[NonNegative] = Field(
        [],
        description="Label noise (its variance over lam times the squared strength of the mode) of "
        "runs of one mode, two and three layers, whose diffusion is followed.",
    )
    diffusion_samples: Count = Field(
        20_000, description="Gaussian samples that it is averaged over."
    )


class SampleChoice(Section):
    """A data set of samples and how much of it is followed."""

    name: SampleSet = Field(description="Name of the samples.")
    modes: Count = Field(description="How many of the strongest modes are followed.")


class RealSamples(Section):
    """Linear networks trained on real samples, with forecasts from their moments."""

    kind: Literal["real_samples"]
    samples: list[SampleChoice] = Field(min_length=1, description="Data sets of samples.")
    width: Count = Field(10, description="Hidden units.")
    delta: Positive = Field(12.0, description="Initial scale: every layer starts at e^-delta.")
    step_size: Positive = Field(
        0.25, description="Step over the larger of the largest sigma and the top eigenvalue."
    )
    momentum: Share = Field(0.9, description="Momentum of the runs that have any.")
    momentum_step: Positive = Field(0.2, description="Factor of the step of those runs.")
    batch_size: Count = Field(32, description="Samples per step of the runs on batches.")
    replicates: Count = Field(20, description="Seeds per data set and way to train.")


class Networks(Section):
    """Networks with one hidden layer, biases, two losses and two activations, on real samples."""

    kind: Literal["networks"]
    samples: SampleSet = Field(description="Data set of samples.")
    modes: Count = Field(4, description="How many of the strongest modes are followed.")
    activations: list[Literal["linear", "tanh", "relu"]] = Field(
        min_length=1, description="Activations of the hidden layer."
    )
    losses: list[Literal["squared", "cross_entropy"]] = Field(
        min_length=1, description="Losses; cross-entropy is that of a softmax."
    )
    width: Count = Field(60, description="Hidden units.")
    delta: list[Positive] = Field(min_length=1, description="Initial scales.")
    step_size: Positive = Field(description="Step over the largest sigma.")
    momentum: Share = Field(0.9, description="Momentum.")
    batch_size: Count = Field(32, description="Samples per step.")
    replicates: Count = Field(5, description="Seeds per grid point.")


TrainingExperiment = Annotated[
    UpdateRules | StagedProblems | MiniBatches | RealSamples | Networks, Field(discriminator="kind")
]


TRAINING_KINDS: dict[str, type[Section]] = {
    "update_rules": UpdateRules,
    "staged_problems": StagedProblems,
    "mini_batches": MiniBatches,
    "real_samples": RealSamples,
    "networks": Networks,
}
TRAINING_PARTS: dict[str, type[Section]] = {
    "rules": RuleSetting,
    "settings": BatchSetting,
    "samples": SampleChoice,
}
