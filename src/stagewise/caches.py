"""Where compiled code is kept when neither the package nor the home can be written."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def user_cache() -> Path:
    """The folder in which programs keep caches of this user; Snakemake needs it."""
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else Path(os.path.expanduser("~")) / ".cache"


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is seen to exist, where it would be made.

    What lies in a folder that may not be entered is not seen: `os.path.exists` says so, where
    `Path.exists` raises PermissionError.
    """
    return next(each for each in (folder, *folder.absolute().parents) if os.path.exists(each))


def can_be_written(folder: Path) -> bool:
    """Whether files can be made in a folder, which may have to be made first."""
    place = nearest(folder)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def find_room() -> None:
    """Let Numba keep what it compiles in a temporary folder if it has no other place.

    It would end in an error otherwise. Processes started from this one share the folder, which goes
    with it. Nothing is done where a folder is set or can be written.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    if can_be_written(Path(__file__).parent) or can_be_written(user_cache()):
        return
    folder = tempfile.mkdtemp(prefix="stagewise-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder
