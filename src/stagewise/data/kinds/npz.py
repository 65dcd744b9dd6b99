"""A user's own data: `.npz` with X and y, or with ready moments sigma_x and sigma_xy."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from stagewise.data.kind import Data
from stagewise.problems.moments import Moments


class NpzData(Data):
    """A user's own data: `.npz` with X and y, or with ready moments sigma_x and sigma_xy."""

    kind: Literal["npz"]
    path: str = Field(
        description="The file; relative paths start at the working directory, ~ is the home folder."
    )
    outputs: Literal["auto", "classes", "numbers"] = Field(
        "auto", description="What y holds; auto: classes where it looks like labels."
    )

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Moments of the file."""
        from stagewise.data.npz import read_user_data  # needs the readers of users' files

        return [read_user_data(Path(self.path).expanduser(), self.outputs)]

    def files(self) -> list[str]:
        """The file itself: an edit of it makes its moments again."""
        return [str(Path(self.path).expanduser())] if self.path.startswith("~") else [self.path]
