"""One thread a job: numerics are reproducible and jobs run beside each other."""

import os

VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def pin() -> None:
    """Set every thread variable to 1 for this process and those it starts.

    Must be called before numpy is imported to have an effect on this process.
    """
    for variable in VARIABLES:
        os.environ[variable] = "1"
    # Arrow's own pools would compete with the jobs that run beside this one.
    os.environ["ARROW_NUM_THREADS"] = "1"
