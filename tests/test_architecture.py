import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from stagewise.planning.digests import imported_modules

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "stagewise"
MODULES = sorted(SOURCE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

SEPARATE = {
    "theory": {"dynamics", "analysis"},
    "dynamics": {"theory", "analysis"},
    "analysis": {"theory", "dynamics"},
    "problems": {"theory", "dynamics", "analysis"},
}
"""Packages, and those that they must not know, directly or through others."""

REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)"
    r"(?P<marker> *;.*?)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})*) *"
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_lines() -> list[str]:
    """Requirements with their continuation lines joined, comments dropped."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


def locked_versions() -> dict[str, str]:
    matches = [REQUIREMENT.fullmatch(line) for line in lock_lines()]
    return {canonical(match["name"]): match["version"] for match in matches if match}


def environment() -> tuple[dict[str, str], list[str]]:
    """Versions that environment.yml pins for conda itself, and its list for pip."""
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    for_conda = [each for each in content["dependencies"] if isinstance(each, str)]
    (for_pip,) = [each["pip"] for each in content["dependencies"] if isinstance(each, dict)]
    pinned = dict(each.split("=", 1) for each in for_conda if "=" in each)
    return pinned, for_pip


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        pytest.param(path, foreign, id=f"{path.parent.name}.{path.stem}-{foreign}")
        for package, unknown in SEPARATE.items()
        for path in sorted((SOURCE / package).glob("*.py"))
        for foreign in sorted(unknown)
    ],
)
def test_predicting_simulating_and_measuring_know_nothing_of_each_other(module, foreign):
    name = ".".join(module.relative_to(SOURCE.parent).with_suffix("").parts)
    known = imported_modules(name.removesuffix(".__init__"))
    assert {each for each in known if each.split(".")[1] == foreign} == set()


@pytest.mark.parametrize("package", SEPARATE)
def test_each_of_the_separate_packages_has_modules(package):
    assert len(list((SOURCE / package).glob("[a-z]*.py"))) >= 2


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_imports_are_absolute_because_digests_follow_no_others(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    levels = [node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert set(levels) <= {0}


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_no_module_is_longer_than_300_lines(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_every_module_says_in_its_first_line_what_it_is_for(module):
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


def test_there_are_scripts():
    assert len(SCRIPTS) >= 9


@pytest.mark.parametrize("script", SCRIPTS, ids=relative)
def test_no_script_is_longer_than_30_lines(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.parametrize("script", SCRIPTS, ids=relative)
def test_a_script_does_everything_within_its_log_and_defines_nothing(script):
    docstring, *statements = ast.parse(script.read_text(encoding="utf-8")).body
    *imports, block = statements
    assert isinstance(docstring, ast.Expr)
    assert {type(each) for each in imports} <= {ast.Import, ast.ImportFrom}
    assert isinstance(block, ast.With)
    assert [ast.unparse(item) for item in block.items] == ["logged(snakemake)"]
    assert not [
        each for each in ast.walk(block) if isinstance(each, ast.FunctionDef | ast.ClassDef)
    ]


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_only_scripts_see_the_workflow_object(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    free = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert "snakemake" not in free - arguments


def test_the_lock_states_requirements_and_nothing_else():
    odd = [line for line in lock_lines() if not REQUIREMENT.fullmatch(line)]
    assert odd == []


def test_every_locked_package_has_a_hash():
    unhashed = [line for line in lock_lines() if "--hash=sha256:" not in line]
    assert unhashed == []


@pytest.mark.parametrize("word", ["://", "--index-url", "--extra-index-url", "--find-links", "-i "])
def test_the_lock_names_no_index_and_no_address(word):
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if word in line] == []


def test_no_package_is_locked_twice_without_telling_when():
    lines = [line for line in lock_lines() if ";" not in line]
    names = [canonical(line.partition("==")[0]) for line in lines]
    assert len(names) == len(set(names))


def test_the_lock_holds_every_dependency():
    project = pyproject()
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    assert {canonical(name) for name in wanted} - set(locked_versions()) == set()


def test_the_conda_environment_pins_an_exact_version_of_every_package():
    _, for_pip = environment()
    assert [each for each in for_pip if not REQUIREMENT.fullmatch(each)] == []


def test_the_conda_environment_and_the_lock_state_the_same_versions():
    for_conda, for_pip = environment()
    pinned = {canonical(name): version for name, version in (each.split("==") for each in for_pip)}
    pinned |= {name: version.lstrip("=") for name, version in for_conda.items() if name != "python"}
    assert pinned == {name: locked_versions().get(name) for name in pinned}


def test_the_conda_environment_holds_every_dependency():
    _, for_pip = environment()
    project = pyproject()
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    given = {canonical(each.partition("==")[0]) for each in for_pip}
    assert {canonical(name) for name in wanted} - given == set()


def test_the_conda_environment_has_a_python_that_the_package_supports():
    for_conda, _ = environment()
    lowest, above = re.findall(r"[\d.]+", pyproject()["project"]["requires-python"])
    given = for_conda["python"].lstrip("=")
    lowest, given, above = (tuple(map(int, each.split("."))) for each in (lowest, given, above))
    assert lowest <= given < above
