"""The part of the typed configuration that describes published image data sets.

These models are part of `stagewise.config.models`; `Section` is the base of every model there.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Section(BaseModel):
    """A part of the configuration; keys that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MnistData(Section):
    """MNIST training images, from two IDX files."""

    kind: Literal["mnist"]
    directory: str = Field("mnist", description="Folder of the IDX files, within data_dir.")
    download: bool = Field(True, description="Fetch files that are missing.")


class FashionMnistData(Section):
    """Fashion-MNIST training images, from two IDX files (gzipped as published)."""

    kind: Literal["fashion_mnist"]
    directory: str = Field("fashion_mnist", description="Folder of the IDX files, within data_dir.")
    download: bool = Field(True, description="Fetch files that are missing.")


class Cifar10Data(Section):
    """CIFAR-10 images, from the binary distribution: its archive or the unpacked batches."""

    kind: Literal["cifar10"]
    directory: str = Field(
        "cifar10", description="Folder of the archive or of the unpacked files, within data_dir."
    )
    batches: list[Literal[1, 2, 3, 4, 5, "test"]] = Field(
        [1, 2, 3, 4, 5],
        min_length=1,
        description="Batches of 10 000 images that are used; 1 to 5 are the training set.",
    )
    download: bool = Field(True, description="Fetch the archive if the files are missing.")

    @field_validator("batches")
    @classmethod
    def _batches_differ(cls, batches: list[int | str]) -> list[int | str]:
        if len(set(batches)) < len(batches):
            raise ValueError(f"{batches} names a batch twice; name each once")
        return batches


class ImageNet64Data(Section):
    """ImageNet scaled down to 64 × 64: a folder of train_data_batch_*.npz."""

    kind: Literal["imagenet64"]
    path: str = Field(
        description="The folder; relative paths start at the working directory. Moments of 12288 "
        "pixels take 1.2 GB of memory."
    )
