"""What every section of the configuration has in common: its base, and types of its fields."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the configuration; keys that are not declared are refused."""

    # Most sections are only read as parts of another, which has what it needs of theirs.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
"""Part of the name of a file, which few systems let grow beyond 255 bytes."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
