"""Moments of MNIST, CIFAR-10 and the like that come with the package, without their images."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from stagewise.data.compact_moments import FOLDER, knows_means, read_archive
from stagewise.data.kind import Data
from stagewise.fields import Name
from stagewise.problems.moments import Moments


class ArchivedMomentsData(Data):
    """Moments kept in the eigenbasis of sigma_x, which say all but the pixels: no image is needed."""

    kind: Literal["archived_moments"]
    name: Name = Field(
        description="mnist or cifar10 (centred moments only), or another that "
        "`stagewise archive-moments` has put into data_dir."
    )

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """The moments of the archive."""
        return [read_archive(self.name, folder).moments()]

    def files(self) -> list[str]:
        """The package's archive: where it is replaced, the moments are made again."""
        path = FOLDER / f"{self.name}.npz"
        return [str(path)] if path.is_file() else []

    def centred_only(self) -> bool:
        """Whether the package's archive of this name lacks the means."""
        path = FOLDER / f"{self.name}.npz"
        return path.is_file() and not knows_means(path)
