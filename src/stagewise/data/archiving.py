"""The command `stagewise archive-moments`: from images to moments that need no images."""

import json
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from stagewise.data.compact_moments import (
    TOLERANCE,
    Archived,
    archive_names,
    difference,
    read_archive,
    reduced,
)
from stagewise.data.kind import Data
from stagewise.data.kinds import KINDS, DataSpec
from stagewise.errors import StagewiseError
from stagewise.store.files import replacing, write_text


def archive_moments(name: str, path: str | None, data_dir: Path, into: Path | None) -> str:
    """Compute the moments of a published data set from its images and keep them.

    name : a kind of data. path : its folder, for kinds that ask for one. into : folder of the
    archive, default the sub-folder archived of `data_dir`. Returns a sentence on what was done.
    """
    data = _data(name, path)
    written = write_archive(
        _from_images(data, name, data_dir), name, into or data_dir / "archived", _origin(data, name)
    )
    return f"{written} ({written.stat().st_size / 1e3:.0f} kB) holds the moments of {name}."


def write_archive(archived: Archived, name: str, folder: Path, provenance: dict[str, str]) -> Path:
    """Write NAME.npz and, beside it, NAME.json with where it comes from."""
    arrays = {key: value for key, value in vars(archived).items() if value is not None}
    path = folder / f"{name}.npz"
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    write_text(
        json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", path.with_suffix(".json")
    )
    return path


def check_archive(name: str, path: str | None, data_dir: Path) -> tuple[bool, str]:
    """Whether the archive agrees with what its images give, and a sentence that says so."""
    if name not in archive_names(data_dir):
        return True, f"{name}: there are no archived moments to compare."
    archived = read_archive(name, data_dir)
    found = difference(archived, _from_images(_data(name, path), name, data_dir))
    agrees = found <= TOLERANCE
    verdict = "agree with" if agrees else "DIFFER from"
    return agrees, (
        f"{name}: the archived moments {verdict} those of its images (largest relative difference "
        f"{found:.1e}, allowed {TOLERANCE:.0e})."
    )


def _data(name: str, path: str | None) -> Data:
    known = [kind for kind, each in KINDS.items() if {"directory", "path"} & set(each.model_fields)]
    try:
        section = {"kind": name} | ({"path": path} if path else {})
        data: Data = TypeAdapter(DataSpec).validate_python(section)
    except ValidationError:
        data = None  # type: ignore[assignment]
    if data is None or name not in known:
        raise StagewiseError(
            f"{name!r} cannot be archived; it must be one of {', '.join(known)}. Those that are not "
            "downloaded need --path with the folder or file, the others take none."
        )
    return data


def _from_images(data: Data, name: str, data_dir: Path) -> Archived:
    (moments,) = data.moments(name, data_dir)
    return reduced(moments)


def _origin(data: Data, name: str) -> dict[str, str]:
    return {
        "data": data.__doc__.strip().splitlines()[0] if data.__doc__ else name,
        "pixels": "scaled to [0, 1]; classes are one-hot",
        **{f"source {file}": digest for file, digest in data.published().items()},
        "made by": f"stagewise archive-moments {name}",
    }
