"""Small public data sets that scikit-learn bundles, read without importing it."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from stagewise.data.kind import Data, Samples
from stagewise.data.samples import SAMPLES
from stagewise.problems.moments import Moments


class BundledData(Data):
    """A small public data set that scikit-learn bundles."""

    kind: Literal["bundled"]
    name: str = Field(description=f"Which one: {', '.join(SAMPLES)}.")

    @field_validator("name")
    @classmethod
    def _is_bundled(cls, name: str) -> str:
        if name not in SAMPLES:
            raise ValueError(f"{name!r} is not bundled; there are {', '.join(SAMPLES)}")
        return name

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Moments of all samples."""
        return [Moments.of_block(*self.read_samples(folder))]

    def read_samples(self, folder: Path) -> Samples:
        """All samples; numbers are standardised, pixels are not, classes are one-hot."""
        return SAMPLES[self.name]()
