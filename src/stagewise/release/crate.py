"""One zip that stands by itself: results, figures and what made them, as an RO-Crate.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) describes the files of a data set in one JSON-LD
file, `ro-crate-metadata.json`. Two archives of the same results have the same bytes.
"""

import hashlib
import json
import mimetypes
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from stagewise.errors import StagewiseError
from stagewise.planning.plan import AGGREGATES, Plan
from stagewise.store.files import replacing

SOURCES = (
    *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md"),
    *("Snakefile", "config.yaml", "environment.yml", "pyproject.toml", "requirements.lock"),
    *("benchmarks", "config", "docs", "profiles", "reference", "scripts", "src", "tests"),
    "workflow",
)
"""What is archived beside results and figures, so that they can be rendered and made again."""
METADATA = "ro-crate-metadata.json"
CHECKSUMS = "checksums.sha256"
_LEFT_OUT = ("__pycache__", "trajectories")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TYPES = {".parquet": "application/vnd.apache.parquet", ".npz": "application/zip"} | {
    ".yaml": "application/yaml",
    ".md": "text/markdown",
    ".smk": "text/plain",
    ".lock": "text/plain",
}


def write_archive(plan: Plan, path: Path, root: Path = Path()) -> int:
    """Archive a run as a zip at `path`; returns the number of files.

    Trajectories are left out: they are large, and figures, tables and verdicts read aggregates
    only. Raises StagewiseError unless the run is complete.
    """
    wanted = [*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()]
    missing = [each for each in wanted if not (root / each).is_file()]
    if missing:
        raise StagewiseError(
            f"{missing[0]} is not there ({len(missing)} of {len(wanted)} files), so there is no "
            "whole run to archive. Build it first: make reproduce."
        )
    contents = {name: (root / name).read_bytes() for name in archived_files(plan, root)}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    contents[CHECKSUMS] = checksums(digests)
    crate = metadata(
        root, plan, {name: len(content) for name, content in contents.items()}, digests
    )
    text = json.dumps(crate, indent=2, ensure_ascii=False) + "\n"
    contents[METADATA] = text.encode("utf-8")
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, contents[name])
    return len(contents)


def archived_files(plan: Plan, root: Path) -> list[str]:
    """Names of the files to archive, relative to the root, in order."""
    built = [plan.results, plan.figures] if plan.config.run else []
    places = [root / name for name in (*SOURCES, *built)]
    if not plan.config.run:  # folders of other runs lie in the same place
        places += [
            each
            for folder in ("results", "figures")
            for each in (root / folder).iterdir()
            if each.is_file()
            or each.name in ("moments", "tables", "training", "verdicts", *AGGREGATES)
        ]
    files = (each for place in places for each in _files_of(place))
    names = {each.relative_to(root).as_posix() for each in files}
    return sorted(name for name in names if not name.endswith(".zip"))


def _files_of(place: Path) -> Iterable[Path]:
    if place.is_file():
        return [place]
    every = (each for each in place.rglob("*") if each.is_file())
    kept = (each for each in every if not set(each.relative_to(place).parts) & set(_LEFT_OUT))
    return (each for each in kept if not any(part.endswith(".egg-info") for part in each.parts))


def checksums(digests: Mapping[str, str]) -> bytes:
    """What `sha256sum --check` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode("utf-8")


def metadata(
    root: Path, plan: Plan, sizes: Mapping[str, int], digests: Mapping[str, str]
) -> dict[str, Any]:
    """The RO-Crate: the data set, its files with sizes and digests, its authors and workflow."""
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    origin = json.loads((root / plan.results / "provenance.json").read_text(encoding="utf-8"))
    authors = [_person(number, each) for number, each in enumerate(citation["authors"])]
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {
                "@id": METADATA,
                "@type": "CreativeWork",
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
                "about": {"@id": "./"},
            },
            {
                "@id": "./",
                "@type": "Dataset",
                "name": citation["title"],
                "description": project["description"],
                "datePublished": str(citation["date-released"]),
                "version": str(citation["version"]),
                "license": {"@id": "LICENSE"},
                "author": [{"@id": each["@id"]} for each in authors],
                "mainEntity": {"@id": "Snakefile"},
                "hasPart": [{"@id": quote(name)} for name in sizes],
                "identifier": f"commit {origin['commit']}, configuration {origin['config']}",
            },
            *authors,
            {"@id": "#snakemake", "@type": "ComputerLanguage", "name": "Snakemake"},
            *(_file(name, size, digests.get(name)) for name, size in sizes.items()),
        ],
    }


def _person(number: int, author: Mapping[str, str]) -> dict[str, str]:
    if "name" in author:
        return {"@id": f"#author-{number}", "@type": "Organization", "name": author["name"]}
    name = f"{author['given-names']} {author['family-names']}"
    return {"@id": f"#author-{number}", "@type": "Person", "name": name}


def _file(name: str, size: int, digest: str | None) -> dict[str, Any]:
    guessed = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    entity: dict[str, Any] = {
        "@id": quote(name),
        "@type": "File",
        "name": Path(name).name,
        "contentSize": str(size),
        "encodingFormat": guessed or "text/plain",
    }
    if digest:
        entity["sha256"] = digest
    if name == "Snakefile":
        entity["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
        entity["programmingLanguage"] = {"@id": "#snakemake"}
    return entity
