"""Whether a rebuild agrees with the archived reference, and how closely.

Tiers: "bit-identical", the canonical hashes agree; "equal within rtol", the same rows with numbers
equal to `RTOL` (another processor rounds differently); "statistically consistent", the verdicts
agree and every claim's value lies in the interval archived with it; else "different".
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stagewise.errors import StagewiseError
from stagewise.planning.plan import AGGREGATES
from stagewise.store.files import canonical_hash, read_table, write_text
from stagewise.store.formats import read_csv
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import read_claims

TABLES = ("assumption",)
RTOL = 1e-6
ATOL = 1e-9
TIERS = ("bit-identical", "equal within rtol", "statistically consistent", "different")


@dataclass(frozen=True)
class Comparison:
    """How one output or claim compares; deviation is relative, None where it has no meaning."""

    name: str
    tier: str
    deviation: float | None
    detail: str = ""


@dataclass(frozen=True)
class Verification:
    """All comparisons.

    It passes if nothing is different: numbers of an output may differ between machines as long as
    every claim agrees, but rows, labels and missing values may not.
    """

    outputs: list[Comparison]
    claims: list[Comparison]

    @property
    def passed(self) -> bool:
        """Whether everything met at least the last tier that counts as agreement."""
        return all(each.tier != "different" for each in self.outputs + self.claims)


def verify(results: Path, reference: Path) -> Verification:
    """Compare a run's results with the reference archived by `archive`."""
    hashes = _hashes(reference)
    ours = {each.id: each for each in read_claims(results / "claims.json")}
    theirs = {each.id: each for each in read_claims(reference / "claims.json")}
    claims = [_compare_claim(name, ours.get(name), theirs.get(name)) for name in theirs | ours]
    outputs = []
    for name in AGGREGATES:
        table = read_table(results / f"{name}.parquet")
        if canonical_hash(table) == hashes.get(name):
            outputs.append(Comparison(name, TIERS[0], 0.0))
            continue
        outputs.append(_compare_table(name, table.to_pandas(), reference / f"{name}.parquet"))
    for name in TABLES:
        present = results / "tables" / f"{name}.csv"
        if present.read_bytes() == (reference / f"{name}.csv").read_bytes():
            outputs.append(Comparison(name, TIERS[0], 0.0))
            continue
        outputs.append(_compare_table(name, read_csv(present), reference / f"{name}.csv"))
    consistent = all(each.tier != "different" for each in claims)
    return Verification([_softened(each, consistent) for each in outputs], claims)


def archive(results: Path, reference: Path) -> None:
    """Make a run's results the reference: claims, tables, aggregates and their hashes."""
    reference.mkdir(exist_ok=True)
    read_claims(results / "claims.json")
    shutil.copyfile(results / "claims.json", reference / "claims.json")
    hashes = {}
    for name in AGGREGATES:
        table = read_table(results / f"{name}.parquet")
        hashes[name] = canonical_hash(table)
        shutil.copyfile(results / f"{name}.parquet", reference / f"{name}.parquet")
    for name in TABLES:
        shutil.copyfile(results / "tables" / f"{name}.csv", reference / f"{name}.csv")
    write_text(json.dumps(hashes, indent=2) + "\n", reference / "hashes.json")


def report(outcome: Verification) -> str:
    """What `make verify` prints."""
    lines = ["Outputs against reference/:"]
    lines += [_line(each) for each in outcome.outputs]
    lines += ["Claims:"]
    lines += [_line(each) for each in outcome.claims]
    worst = max(
        (each.deviation for each in outcome.claims if each.deviation is not None), default=0.0
    )
    reached = max(TIERS.index(each.tier) for each in outcome.outputs + outcome.claims)
    lines.append(
        f"Tier met by everything: {TIERS[reached]}; largest deviation of a claim {worst:.2g}."
    )
    if not outcome.passed:
        lines.append("The rebuild disagrees with the reference.")
    return "\n".join(lines)


def _line(each: Comparison) -> str:
    deviation = "" if each.deviation is None else f"  deviation {each.deviation:.2g}"
    return f"  {each.name:28} {each.tier:26}{deviation}{'  ' + each.detail if each.detail else ''}"


def _hashes(reference: Path) -> dict[str, str]:
    path = reference / "hashes.json"
    if not path.is_file():
        raise StagewiseError(
            f"{path} does not exist, so there is nothing to compare with. It comes with the "
            "repository; to make your own results the reference: stagewise archive-reference."
        )
    hashes: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return hashes


def _compare_claim(name: str, ours: Judgement | None, theirs: Judgement | None) -> Comparison:
    if ours is None or theirs is None:
        where = "reference" if ours is None else "rebuild"
        return Comparison(name, "different", None, f"only in the {where}")
    if ours.verdict != theirs.verdict:
        return Comparison(name, "different", None, f"{theirs.verdict} became {ours.verdict}")
    if ours.measured is None or theirs.measured is None:
        return Comparison(name, TIERS[0], None)
    scale = max(abs(theirs.measured), 1e-300)
    deviation = abs(ours.measured - theirs.measured) / scale
    if deviation == 0:
        return Comparison(name, TIERS[0], 0.0)
    if deviation <= RTOL or abs(ours.measured - theirs.measured) <= ATOL:
        return Comparison(name, TIERS[1], deviation)
    low, high = theirs.interval or (theirs.measured, theirs.measured)
    if low <= ours.measured <= high:
        return Comparison(name, TIERS[2], deviation)
    detail = f"{ours.measured:.4g} is outside {low:.4g} – {high:.4g}"
    return Comparison(name, "different", deviation, detail)


def _compare_table(name: str, ours: pd.DataFrame, path: Path) -> Comparison:
    theirs = read_csv(path) if path.suffix == ".csv" else read_table(path).to_pandas()
    if list(ours.columns) != list(theirs.columns) or len(ours) != len(theirs):
        return Comparison(name, "different", None, "other rows or columns")
    numbers = ours.select_dtypes("number").columns
    texts = [column for column in ours.columns if column not in numbers]
    labels = [each[texts].astype("str").fillna("") for each in (ours, theirs)]
    if not labels[0].equals(labels[1]):
        return Comparison(name, "different", None, "other labels")
    mine, archived = (each[numbers].to_numpy(np.float64) for each in (ours, theirs))
    if (np.isnan(mine) != np.isnan(archived)).any():
        return Comparison(name, "different", None, "other missing values")
    gap = np.nan_to_num(np.abs(mine - archived))
    scale = np.nan_to_num(np.abs(archived))
    deviation = float((gap / np.maximum(scale, ATOL)).max())
    equal = bool((gap <= RTOL * scale + ATOL).all())
    return Comparison(name, TIERS[1] if equal else "different", deviation)


def _softened(output: Comparison, consistent: bool) -> Comparison:
    """An output that differs in its numbers only is consistent if everything it says agrees."""
    if output.tier != "different" or output.deviation is None or not consistent:
        return output
    return Comparison(output.name, TIERS[2], output.deviation, output.detail)
