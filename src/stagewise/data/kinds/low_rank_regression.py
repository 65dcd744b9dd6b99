"""Noisy regression y = Wᵀx + noise with a teacher W of low rank."""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData
from stagewise.data.synthetic import random_orthogonal
from stagewise.fields import Count, NonNegative, Positive
from stagewise.problems.moments import Moments


class LowRankRegressionData(DrawnData):
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

    def draw(self, random: np.random.Generator) -> Moments:
        """Moments of y = Wᵀx + noise; the teacher W has singular values strength·(rank, …, 2, 1).

        Held out are the moments of all such inputs, with the teacher's outputs free of noise.
        """
        left = random_orthogonal(self.dim_in, random)[:, : self.rank]
        right = random_orthogonal(self.dim_out, random)[:, : self.rank]
        teacher = self.strength * (left * np.arange(self.rank, 0, -1.0)) @ right.T
        spread = np.arange(1, self.dim_in + 1) ** (-self.input_decay / 2)
        one_hot = self.inputs == "one_hot"
        inputs = spread * (
            np.eye(self.dim_in) if one_hot else random.standard_normal((self.samples, self.dim_in))
        )
        noise = self.noise * random.standard_normal((self.samples, self.dim_out))
        population = np.diag(spread**2 / (self.dim_in if one_hot else 1))
        return replace(
            Moments.of_block(inputs, inputs @ teacher + noise),
            held_out=Moments.prescribed(population, population @ teacher),
        )
