"""An archive describes itself, is whole, is the same each time, and draws its figures again."""

import hashlib
import json
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.release.crate import CHECKSUMS, METADATA, SOURCES, write_archive

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository(default_config, tmp_path):
    """A repository in which a run was made: every file of its plan, with some content."""
    plan = make_plan(default_config)
    for name in ("CITATION.cff", "pyproject.toml", "LICENSE", "Snakefile", "config.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    files = [*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()]
    others = [
        "figures/index.html",
        "figures/smoke/index.html",
        "results/smoke/claims.json",
        "src/stagewise/files.py",
        "src/stagewise/__pycache__/files.pyc",
        "src/stagewise.egg-info/PKG-INFO",
        "docs/a picture σ.png",
        "secret.txt",
    ]
    for name in (*files, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    origin = {"commit": "abc", "config": "def"}
    (tmp_path / "results/provenance.json").write_text(json.dumps(origin), encoding="utf-8")
    return tmp_path, plan


@pytest.fixture
def archive(repository):
    root, plan = repository
    path = root / "results" / "stagewise.zip"
    count = write_archive(plan, path, root)
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        contents = {name: opened.read(name) for name in opened.namelist()}
    assert len(contents) == count
    return contents


def test_it_holds_results_figures_and_sources_and_nothing_else(archive, repository):
    _, plan = repository
    wanted = {*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()}
    trajectories = {name for name in wanted if "trajectories" in name}
    assert trajectories
    kept = wanted - trajectories | {
        *("CITATION.cff", "pyproject.toml", "LICENSE", "Snakefile", "config.yaml"),
        *("figures/index.html", "src/stagewise/files.py", "docs/a picture σ.png"),
        *(METADATA, CHECKSUMS),
    }
    assert set(archive) == kept


def test_the_checksums_are_those_of_the_files(archive):
    lines = archive[CHECKSUMS].decode("utf-8").splitlines()
    stated = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    assert set(stated) == set(archive) - {METADATA, CHECKSUMS}
    for name, digest in stated.items():
        assert hashlib.sha256(archive[name]).hexdigest() == digest


def test_the_crate_describes_every_file_as_ro_crate_demands(archive):
    crate = json.loads(archive[METADATA])
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {each["@id"]: each for each in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert entities[METADATA]["about"] == {"@id": "./"}
    assert entities[METADATA]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities["./"]
    assert root["@type"] == "Dataset"
    for required in ("name", "description", "datePublished", "license"):
        assert root[required]
    parts = {unquote(each["@id"]) for each in root["hasPart"]}
    assert parts == set(archive) - {METADATA}
    for each in root["hasPart"]:
        file = entities[each["@id"]]
        content = archive[unquote(each["@id"])]
        assert file["contentSize"] == str(len(content))
        assert (
            file.get("sha256", hashlib.sha256(content).hexdigest())
            == hashlib.sha256(content).hexdigest()
        )
    references = [value for each in entities.values() for value in each.values()]
    linked = [each["@id"] for each in references if isinstance(each, dict)]
    outside = [each for each in linked if each not in entities]
    assert outside == ["https://w3id.org/ro/crate/1.1"]


def test_two_archives_of_the_same_results_have_the_same_bytes(repository):
    root, plan = repository
    paths = [root / "results" / f"{name}.zip" for name in ("one", "two")]
    for path in paths:
        write_archive(plan, path, root)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_run_that_is_not_whole_is_not_archived(repository):
    root, plan = repository
    (root / "results/claims.json").unlink()
    with pytest.raises(StagewiseError, match=r"results/claims\.json is not there \(1 of"):
        write_archive(plan, root / "results" / "stagewise.zip", root)
    assert not (root / "results" / "stagewise.zip").exists()


def test_the_library_of_ro_crate_reads_it(repository, tmp_path_factory):
    library = pytest.importorskip("rocrate.rocrate")
    root, plan = repository
    path = root / "results" / "stagewise.zip"
    write_archive(plan, path, root)
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(path) as opened:
        opened.extractall(unpacked)
    crate = library.ROCrate(unpacked)
    assert crate.mainEntity.id == "Snakefile"
    assert crate.root_dataset["datePublished"]
    files = {unquote(each.id) for each in crate.get_by_type("File")}
    assert "figures/closed_form.pdf" in files


def test_every_source_exists():
    assert [name for name in SOURCES if not (ROOT / name).exists()] == []
