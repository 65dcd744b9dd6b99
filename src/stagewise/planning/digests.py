"""Digests of the source that a job depends on, so that an edit reruns just what it touches.

Comments, layout and words for people do not count. An import counts for the module that defines the
name, not for the package that hands it on; a package that finds modules by listing its folder
counts with those that a job uses. What is known of a file is kept between calls, by its size and
time, as parsing all of them takes a second.
"""

import ast
import hashlib
import json
import os
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGE = _ROOT.name
_SCRIPTS = _ROOT.parents[1] / "scripts"
_WITHOUT_EFFECT = ("stagewise.pipeline.job",)
"""Imported by scripts, but nothing that reaches a result: where messages and logs go."""
WORDS = {
    "Field": {"description"},
    "Study": {"question", "title", "caption", "alt"},
    "claim": {"statement"},
}
"""Arguments that are words for people, by the function that they are given to."""


@dataclass(frozen=True)
class Facts:
    """What a source file says: its code's digest, and where names come from.

    imports : (module, name), name "" for a whole module. handed_on : names that it imports and
    others may import from it, with their origin. lists : whether it imports the modules that lie in
    its folder, whichever they are. texts : constants that are texts. templates : files `*.j2` and `*.js`
    beside it that it names.
    """

    code: str
    imports: list[tuple[str, str]]
    handed_on: dict[str, tuple[str, str]]
    lists: bool
    texts: dict[str, str]
    templates: list[str]


def source_digest(*modules: str, found: Collection[str] | None = None) -> str:
    """Digest of modules of this package and of all that they import from it.

    modules : dotted names, e.g. "stagewise.dynamics.kernel". found : modules that count where a
    package finds its modules by listing its folder; None: all in that folder. Templates (`*.j2`)
    and scripts (`*.js`) that a module names count with it.
    """
    digest = hashlib.sha256()
    for name in sorted(imported_modules(*modules, found=found)):
        digest.update(f"{name}:{_facts(name).code}:{_templates(name)};".encode())
    return digest.hexdigest()[:16]


def script_modules(script: str) -> list[str]:
    """Modules of this package whose names the script of a rule imports, but for what only logs."""
    facts = _known(_SCRIPTS / f"{script}.py")
    return sorted({each for name in facts.imports for each in _homes(*name)} - {*_WITHOUT_EFFECT})


def imported_modules(*modules: str, found: Collection[str] | None = None) -> set[str]:
    """The modules and every module of this package that they import, directly or not."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        facts = _facts(name)
        waiting += [each for pair in facts.imports for each in _homes(*pair)]
        if facts.lists:
            here = modules_in(name)
            waiting += here if found is None else [each for each in here if each in found]
    return seen


def modules_in(package: str) -> list[str]:
    """Modules in the folder of a package of this package."""
    path = _path(package)
    folder = [] if path is None else sorted(path.parent.glob("[a-z]*.py"))
    return [f"{package}.{each.stem}" for each in folder]


def constant(module: str, name: str) -> str | None:
    """A text that a module assigns to a name in capitals, without importing it."""
    return _facts(module).texts.get(name)


@cache
def _homes(module: str, name: str) -> list[str]:
    """Modules that an import of a name (""; the module itself) needs."""
    if module.split(".")[0] != _PACKAGE:
        return []
    if name and _path(f"{module}.{name}") is not None:
        return [f"{module}.{name}"]
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"{module} is not a module of {_PACKAGE}")
    if name and path.name == "__init__.py":
        stub = path.with_suffix(".pyi")  # of a package that loads its names when they are asked for
        origin = _known(stub if stub.is_file() else path).handed_on.get(name)
        if origin is not None and origin[0] != module:
            return _homes(*origin)
    return [module]


@cache
def _path(module: str) -> Path | None:
    relative = Path(*module.split(".")[1:])
    for candidate in (_ROOT / relative / "__init__.py", (_ROOT / relative).with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _templates(module: str) -> str:
    path = _path(module)
    named = [] if path is None else [path.with_name(each) for each in _facts(module).templates]
    return hashlib.sha256(b"".join(each.read_bytes() for each in named)).hexdigest()


@cache
def _facts(module: str) -> Facts:
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"{module} is not a module of {_PACKAGE}")
    return _known(path)


class _Store:
    """Facts of files by path, with the size and the time of the file that they are of."""

    def __init__(self) -> None:
        self.path = Path(".snakemake", "stagewise", "digests.json").absolute()
        this = Path(__file__).stat()
        self.version = [sys.version, this.st_size, this.st_mtime_ns]
        self.changed = False
        self.entries: dict[str, tuple[list[int], Facts]] = {}
        with suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(self.path.read_text("utf-8"))
            if kept["version"] == self.version:
                for path, (key, facts) in kept["files"].items():
                    facts["imports"] = [tuple(each) for each in facts["imports"]]
                    self.entries[path] = key, Facts(**facts)

    def facts(self, path: Path) -> Facts:
        stat = path.stat()
        key = [stat.st_size, stat.st_mtime_ns]
        kept = self.entries.get(str(path))
        if kept is None or kept[0] != key:
            self.changed = True
            kept = self.entries[str(path)] = key, _read(path)
        return kept[1]

    def save(self) -> None:
        files = {path: [key, asdict(facts)] for path, (key, facts) in self.entries.items()}
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(f".{os.getpid()}")
            text = json.dumps({"version": self.version, "files": files})
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self.path)


@cache
def _store() -> _Store:
    return _Store()


@cache
def _known(path: Path) -> Facts:
    return _store().facts(path)


def keep_for_next_time() -> None:
    """Keep what is known of the files that were read, where the working directory can be written."""
    if _store().changed:
        _store().save()


def _read(path: Path) -> Facts:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = [node for node in tree.body if isinstance(node, ast.If) and _for_types(node)]
    unused = {id(inner) for node in checking for each in node.body for inner in ast.walk(each)}
    imports = [
        pair for node in ast.walk(tree) if id(node) not in unused for _, *pair in _imported(node)
    ]
    top = [*tree.body, *(each for node in checking for each in node.body)]
    handed_on = {name: (module, what) for node in top for name, module, what in _imported(node)}
    texts = {name: text for node in tree.body for name, text in _text(node)}
    code = hashlib.sha256(ast.dump(_WithoutWords().visit(tree)).encode()).hexdigest()
    templates = {
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and each.value[-3:] in (".j2", ".js")
    }
    lists = any(map(_lists_its_folder, ast.walk(tree)))
    own = sorted({(module, name) for module, name in imports if _is_own(module)})
    handed_on = {name: pair for name, pair in handed_on.items() if _is_own(pair[0]) and pair[1]}
    return Facts(code, own, handed_on, lists, texts, sorted(templates))


def _is_own(module: str) -> bool:
    return module.split(".")[0] == _PACKAGE


def _imported(node: ast.AST) -> list[tuple[str, str, str]]:
    """Name in this module, module and name there, for everything that a statement imports."""
    if isinstance(node, ast.Import):
        return [(alias.asname or alias.name, alias.name, "") for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [(alias.asname or alias.name, node.module, alias.name) for alias in node.names]
    return []


def _for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _text(node: ast.stmt) -> list[tuple[str, str]]:
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return []
    names = [each.id for each in node.targets if isinstance(each, ast.Name) and each.id.isupper()]
    return [(name, node.value.value) for name in names if isinstance(node.value.value, str)]


def _lists_its_folder(node: ast.AST) -> bool:
    """`__path__`, or import_module(f"{__name__}.…")."""
    return (isinstance(node, ast.Name) and node.id == "__path__") or (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("import_module")
        and any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node))
    )


class _WithoutWords(ast.NodeTransformer):
    """Drops docstrings and other statements that are only text, and arguments that are `WORDS`."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        words = WORDS.get(str(called or getattr(node.func, "id", "")), set())
        node.keywords = [each for each in node.keywords if each.arg not in words]
        return self.generic_visit(node)
