"""Linear autoencoder on low-rank data: Y = X = Bz + e (reconstructed protocol)."""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData
from stagewise.fields import Count, NonNegative, Positive
from stagewise.problems.moments import Moments


class AutoencoderData(DrawnData):
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

    def draw(self, random: np.random.Generator) -> Moments:
        """Moments of the linear autoencoder Y = X = Bz + e.

        B has entries uniform on [0, 1] (dim, rank), z is Gaussian with variances that halve from one
        factor to the next, e is isotropic noise. Source: reconstructed; the paper's own parameters
        are not published.
        """
        mixing = random.uniform(size=(self.dim, self.rank))
        spread = np.sqrt(self.largest_variance * 0.5 ** np.arange(self.rank))
        factors = spread * random.standard_normal((self.samples, self.rank))
        noise = self.noise * random.standard_normal((self.samples, self.dim))
        inputs = factors @ mixing.T + noise
        return Moments.of_block(inputs, inputs)
