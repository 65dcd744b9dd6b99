"""Targets of matrix factorisation: low rank, sigma_x = I, all or some entries observed."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import Data
from stagewise.data.synthetic import random_orthogonal
from stagewise.fields import Count
from stagewise.problems.moments import Moments
from stagewise.seeds import generator


class LowRankMatrixData(Data):
    """Targets of matrix factorisation: low rank, sigma_x = I, all or some entries observed."""

    kind: Literal["low_rank_matrix"]
    dim_in: Count = Field(20, description="Rows of the target.")
    dim_out: Count = Field(20, description="Columns of the target.")
    rank: list[Count] = Field(
        [3], min_length=1, description="Ranks R; the smallest singular value of a target is 1."
    )
    ratio: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        [0.5],
        min_length=1,
        description="Each singular value over the one before: value k of a target is ratio^(k − R).",
    )
    observed: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        [1.0],
        min_length=1,
        description="Shares of the entries that are observed; a smaller one is part of a larger.",
    )
    draws: Count = Field(
        10,
        description="Independent targets of each rank; draws count ranks × ratios × shares × these.",
    )

    @model_validator(mode="after")
    def _ranks_fit(self) -> "LowRankMatrixData":
        if max(self.rank) > min(self.dim_in, self.dim_out):
            raise ValueError(
                f"rank has {max(self.rank)} but min(dim_in, dim_out) is "
                f"{min(self.dim_in, self.dim_out)}; ranks must be at most that"
            )
        return self

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Ranks outermost, then ratios, then shares observed, then draws."""
        return [
            moments
            for rank in self.rank
            for ratio in self.ratio
            for by_share in zip(
                *(
                    self._targets(rank, ratio, generator("dataset", name, rank, draw))
                    for draw in range(self.draws)
                ),
                strict=True,
            )
            for moments in by_share
        ]

    def _targets(self, rank: int, ratio: float, random: np.random.Generator) -> list[Moments]:
        """One random target of a rank, once for each share of its entries that is observed.

        Its singular vectors are Haar random, and the same for each ratio. The entries observed are a
        uniformly random set of the size asked for, each set within the larger ones.
        """
        left, right = (
            random_orthogonal(size, random)[:, :rank] for size in (self.dim_in, self.dim_out)
        )
        target = (left * ratio ** np.arange(1.0 - rank, 1.0)) @ right.T
        place = random.permutation(target.size).reshape(target.shape)
        return [
            Moments.prescribed(
                np.eye(self.dim_in), target, (place < round(share * target.size)).astype(np.float64)
            )
            for share in self.observed
        ]
