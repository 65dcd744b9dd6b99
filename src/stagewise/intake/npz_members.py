"""Members of an `.npz` file, read without ever unpickling."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stagewise.arrays import AnyArray, FloatArray
from stagewise.errors import StagewiseError


@dataclass(frozen=True)
class Archive:
    """Members of an `.npz` file by name; `objects` cannot be read without unpickling."""

    path: Path
    arrays: dict[str, AnyArray]
    objects: frozenset[str]

    @property
    def names(self) -> list[str]:
        """All members."""
        return sorted([*self.arrays, *self.objects])

    def __getitem__(self, name: str) -> AnyArray:
        """An array that is needed. Raises StagewiseError if it is one of objects."""
        if name in self.objects:
            raise StagewiseError(
                f"{self.path} holds {name} as Python objects, which cannot be read safely. Save it "
                f"as plain numbers or text, for instance np.asarray({name}.tolist())."
            )
        return self.arrays[name]


def load_archive(path: Path) -> Archive:
    """All members of an `.npz` file. Raises StagewiseError for anything else."""
    try:
        with path.open("rb") as stream:
            start = stream.read(6)
            if start == b"\x93NUMPY":
                raise StagewiseError(f"{path} holds a single array; an .npz archive is needed.")
            if not start.startswith((b"PK\3\4", b"PK\5\6")):  # members, or none
                raise StagewiseError(f"{path} is not an .npz file, the archive of numpy.savez.")
            stream.seek(0)
            arrays, objects = {}, set()
            with np.load(stream, allow_pickle=False) as content:
                for name in content.files:
                    try:
                        arrays[name] = content[name]
                    except ValueError as error:
                        if "allow_pickle" not in str(error):
                            raise
                        objects.add(name)
    except FileNotFoundError:
        raise StagewiseError(f"{path} does not exist. Give the path of an .npz file.") from None
    except StagewiseError:
        raise
    except Exception as error:  # a damaged archive fails in more ways than zipfile documents
        raise StagewiseError(
            f"{path} cannot be read as an .npz file of plain arrays: {error}."
        ) from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise StagewiseError(f"{path} holds {name}, which is not an array.")
    return Archive(path, arrays, frozenset(objects))


def check_numeric(array: AnyArray, name: str, path: Path) -> None:
    """Refuse arrays that hold no real numbers."""
    if array.dtype.kind not in "fiub":
        example = f" Its first value is {str(array.ravel()[0])!r}." if array.size else ""
        raise StagewiseError(
            f"{path} holds {name} of type {array.dtype}; it must hold numbers.{example}"
        )


def numbers(array: AnyArray, name: str, path: Path) -> FloatArray:
    """An array of finite numbers, as doubles."""
    check_numeric(array, name, path)
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise StagewiseError(
            f"{path} holds {count} values of {name} that are not finite. Remove or fill them."
        )
    return values
