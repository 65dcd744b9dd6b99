"""Published files: found in the data folder or downloaded from mirrors, and always verified."""

import gzip
import hashlib
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stagewise.errors import StagewiseError

ROUNDS = 2
"""How often every mirror is asked before giving up."""
PAUSE = 2.0
"""Seconds between two rounds."""
TIMEOUT = 30
"""Seconds without an answer after which a mirror counts as failed."""

_CHUNK = 1 << 20
_STALE = 24 * 3600.0
_DEEPEST = 3
"""Levels of folders inside a data folder that are looked into."""


@dataclass(frozen=True)
class PublishedFile:
    """A file that can be downloaded, and how its content is known to be right.

    title : of the data set, for sentences. name : in the folder and after each mirror's address.
    mirrors : addresses, each ending in a slash, in the order in which they are asked.
    digest : hexadecimal, of what `verified` says: the SHA-256 of the content (gunzipped if it is
    gzipped), or the MD5 of the file as published. unzipped : for the latter, what is wrong with an
    unzipped copy, which has no such digest; "" if nothing is.
    """

    title: str
    name: str
    mirrors: tuple[str, ...]
    digest: str
    verified: Literal["content", "archive"]
    unzipped: Callable[[Path], str] | None = None

    @property
    def digest_text(self) -> str:
        """The digest and what it is of, for people."""
        kind = "SHA-256 of the unzipped file" if self.verified == "content" else "MD5"
        return f"{kind} {self.digest}"

    def is_called(self, name: str) -> bool:
        """Whether a file of this name would be it, as other libraries name and unzip files."""
        return _plain_name(name) == _plain_name(self.name)


def _plain_name(name: str) -> str:
    return name.lower().removesuffix(".gz").replace(".", "-")


def obtain(
    file: PublishedFile,
    folder: Path,
    download: bool,
    hint: str = "",
    others: Sequence[Path] = (),
) -> Path:
    """Path of the verified file, which is used without network when it is there.

    It is looked for in `folder`, folders inside it and `others`, zipped or not. download : whether
    a missing file may be fetched into `folder`. hint : what else the user could put there. Raises
    StagewiseError for a file that is missing and cannot be fetched, cannot be read, or is not the
    published one.
    """
    held = [path for place in (folder, *others) for path in files_in(place)]
    problems: dict[Path, str] = {}
    for path in held:
        if file.is_called(path.name):
            problems[path] = mismatch(file, path)
            if not problems[path]:
                return path
    for path, problem in problems.items():
        raise StagewiseError(
            f"{path} is not the original file of {file.title}: {problem}. Put the right file in "
            f"its place ({file.title} is published at {file.mirrors[0]}), or move this one "
            "elsewhere and run again to have it downloaded."
        )
    if (folder / file.name).is_dir():
        raise _missing(file, folder, "is a folder that does not hold the file", hint)
    if download:
        return fetch(file, folder, hint + _of_no_use(held))
    raise _missing(file, folder, "is not there", hint + _of_no_use(held))


def files_in(folder: Path) -> list[Path]:
    """Files of a folder and of folders inside it, the nearest first; none if it is not there.

    Raises StagewiseError if a folder cannot be looked at.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise StagewiseError(
                f"{error.filename} cannot be looked at: {error.strerror}. Make it readable, or set "
                "data_dir in the config (or the variable STAGEWISE_DATA) to another folder."
            ) from None

    found: list[Path] = []
    for place, inside, names in os.walk(folder, onerror=refuse):
        below = len(Path(place).relative_to(folder).parts)
        inside[:] = [name for name in inside if not name.startswith(".") and below < _DEEPEST]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(found, key=lambda path: (len(path.parts), path))


def _of_no_use(held: list[Path]) -> str:
    """For a sentence: what lies there instead."""
    if not held:
        return ""
    names = [path.name for path in held]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f" ({held[0].parent} holds {', '.join(names[:6])}{more}, which is of no use for it)"


def fetch(file: PublishedFile, folder: Path, hint: str = "") -> Path:
    """Download a file into `folder`, where it appears only once it is whole and verified.

    Every mirror is asked in turn, `ROUNDS` times. Raises StagewiseError if none has the right file.
    """
    reasons: dict[str, str] = {}
    with _part_of(folder / file.name) as part:
        for turn in range(ROUNDS):
            for mirror in file.mirrors:
                reason = _download(f"{mirror}{file.name}", part) or mismatch(file, part)
                if not reason:
                    return part.replace(folder / file.name)
                reasons[mirror] = reason
            if turn + 1 < ROUNDS:
                time.sleep(PAUSE)
    failures = "; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items())
    problem = f"is not there and could not be downloaded ({failures})"
    raise _missing(file, folder, problem, hint)


def mismatch(file: PublishedFile, path: Path) -> str:
    """Why the content of `path` is not that of the published file; empty if it is."""
    content = file.verified == "content"
    digest = hashlib.sha256() if content else hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if file.unzipped is not None and not zipped and path.suffix != ".gz":
                return file.unzipped(path)
            with gzip.open(raw) if zipped and content else raw as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        return f"it is not a whole gzip file ({error})"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if digest.hexdigest() == file.digest:
        return ""
    kind = "the SHA-256 of its content" if content else "its MD5"
    size = f"{path.stat().st_size:,} bytes".replace(",", " ")
    return f"{kind} is {digest.hexdigest()}, not {file.digest} (it has {size})"


def _download(address: str, path: Path) -> str:
    """Download to `path`; returns why it failed, empty if it did not."""
    import pooch  # only downloads need these two
    from tqdm import tqdm  # type: ignore[import-untyped]

    # The terminal, not the log that stands in for stderr while a rule runs. The downloader sets
    # the total, but takes a bar without one for none.
    with tqdm(
        total=1, file=sys.__stderr__, desc=address, unit="B", unit_scale=True, mininterval=1
    ) as bar:
        fetcher = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT, chunk_size=_CHUNK // 16)
        try:
            fetcher(address, str(path), None)
        except Exception as error:  # every kind of failure means: try the next mirror
            return _reason(error)
    return ""


def _reason(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    detail = f"HTTP {status}" if status else getattr(error, "strerror", None)
    return detail or type(error).__name__


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, gone at the end; old ones of killed downloads go too."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{path.name}.*.part"):
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink(missing_ok=True)
        part.touch()
    except OSError as error:
        raise StagewiseError(
            f"{path} is not there and cannot be downloaded to {path.parent}: {error.strerror}. "
            "Set data_dir in the config (or the variable STAGEWISE_DATA) to a folder that can be "
            "written to."
        ) from None
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _missing(file: PublishedFile, folder: Path, problem: str, hint: str) -> StagewiseError:
    return StagewiseError(
        f"{folder / file.name} {problem}. Put the file there{hint}; {file.title} is published at "
        f"{file.mirrors[0]}. Or set data_dir in the config (or the variable STAGEWISE_DATA) to "
        f"the folder whose sub-folder {folder.name} has it."
    )
