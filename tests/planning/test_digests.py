import ast
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from stagewise.config.training import TRAINING_KINDS as KINDS
from stagewise.planning import digests
from stagewise.planning.digests import imported_modules, script_modules, source_digest
from stagewise.planning.plan import FROM_MOMENTS, tables
from stagewise.studies.common.registry import study_names

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))

WITHOUT_EFFECT = {"stagewise.pipeline.job"}
"""Imported by scripts, but nothing that reaches an output: where messages and logs go."""

Write = Callable[..., None]


def forget() -> None:
    cached = digests._path, digests._facts, digests._known, digests._templates, digests._store
    for function in cached:
        function.cache_clear()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write modules of a package called `fake` that the digests take for their own."""
    monkeypatch.setattr(digests, "_ROOT", tmp_path / "fake")
    monkeypatch.setattr(digests, "_PACKAGE", "fake")

    def write_modules(**modules: str) -> None:
        forget()
        for name, source in modules.items():
            path = tmp_path / "fake" / f"{name.replace('__', '/')}.py"
            path = path.with_name("__init__.py") if path.stem == "init" else path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(source), encoding="utf-8")

    forget()
    yield write_modules
    forget()


MODULE = '''
    """What the module is for."""

    import math

    LIMIT = 3.0
    """What the limit means."""


    class Shape:
        """A shape."""

        def area(self, radius):
            """Its area."""
            return math.pi * radius**2


    def twice(value):
        return 2 * value


    async def later():
        """At some time."""
        return 1
'''


def replaced(old: str, new: str) -> str:
    assert MODULE.count(old) == 1
    return MODULE.replace(old, new)


@pytest.mark.parametrize(
    "edited",
    [
        MODULE + "\n\n    # a comment\n",
        replaced("LIMIT = 3.0", "LIMIT = 3.0  # iterations"),
        replaced("\n\n\n    class", "\n    class"),
        replaced("2 * value", "(\n            2 * value\n        )"),
        replaced("What the module is for.", "Another purpose."),
        replaced('"""What the module is for."""', ""),
        replaced("What the limit means.", "Another meaning."),
        replaced('"""What the limit means."""', ""),
        replaced('"""A shape."""', '"""Another shape."""'),
        replaced('"""A shape."""', ""),
        replaced("Its area.", "Its area, in square metres."),
        replaced('"""Its area."""', ""),
        replaced("At some time.", "At another time."),
        replaced("def twice(value):", 'def twice(value):\n        """Twice the value."""'),
    ],
    ids=[
        "comment",
        "comment beside code",
        "blank lines",
        "line breaks",
        "module docstring changed",
        "module docstring removed",
        "attribute docstring changed",
        "attribute docstring removed",
        "class docstring changed",
        "class docstring removed",
        "method docstring changed",
        "method docstring removed",
        "async docstring changed",
        "function docstring added",
    ],
)
def test_words_and_layout_do_not_change_the_digest(edited, write):
    write(a=MODULE)
    before = source_digest("fake.a")
    write(a=edited)
    assert source_digest("fake.a") == before


@pytest.mark.parametrize(
    "edited",
    [
        replaced("3.0", "3.5"),
        replaced("2 * value", "value * 2"),
        replaced("twice", "double"),
        replaced("math.pi * radius**2", '"""Its area."""'),
        replaced("async def", "def"),
        replaced("LIMIT = 3.0", 'LIMIT = 3.0\n    NAME = "text"'),
    ],
    ids=["number", "operation", "name", "text that is returned", "kind of function", "new text"],
)
def test_a_change_of_code_changes_the_digest(edited, write):
    write(a=MODULE)
    before = source_digest("fake.a")
    write(a=edited)
    assert source_digest("fake.a") != before


def test_a_function_of_a_docstring_alone_is_still_a_function(write):
    write(a='def empty():\n    """Nothing."""\n')
    before = source_digest("fake.a")
    write(a='def empty():\n    """Nothing at all."""\n')
    assert source_digest("fake.a") == before
    write(a='def other():\n    """Nothing."""\n')
    assert source_digest("fake.a") != before


@pytest.mark.parametrize(
    "statement",
    [
        "import fake.b",
        "import fake.b as other",
        "from fake.b import VALUE",
        "from fake.b import VALUE as other",
        "from fake import b",
        "def later():\n    from fake.b import VALUE",
        "def later():\n    import fake.b",
        "if True:\n    from fake import b",
        "try:\n    import fake.b\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_is_followed_however_it_is_written(statement, write):
    write(a=statement + "\n", b="VALUE = 1\n")
    assert imported_modules("fake.a") == {"fake.a", "fake.b"}
    before = source_digest("fake.a")
    write(b="VALUE = 2\n")
    assert source_digest("fake.a") != before


def test_imports_are_followed_to_the_end_and_round_circles(write):
    write(a="import fake.b\n", b="import fake.c\n", c="import fake.a\n", d="import fake.a\n")
    assert imported_modules("fake.a") == {"fake.a", "fake.b", "fake.c"}


@pytest.mark.parametrize(
    "statement",
    ["import fake.group.a", "from fake.group.a import VALUE", "from fake.group import a"],
)
def test_the_package_that_a_module_lies_in_does_not_count(statement, write):
    write(
        group__init="import fake.b\n", group__a="VALUE = 1\n", b="VALUE = 1\n", c=statement + "\n"
    )
    assert imported_modules("fake.c") == {"fake.c", "fake.group.a"}


def test_a_name_counts_for_the_module_that_defines_it_and_not_for_who_hands_it_on(write):
    write(
        group__init="from fake.group.a import one\nfrom fake.group.b import two\nLIMIT = 3\n",
        group__a="def one():\n    return 1\n",
        group__b="def two():\n    return 2\n",
        user="from fake.group import one\n",
        limited="from fake.group import LIMIT\n",
        whole="import fake.group\n",
    )
    assert imported_modules("fake.user") == {"fake.user", "fake.group.a"}
    every = {"fake.group", "fake.group.a", "fake.group.b"}
    assert imported_modules("fake.limited") == every | {"fake.limited"}
    assert imported_modules("fake.whole") == every | {"fake.whole"}


def test_a_name_that_a_package_loads_when_asked_counts_for_the_module_that_its_stub_names(
    write, tmp_path
):
    write(
        group__init="def __getattr__(name):\n    return name\n",
        group__a="VALUE = 1\n",
        user="from fake.group import VALUE\n",
    )
    stub = tmp_path / "fake/group/__init__.pyi"
    stub.write_text("from fake.group.a import VALUE as VALUE\n")
    assert imported_modules("fake.user") == {"fake.user", "fake.group.a"}


def test_what_is_imported_for_types_alone_does_not_count(write):
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fake.b import VALUE\n"
    write(a=source, b="VALUE = 1\n")
    assert imported_modules("fake.a") == {"fake.a"}


def test_of_modules_found_by_listing_a_folder_those_count_that_a_job_uses(write):
    listing = (
        "import importlib, pkgutil\n"
        "FOUND = [importlib.import_module(f'{__name__}.{each.name}')\n"
        "         for each in pkgutil.iter_modules(__path__)]\n"
    )
    write(user="from fake.rules import FOUND\n", rules__init=listing, rules__one="VALUE = 1\n")
    before = source_digest("fake.user", found={"fake.rules.one"}), source_digest("fake.user")
    write(rules__two="VALUE = 2\n")
    after = source_digest("fake.user", found={"fake.rules.one"}), source_digest("fake.user")
    assert after[0] == before[0]
    assert after[1] != before[1]
    write(rules__one="VALUE = 3\n")
    assert source_digest("fake.user", found={"fake.rules.one"}) != after[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x: int = Field(3, description='One.')", "x: int = Field(3, description='Another.')"),
        ("S = Study('a', title='One', caption='x')", "S = Study('a', title='Two', caption='y')"),
        (
            "@S.claim('a', statement='One.')\ndef f(): ...",
            "@S.claim('a', statement='Two.')\ndef f(): ...",
        ),
    ],
    ids=["description", "title and caption", "statement"],
)
def test_words_for_people_do_not_change_the_digest(before, after, write):
    write(a=before)
    digest = source_digest("fake.a")
    write(a=after)
    assert source_digest("fake.a") == digest
    write(a=after.replace("3", "4").replace("'a'", "'b'"))
    assert source_digest("fake.a") != digest


def test_a_title_that_is_drawn_is_code(write):
    write(a="axes.set(title='One')\n")
    digest = source_digest("fake.a")
    write(a="axes.set(title='Two')\n")
    assert source_digest("fake.a") != digest


def test_what_is_kept_is_used_again_and_an_edit_is_seen(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(a=MODULE)
    digest = source_digest("fake.a")
    digests.keep_for_next_time()
    forget()
    with monkeypatch.context() as patched:
        patched.setattr(digests.ast, "parse", lambda *_: pytest.fail("parsed again"))
        assert source_digest("fake.a") == digest
    write(a=replaced("3.0", "3.5"))
    assert source_digest("fake.a") != digest
    digests.keep_for_next_time()
    (tmp_path / ".snakemake/stagewise/digests.json").write_text("{")
    write(a=MODULE)
    assert source_digest("fake.a") == digest


def test_modules_of_other_packages_and_modules_not_imported_do_not_count(write):
    write(a="import math\nimport numpy.linalg\nfrom pathlib import Path\n", b="VALUE = 1\n")
    assert imported_modules("fake.a") == {"fake.a"}
    before = source_digest("fake.a")
    write(b="VALUE = 2\n")
    assert source_digest("fake.a") == before


@pytest.mark.parametrize("named", ["page.html.j2", "explorer.js"])
def test_templates_and_scripts_count_with_the_module_that_names_them(write, tmp_path, named):
    write(group__init="", group__a=f"PAGE = {named!r}\n", group__b="VALUE = 1\n")
    template = tmp_path / "fake" / "group" / named
    template.write_text("<p>one</p>")
    before, other = source_digest("fake.group.a"), source_digest("fake.group.b")
    template.write_text("<p>two</p>")
    forget()
    assert source_digest("fake.group.a") != before
    assert source_digest("fake.group.b") == other


def test_the_order_in_which_modules_are_named_does_not_matter(write):
    write(a="VALUE = 1\n", b="VALUE = 2\n")
    assert source_digest("fake.a", "fake.b") == source_digest("fake.b", "fake.a")
    assert source_digest("fake.a", "fake.b") != source_digest("fake.a")


def test_code_moved_to_another_module_changes_the_digest(write):
    write(a="VALUE = 1\n", b="VALUE = 1\n")
    assert source_digest("fake.a") != source_digest("fake.b")


def test_a_module_that_does_not_exist_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"stagewise\.nope is not a module of stagewise"):
        source_digest("stagewise.nope")


@pytest.fixture(scope="module")
def counted() -> dict[str, set[str]]:
    """Modules of the real package that count for each stage."""
    studies = {f"study.{name}": f"stagewise.studies.{name}" for name in study_names()}
    tables_ = {f"table.{name}": f"stagewise.tables.{name}" for name in tables()}
    moments = {f"from_moments.{name}": f"stagewise.pipeline.{name}" for name in FROM_MOMENTS}
    training = {f"train_on_data.{each}": f"stagewise.pipeline.training.{each}" for each in KINDS}
    extra = studies | tables_ | moments | training | dict.fromkeys(SCRIPTS, "")
    return {
        stage: imported_modules(*script_modules(stage.split(".")[0]), *([module] if module else []))
        for stage, module in extra.items()
    }


@pytest.fixture
def stages_changed_by(counted: dict[str, set[str]]) -> Callable[[str], frozenset[str]]:
    """The stages of the real package whose digest an edit of one module changes."""

    def changed(module: str) -> frozenset[str]:
        assert digests._path(module) is not None
        return frozenset(stage for stage, modules in counted.items() if module in modules)

    return changed


RUNS = {"simulate", *(f"from_moments.{name}" for name in ("forecasts", "teachers", "plateaus"))}
"""Stages that read a step size in the unit of the configuration."""
EVERY_FIGURE = frozenset(f"study.{name}" for name in study_names())


def test_an_edit_of_the_style_rerenders_every_figure_and_nothing_else(stages_changed_by):
    assert stages_changed_by("stagewise.studies.common.style") == EVERY_FIGURE | {"study"}


@pytest.mark.parametrize("study", study_names())
def test_an_edit_of_a_study_reruns_that_study_and_nothing_else(study, stages_changed_by):
    assert stages_changed_by(f"stagewise.studies.{study}") == {f"study.{study}"}


def test_an_edit_of_the_kernel_simulates_again_but_draws_no_data_again(stages_changed_by):
    changed = stages_changed_by("stagewise.dynamics.kernel")
    assert "simulate" in changed
    assert changed.isdisjoint({"moments", *EVERY_FIGURE})


@pytest.mark.parametrize(
    "module", ["studies.common.judging", "studies.common.ledger", "studies.common.conditions"]
)
def test_an_edit_of_the_claims_judges_again_and_simulates_nothing(module, stages_changed_by):
    changed = stages_changed_by(f"stagewise.{module}")
    assert "claims" in changed
    assert changed.isdisjoint({"moments", "simulate", "statistics"})


@pytest.mark.parametrize("module", ["data.synthetic", "data.kinds.mnist", "data.npz"])
def test_an_edit_of_the_data_draws_them_again_and_rerenders_nothing(module, stages_changed_by):
    changed = stages_changed_by(f"stagewise.{module}")
    assert "moments" in changed
    assert changed.isdisjoint(EVERY_FIGURE)


@pytest.mark.parametrize("module", ["cli", "release.comparison", "planning.warmup"])
def test_an_edit_of_what_only_people_call_reruns_nothing(module, stages_changed_by):
    assert stages_changed_by(f"stagewise.{module}") == frozenset()


@pytest.mark.parametrize(
    ("law", "old", "new", "stages"),
    [
        ("perturbation", "(trace**2 - 4", "(trace**2 - 5", {"study.perturbation"}),
        ("step_size", "float(2 /", "float(3 /", RUNS | {"study.step_size"}),
        ("generalisation", "dim_out / dim_in", "dim_in / dim_out", {"from_moments.teachers"}),
        ("lyapunov", "totals / counted", "totals * counted", {"train_on_data.mini_batches"}),
        ("generalisation", "Source: Lampinen", "After Lampinen", set()),
    ],
)
def test_an_edit_of_a_law_in_a_copy_reruns_what_uses_it(
    law, old, new, stages, counted, tmp_path, monkeypatch
):
    copy = tmp_path / "stagewise"
    shutil.copytree(ROOT / "src" / "stagewise", copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(digests, "_ROOT", copy)
    forget()
    before = {stage: source_digest(*modules) for stage, modules in counted.items()}
    path = copy / "theory" / f"{law}.py"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new), encoding="utf-8")
    forget()
    after = {stage: source_digest(*modules) for stage, modules in counted.items()}
    forget()
    assert {stage for stage in counted if before[stage] != after[stage]} == stages


def modules_named_in(script: Path) -> set[str]:
    named = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stagewise"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                named.add(full if digests._path(full) else str(node.module))
    return named


@pytest.mark.parametrize(
    ("script", "module"),
    [
        (script, module)
        for script in SCRIPTS
        for module in sorted(modules_named_in(ROOT / "scripts" / f"{script}.py") - WITHOUT_EFFECT)
    ],
)
def test_an_edit_of_a_module_that_a_script_uses_reruns_its_rule(script, module, stages_changed_by):
    assert script in stages_changed_by(module)


def test_modules_that_a_package_finds_by_listing_its_folder_count(write: Write) -> None:
    listing = "import pkgutil\nNAMES = [each.name for each in pkgutil.iter_modules(__path__)]\n"
    write(user="from fake.rules import NAMES\n", rules__init=listing, rules__one="VALUE = 1\n")
    assert "fake.rules.one" in imported_modules("fake.user")
    before = source_digest("fake.user")
    write(rules__two="VALUE = 2\n")
    assert source_digest("fake.user") != before
