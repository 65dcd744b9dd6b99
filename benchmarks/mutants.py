"""What the tests prove: random mutants of the science, and which of them some test kills.

    python benchmarks/mutants.py [--count 100] [--seed 0] [--only 3 17]

A mutant changes one operator, comparison, number or sign, or takes a minimum for a maximum. Lines
are chosen evenly. It lives in a copy of the project, with a cache of compiled code of its own, and is
killed by the first test that fails, or by taking too long. Left alone are annotations, errors, texts
and, in functions that draw, keywords, numbers and calls for their effect, which place and colour.
"""

import argparse
import ast
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

# Imported once, here; each mutant is tried in a fork.
import matplotlib.figure  # noqa: F401
import numba
import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pydantic  # noqa: F401
import pytest
import scipy.stats  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path("src/stagewise")
ALSO = {
    "problems": ("analysis", "dynamics", "pipeline"),
    "theory": ("pipeline", "forecast"),
    "dynamics": ("pipeline", "release/test_generated.py"),
    "analysis": ("pipeline",),
    "pipeline": ("studies/test_practice.py", "studies/test_drawn.py"),
    "studies": ("release/test_default_run.py", "tables", "release/test_generated.py"),
}
"""Rooms that are mutated, and tests that cover them beside those of the mirrored folder.

So do tests elsewhere that import the module itself, but those of whole runs.
"""
SLOW = "not saving_twice and not drawing_twice and not shard_size"
"""Tests whose cost is out of proportion to what they would kill."""
NOT_COPIED = (".*", "results", "figures", "logs", "__pycache__", "*.egg-info")
SECONDS = 300
"""CPU time after which a mutant counts as killed, several times what all of its tests take."""
PROCESSES = 2
FORK = multiprocessing.get_context("fork")

OPERATORS: dict[type, list[Any]] = {
    **{ast.Add: [ast.Sub()], ast.Sub: [ast.Add()], ast.Mult: [ast.Div()], ast.Div: [ast.Mult()]},
    **{ast.Pow: [ast.Mult()], ast.BitAnd: [ast.BitOr()], ast.BitOr: [ast.BitAnd()]},
    **{ast.And: [ast.Or()], ast.Or: [ast.And()], ast.Eq: [ast.NotEq()], ast.NotEq: [ast.Eq()]},
    **{ast.Lt: [ast.LtE(), ast.GtE()], ast.LtE: [ast.Lt(), ast.Gt()]},
    **{ast.Gt: [ast.GtE(), ast.LtE()], ast.GtE: [ast.Gt(), ast.Lt()]},
}
SWAPPED = {
    f"{before}{one}{after}": f"{before}{other}{after}"
    for before in ("", "arg", "nan", "idx")
    for after in ("", "imum")
    for one, other in (("min", "max"), ("max", "min"))
}


class Site(NamedTuple):
    """A node, an attribute of it, and what may take its place."""

    node: Any
    attribute: str
    others: list[Any]


def changes(node: ast.AST) -> Iterator[Site]:
    """What may be changed in a node itself."""
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            yield Site(node, "op", OPERATORS[type(op)])
        case ast.Compare(ops=[op, *rest]) if type(op) in OPERATORS:
            yield Site(node, "ops", [[other, *rest] for other in OPERATORS[type(op)]])
        case ast.UnaryOp(op=ast.USub()):
            yield Site(node, "op", [ast.UAdd()])
        case ast.UnaryOp(op=ast.Not() | ast.Invert() as op, operand=operand):
            yield Site(node, "operand", [ast.UnaryOp(op, operand)])
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            few = abs(value) < 100
            yield Site(node, "value", [value + 1, value - 1] if few else [2 * value, value // 2])
        case ast.Constant(value=float(value)):
            yield Site(node, "value", [2 * value, value / 2] if value > 1e-3 else [value + 1])
        case ast.Name(id=name) if name in SWAPPED:
            yield Site(node, "id", [SWAPPED[name]])
        case ast.Attribute(attr=name) if name in SWAPPED:
            yield Site(node, "attr", [SWAPPED[name]])


def sites(node: ast.AST, drawing: bool = False) -> Iterator[Site]:
    """All that may be changed in a node and below it; drawing: whether it makes a figure."""
    if isinstance(node, ast.FunctionDef):
        drawing = any(word in ast.unparse(node) for word in ("Axes", "Figure", "style."))
    yield from changes(node)
    for name, field in ast.iter_fields(node):
        for child in field if isinstance(field, list) else [field]:
            look = drawing and isinstance(child, ast.Expr | ast.keyword | ast.Dict | ast.Constant)
            known = isinstance(child, ast.AST) and name not in ("annotation", "returns")
            if known and not look and not _is_text(child):
                yield from sites(child, drawing)


def _is_text(node: ast.AST) -> bool:
    """Texts and sums of them, errors, unions of types, and a study's place on the page."""
    match node:
        case ast.JoinedStr() | ast.Raise() | ast.keyword(arg="order"):
            return True
        case ast.BinOp(left=one, right=other):
            ends = [each for each in (one, other) if isinstance(each, ast.Constant | ast.JoinedStr)]
            return any(isinstance(getattr(each, "value", ""), str | None) for each in ends)
    return False


def modules() -> list[Path]:
    """Modules that are mutated, from the root; what sets the style of figures is not."""
    found = (path for room in ALSO for path in sorted((ROOT / SOURCE / room).rglob("*.py")))
    return [path.relative_to(ROOT) for path in found if path.name != "style.py"]


def chosen(count: int, seed: int) -> list[tuple[Path, int, int]]:
    """Mutants: module, place in its list of sites, choice there; evenly over lines."""
    lines = defaultdict(list)
    for module in modules():
        for place, site in enumerate(sites(ast.parse((ROOT / module).read_text("utf-8")))):
            lines[module, site.node.lineno].append((module, place, len(site.others)))
    every, generator = sorted(lines), random.Random(seed)
    drawn = []
    for index in range(count):
        share = every[index * len(every) // count : (index + 1) * len(every) // count]
        module, place, others = generator.choice(lines[generator.choice(share)])
        drawn.append((module, place, generator.randrange(others)))
    return drawn


def mutated(module: Path, place: int, choice: int) -> tuple[str, str]:
    """Source of a module with one change, and the change in words."""
    source = (ROOT / module).read_text("utf-8")
    tree = ast.parse(source)
    node, attribute, others = list(sites(tree))[place]
    before, line = ast.unparse(node), source.splitlines()[node.lineno - 1].strip()
    setattr(node, attribute, others[choice])
    where = f"{module.relative_to(SOURCE)}:{node.lineno}"
    return ast.unparse(tree), f"{where}: {before} → {ast.unparse(node)}   in: {line}"


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("test_*.py")) or [path]


def tests_of(module: Path) -> list[str]:
    """Files of tests that a mutant of a module must get past."""
    room, name = module.relative_to(SOURCE).parts[0], f".{module.stem}"
    tests = [path for each in (room, *ALSO[room]) for path in _files(Path("tests") / each)]
    whole = ".".join(module.with_suffix("").parts[1:])
    importing = (path for path in _files(Path("tests")) if whole in path.read_text("utf-8"))
    tests += [path for path in importing if path not in tests and "workflow" not in path.parts]
    # Tests that import the module come first, so that most mutants die soon.
    return [str(path) for path in sorted(tests, key=lambda path: name not in path.read_text())]


def killed(copy: Path, module: Path, source: str) -> bool:
    """Whether some test of a module fails when it has another source."""
    (copy / module).write_text(source, "utf-8")
    run = FORK.Process(target=_test, args=(copy, tests_of(module)))
    run.start()
    run.join()
    shutil.copy2(ROOT / module, copy / module)
    return run.exitcode != 0


def _test(copy: Path, tests: list[str]) -> None:
    """Run tests in a copy of the project; the exit code of this process says how it went."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy / "src")
    sys.path.insert(0, str(copy / "src"))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os._exit(pytest.main(["-x", "-k", SLOW, *tests]))


def main() -> None:
    """Print each mutant with its fate, then how many were killed in each room."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of mutants to try (again)")
    given = parser.parse_args()
    drawn = chosen(given.count, given.seed)
    numbers = given.only or range(given.count)
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PROCESSES) as pool:
        numba.config.CACHE_DIR = f"{folder}/compiled"  # type: ignore[attr-defined]
        copies: Queue[Path] = Queue()
        for index in range(PROCESSES):
            left_out = shutil.ignore_patterns(*NOT_COPIED)
            copy = Path(shutil.copytree(ROOT, f"{folder}/{index}", ignore=left_out))
            # Studies are judged again from the default run, where it is built.
            (copy / "results").symlink_to(ROOT / "results")
            copies.put(copy)

        def tried(number: int) -> tuple[str, bool]:
            source, change = mutated(*drawn[number])
            copy = copies.get()
            dead = killed(copy, drawn[number][0], source)
            copies.put(copy)
            sys.stdout.write(f"{number:3} {'killed' if dead else '------'} {change}\n")
            sys.stdout.flush()
            return change.partition("/")[0], dead

        fates = Counter(pool.map(tried, numbers))
    for room in ALSO:
        print(f"{room:9} {fates[room, True]} of {fates[room, True] + fates[room, False]} killed")


if __name__ == "__main__":
    main()
