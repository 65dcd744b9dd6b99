"""The studies of this package, found by listing its folder.

Planning needs to know what studies declare, at every start, and not what they import: the outline
of all of them is kept in a file named after the digest of their sources.
"""

import hashlib
import importlib
import pkgutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

import stagewise.studies
from stagewise.errors import StagewiseError
from stagewise.studies.common.study import SOURCES, Claim, Study, Table

_FOLDER = Path(stagewise.studies.__path__[0])


@dataclass(frozen=True)
class ClaimOutline:
    """What planning knows of a claim."""

    id: str
    figure: str
    source: str
    statement: str
    reads: tuple[Table, ...]

    @property
    def experiments(self) -> tuple[str, ...]:
        """Experiments that the claim needs, in the order of its tables."""
        return tuple(dict.fromkeys(name for table in self.reads for name in table.experiments))


@dataclass(frozen=True)
class Outline:
    """What planning knows of a study."""

    name: str
    order: int
    question: str
    title: str
    caption: str
    alt: str
    figure_reads: tuple[Table, ...]
    claims: tuple[ClaimOutline, ...]

    @property
    def reads(self) -> tuple[Table, ...]:
        """Tables of the figure and of every claim."""
        return (*self.figure_reads, *(table for each in self.claims for table in each.reads))


_OUTLINES = TypeAdapter(list[Outline])


def study_names() -> list[str]:
    """Names of the studies: the modules in the folder `studies`, alphabetically."""
    return sorted(each.name for each in pkgutil.iter_modules([str(_FOLDER)]) if not each.ispkg)


def load(name: str) -> Study:
    """One study, imported; StagewiseError if there is none of this name."""
    if name not in study_names():
        raise StagewiseError(f"There is no study {name!r}; there are {', '.join(study_names())}.")
    module = importlib.import_module(f"stagewise.studies.{name}")
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise StagewiseError(f"{module.__file__} is no study: it has no STUDY = Study(…).")
    return study


def studies() -> list[Study]:
    """Every study, imported, in the order of the page."""
    loaded = [load(name) for name in study_names()]
    return sorted(loaded, key=lambda study: (study.order, study.name))


def claims() -> list[Claim]:
    """Every claim, by source and then in the order of the page."""
    every = [claim for study in studies() for claim in study.claims]
    return sorted(every, key=lambda claim: list(SOURCES).index(claim.source))


def claim_named(name: str) -> Claim:
    """The claim of this id; StagewiseError if there is none."""
    every = {claim.id: claim for claim in claims()}
    if name not in every:
        raise StagewiseError(f"There is no claim {name!r}; there are {', '.join(every)}.")
    return every[name]


def outlines(folder: Path | None = None) -> dict[str, Outline]:
    """What each study declares, in the order of the page.

    folder : where the outlines are kept between calls; None: nowhere. A folder that cannot be
    written is no obstacle.
    """
    if folder is None:
        return {study.name: outline(study) for study in studies()}
    kept = folder / f"studies-{_digest()}.json"
    with suppress(OSError, ValueError):
        return {each.name: each for each in _OUTLINES.validate_json(kept.read_bytes())}
    fresh = outlines()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("studies-*.json"):
            stale.unlink()
        kept.write_bytes(_OUTLINES.dump_json(list(fresh.values())))
    return fresh


def outline(study: Study) -> Outline:
    """What planning needs of a study."""
    return Outline(
        study.name,
        study.order,
        study.question,
        study.title,
        study.caption,
        study.alt,
        study.figure_reads,
        tuple(
            ClaimOutline(each.id, each.figure, each.source, each.statement, each.reads)
            for each in study.claims
        ),
    )


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.py")) + sorted((_FOLDER / "common").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
