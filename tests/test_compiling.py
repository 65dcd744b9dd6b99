"""Where there is no Numba, everything is computed all the same, in NumPy."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from stagewise.compiling import COMPILED

SCRIPT = """
import json, sys
if sys.argv[1] == "without":
    sys.modules["numba"] = None
from stagewise.config.training import MiniBatches
from stagewise.pipeline.training.mini_batches import training_rows
setting = {"samples": 24, "noise": 0.5, "step_size": 0.3, "batch_size": 3}
problem = {"sigma": [1.0, 0.6], "lam": [1.0, 0.8, 0.5], "dim_out": 3, "width": 3, "delta": [3.0, 5.0]}
kind = {"kind": "mini_batches", "replicates": 2, "settings": [setting]}
experiment = MiniBatches.model_validate(problem | kind)
print(json.dumps(training_rows("trial", experiment, None)))
"""


def rows(how):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(not COMPILED, reason="there is no Numba on this machine")
def test_runs_on_small_batches_learn_when_they_do_with_a_compiler():
    compiled, plain = rows("with"), rows("without")
    assert len(compiled) == len(plain) > 0
    assert pd.DataFrame(compiled)["learning_iteration"].notna().all()
    pd.testing.assert_frame_equal(pd.DataFrame(compiled), pd.DataFrame(plain), rtol=1e-9)
