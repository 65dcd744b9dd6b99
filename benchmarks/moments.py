"""Compare the streaming of second moments with the symmetric rank-k update of one core.

Run with ``python benchmarks/moments.py``; see benchmarks/README.md.
"""

import os

# Libraries read these once, when they are first imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse
import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from stagewise.data.images import image_moments, streamed_image_moments
from stagewise.problems.moments import Moments

CLASSES = 10
BLOCK = 1024
"""Images a block, as the pipeline reads them."""

Images = tuple[NDArray[np.uint8], NDArray[np.int64]]


def random_images(count: int, dim: int) -> Images:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, dim), dtype=np.uint8)
    return images, random.integers(0, CLASSES, count)


def streamed(images: Images) -> Callable[[], object]:
    """From bytes to moments, as in a run."""
    return lambda: image_moments(*images, CLASSES)


def merged(images: Images) -> Callable[[], object]:
    """The moments of each block by NumPy, merged: what the stream must equal to rounding."""

    def take() -> Moments:
        starts = range(0, len(images[0]), BLOCK)
        blocks = (tuple(each[at : at + BLOCK] for each in images) for at in starts)
        one_hot = np.eye(CLASSES)
        parts = (Moments.of_block(pixels / 255.0, one_hot[labels]) for pixels, labels in blocks)
        return reduce(Moments.merged, parts)

    return take


def peak(images: Images) -> Callable[[], object]:
    """One rank-k update with all images, already floating-point numbers."""
    inputs = images[0] / 255.0
    target = np.zeros((inputs.shape[1], inputs.shape[1]), order="F")
    return lambda: dsyrk(1.0, inputs.T, beta=1.0, c=target, lower=1, overwrite_c=1)


def seconds(method: Callable[[], object]) -> float:
    start = time.perf_counter()
    method()
    return time.perf_counter() - start


def speed(count: int, dim: int, repeats: int) -> str:
    """Row of the first table: medians over repeats, and the median of the share."""
    images = random_images(count, dim)
    methods = [streamed(images), merged(images), peak(images)]
    for method in methods:
        method()
    # Interleaved, so that a slow spell of the machine falls on all alike.
    times = np.array([[seconds(method) for method in methods] for _ in range(repeats)])
    stream, blocks, update = (statistics.median(column) for column in times.T.tolist())
    shares = (times[:, 2:] / times[:, :2]).T.tolist()
    rate = count * dim * (dim + 1) / update / 1e9
    cells = [f"{dim}", f"{count:,}", f"{1e6 * stream / count:,.0f}", f"{1e6 * blocks / count:,.0f}"]
    cells += [f"{1e6 * update / count:,.0f}", f"{rate:.1f}"]
    cells += [f"{statistics.median(share):.0%}" for share in shares]
    return "  ".join(cell.rjust(9) for cell in cells)


def memory(count: int, dim: int) -> str:
    """Row of the second table: the peak while `count` images pass, which are never all there."""
    images, labels = random_images(BLOCK, dim)

    def blocks() -> Iterator[Images]:
        for start in range(0, count, BLOCK):
            size = min(BLOCK, count - start)
            yield images[:size].copy(), labels[:size]

    tracemalloc.start()
    streamed_image_moments(blocks(), CLASSES)
    allocated = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    cells = [f"{dim}", f"{count:,}", f"{allocated:.1f}", f"{resident:.0f}"]
    return "  ".join(cell.rjust(9) for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dim", type=int, default=3072)
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print("Peak memory while images pass: allocated by Python and NumPy, and of the process, MB.")
    print("  ".join(title.rjust(9) for title in ("dim", "images", "allocated", "process")))
    for factor in (1, 4, 16):
        print(memory(factor * BLOCK, options.dim), flush=True)
    print("\nMicroseconds an image on one thread: the stream, its blocks merged, and dsyrk alone;")
    print("Gflop/s of dsyrk, and the share of it that the stream and the merging reach.")
    titles = ("dim", "images", "stream", "merged", "dsyrk", "Gflop/s", "share", "merged")
    print("  ".join(title.rjust(9) for title in titles))
    print(speed(options.images, options.dim, options.repeats))


if __name__ == "__main__":
    main()
