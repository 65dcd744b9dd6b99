"""Processes are spared slow imports, and lose nothing by it."""

import subprocess
import sys


def printed(program: str) -> str:
    """What a program prints in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


SPARED = """
import sys
from stagewise.planning.imports import spare_pandas
spare_pandas()
import numpy as np
import pyarrow as pa
table = pa.table({"a": pa.array(np.arange(3.0)), "b": pa.array(["x", None, "y"])})
print("pandas" in sys.modules, table["a"].to_numpy().sum(), table["b"].to_pylist())
"""


def test_a_process_without_use_for_pandas_is_spared_it():
    assert printed(SPARED) == "False 3.0 ['x', None, 'y']"


def test_pandas_can_still_be_imported_afterwards():
    program = f"{SPARED}import pandas as pd; print(pd.Series([1, 2]).sum())"
    assert printed(program).splitlines()[-1] == "3"


def test_a_process_that_has_pandas_already_keeps_its_tables_frames():
    program = f"import pandas{SPARED}print(len(table.to_pandas()))"
    assert printed(program).splitlines() == ["True 3.0 ['x', None, 'y']", "3"]


def test_figures_are_spared_scipy_but_may_import_it():
    program = (
        "import sys; import stagewise.studies.common.style; print('scipy' in sys.modules); "
        "from scipy.stats import norm; print(norm.cdf(0))"
    )
    assert printed(program).splitlines() == ["False", "0.5"]


TRAINED = """
import sys
import numpy as np
from stagewise.dynamics.kernel import advance
from stagewise.planning.imports import spare_linear_algebra
spare_linear_algebra()
layers = [np.full((1, 2, 2), 0.5), np.full((1, 2, 2), 0.5)]
advance(layers, np.ones((1, 2, 2)), np.ones((1, 2, 2)), np.array([0.1]), 1)
print("scipy.linalg" in sys.modules, layers[0][0, 0, 0])
"""


def test_a_process_that_trains_is_spared_linear_algebra_but_may_import_it():
    program = f"{TRAINED}from scipy.linalg import sqrtm; print(sqrtm(4 * np.eye(2))[0, 0])"
    assert printed(program).splitlines() == ["False 0.55", "2.0"]
