"""Slow imports that a process has no use for, and is spared."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder


@contextmanager
def without(module: str) -> Iterator[None]:
    """Within the block an installed module cannot be imported, unless it has been already.

    For libraries that do without it where there is none. Afterwards it can be imported again.
    """
    finder = _Refusal(module)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def spare_pandas() -> None:
    """Let pyarrow find no pandas in this process, unless it is imported already.

    pyarrow would import it to recognise its types, which takes half a second of every job, and most
    jobs have no use for it. Afterwards pandas can be imported, but pyarrow knows nothing of it.
    """
    import pyarrow as pa

    with without("pandas"):
        pa.array([0])  # it looks once and remembers


def spare_linear_algebra() -> None:
    """Let Numba find no scipy.linalg in this process, unless it is imported already.

    Numba would import it to compile covariances, which takes a fifth of a second of every job that
    trains, and the kernel has none. Afterwards it can be imported.
    """
    with without("scipy.linalg"), suppress(ImportError):  # where there is no Numba, NumPy steps
        import numba.np.arraymath  # noqa: F401, it looks once and remembers


class _Refusal(MetaPathFinder):
    def __init__(self, module: str) -> None:
        self.module = module

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == self.module:
            raise ImportError(name)
