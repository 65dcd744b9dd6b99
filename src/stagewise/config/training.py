"""Sections of the configuration about runs that are trained on samples, or by other update rules."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stagewise.data.image_specs import Section
from stagewise.data.specs import Count, NonNegative, Positive

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


class RealSamples(Section):
    """Linear networks trained on real samples, with forecasts from their moments."""

    kind: Literal["real_samples"]
    samples: dict[SampleSet, Count] = Field(
        min_length=1, description="Data sets of samples, and how many modes are followed in each."
    )
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
    activations: list[Literal["linear", "tanh", "relu"]] = Field(min_length=1)
    losses: list[Literal["squared", "cross_entropy"]] = Field(min_length=1)
    width: Count = Field(60, description="Hidden units.")
    delta: list[Positive] = Field(min_length=1, description="Initial scales.")
    step_size: Positive = Field(description="Step over the largest sigma.")
    momentum: Share = Field(0.9, description="Momentum.")
    batch_size: Count = Field(32, description="Samples per step.")
    replicates: Count = Field(5, description="Seeds per grid point.")


TrainingExperiment = Annotated[MiniBatches | RealSamples | Networks, Field(discriminator="kind")]


def _without_null(sections: Any) -> Any:
    if isinstance(sections, dict):
        return {name: section for name, section in sections.items() if section is not None}
    return sections


TrainingExperiments = Annotated[
    dict[str, TrainingExperiment],
    BeforeValidator(_without_null, json_schema_input_type=dict[str, TrainingExperiment | None]),
]
