"""Digests of the source that a stage depends on, so that an edit reruns just what it touches."""

import ast
import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGE = _ROOT.name
_SCRIPTS = _ROOT.parents[1] / "scripts"
_WITHOUT_EFFECT = ("stagewise.pipeline", "stagewise.pipeline.rule")


def source_digest(*modules: str) -> str:
    """Digest of modules of this package and of all that they import from it.

    modules : dotted names, e.g. "stagewise.dynamics". Comments, docstrings and layout do not
    count. Templates (`*.j2`) beside a module count with it.
    """
    digest = hashlib.sha256()
    for name in sorted(set().union(*(imported_modules(module) for module in modules))):
        digest.update(f"{name}:{_code_digest(name)};".encode())
    return digest.hexdigest()[:16]


def script_modules(script: str) -> list[str]:
    """Modules of this package that the script of a rule imports, but for what only logs."""
    tree = ast.parse((_SCRIPTS / f"{script}.py").read_text(encoding="utf-8"))
    return [name for name in _imports_of(tree) if name not in _WITHOUT_EFFECT]


def imported_modules(module: str) -> set[str]:
    """The module and every module of this package that it imports, directly or not."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            package = name.rpartition(".")[0]
            waiting += [*_direct_imports(name), *([package] if _path(package) else [])]
    return seen


@cache
def _path(module: str) -> Path | None:
    relative = Path(*module.split(".")[1:])
    for candidate in (_ROOT / relative / "__init__.py", (_ROOT / relative).with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"{module} is not a module of {_PACKAGE}")
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _direct_imports(module: str) -> tuple[str, ...]:
    return _imports_of(_tree(module)) + _found_by(module)


def _found_by(module: str) -> tuple[str, ...]:
    """Modules that a package finds by listing its own folder, which its `__path__` gives away."""
    path = _path(module)
    if path is None or not any(
        isinstance(node, ast.Name) and node.id == "__path__" for node in ast.walk(_tree(module))
    ):
        return ()
    return tuple(f"{module}.{each.stem}" for each in sorted(path.parent.glob("[a-z]*.py")))


def _imports_of(tree: ast.Module) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    parents = [name.rpartition(".")[0] for name in names]
    own = (name for name in names + parents if name.split(".")[0] == _PACKAGE)
    return tuple(sorted({name for name in own if _path(name) is not None}))


class _WithoutWords(ast.NodeTransformer):
    """Drops statements that are only text, which is what docstrings are."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


@cache
def _code_digest(module: str) -> str:
    tree = _WithoutWords().visit(_tree(module))
    digest = hashlib.sha256(ast.dump(tree).encode())
    path = _path(module)
    if path is not None:
        for template in sorted(path.parent.glob("*.j2")):
            digest.update(template.read_bytes())
    return digest.hexdigest()
