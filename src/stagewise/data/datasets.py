"""From the config's name for a data set to its moments."""

import os
from pathlib import Path

from stagewise.data.kinds import DataSpec
from stagewise.problems.moments import Moments


def draw_moments(name: str, spec: DataSpec, data_dir: str | None) -> list[Moments]:
    """Moments of a data set, one entry per independent draw (real data: one).

    name : seeds the draws. spec : its config section. data_dir : folder of downloaded files.
    Raises StagewiseError when the data cannot be found or read.
    """
    return spec.moments(name, data_directory(data_dir))


def data_directory(configured: str | None) -> Path:
    """Folder of downloaded data: `data_dir` of the config, $STAGEWISE_DATA, or the user cache."""
    chosen = configured or os.environ.get("STAGEWISE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "stagewise"
