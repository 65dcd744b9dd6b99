"""The MNIST training set: found in the data folder or downloaded, verified, read."""

import gzip
import hashlib
from pathlib import Path

from stagewise.arrays import AnyArray
from stagewise.config import MnistData
from stagewise.errors import StagewiseError
from stagewise.problems.idx import decompressed, parse_idx

FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
}
"""SHA-256 of the decompressed content of each file."""

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)


def load(spec: MnistData, data_dir: Path) -> tuple[AnyArray, AnyArray]:
    """Training images (60000, 28, 28) and labels (60000,), unsigned bytes.

    Files already in the folder are used without network; both `name` and `name.gz` are accepted.
    Raises StagewiseError when a file is missing and cannot be fetched, or is not the original.
    """
    folder = data_dir / spec.directory
    images, labels = (_content(folder, name, spec.download) for name in FILES)
    return parse_idx(images, 3, "The images"), parse_idx(labels, 1, "The labels")


def _content(folder: Path, name: str, download: bool) -> bytes:
    candidates = (folder / name, folder / f"{name}.gz")
    found = next((path for path in candidates if path.exists()), None)
    if found is None:
        if not download:
            raise StagewiseError(_where_to_put(name, folder, "is not there"))
        content = fetch(name, folder)
        found = candidates[1]
    else:
        content = decompressed(found)
    if hashlib.sha256(content).hexdigest() != FILES[name]:
        raise StagewiseError(
            f"{found} is not the original MNIST file: its decompressed content has another "
            f"SHA-256 than {FILES[name]}. Delete it, or put the right file there."
        )
    return content


def fetch(name: str, folder: Path, mirrors: tuple[str, ...] = MIRRORS) -> bytes:
    """Download `name`.gz into `folder` from the first mirror that serves the right content.

    Returns the decompressed content. The file appears in the folder only once it is verified.
    """
    import pooch  # only downloads need it

    reasons = []
    for mirror in mirrors:
        try:
            target = pooch.retrieve(
                url=f"{mirror}{name}.gz",
                known_hash=None,
                fname=f"{name}.gz.part",
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=True, timeout=30),
            )
            content = gzip.decompress(Path(target).read_bytes())
        except Exception as error:  # every kind of network failure means: try the next mirror
            reasons.append(f"{mirror}: {type(error).__name__}")
            (folder / f"{name}.gz.part").unlink(missing_ok=True)
            continue
        if hashlib.sha256(content).hexdigest() == FILES[name]:
            Path(target).replace(folder / f"{name}.gz")
            return content
        reasons.append(f"{mirror}: the content is not the original")
        Path(target).unlink()
    failure = f"is not there and could not be downloaded ({'; '.join(reasons)})"
    raise StagewiseError(_where_to_put(name, folder, failure))


def _where_to_put(name: str, folder: Path, problem: str) -> str:
    return (
        f"{folder / name}.gz {problem}. Put the MNIST files there, or set data_dir in the config "
        "(or the variable STAGEWISE_DATA) to the folder that has them."
    )
