"""Whether a rebuild agrees with the archived reference, and how closely.

Tiers: "bit-identical", the canonical hashes agree; "equal within rtol", the same rows and labels, and
numbers equal to `RTOL` (another processor rounds differently): learning times row by row, the rest by
their summaries per column and experiment, as a reference with every row would be 10 MB in git; "statistically consistent", the verdicts
agree and every claim's value lies in the interval archived with it; else "different". What a run adds
by data sets that the reference lacks is left out.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.planning.plan import AGGREGATES
from stagewise.release.fingerprints import (
    STATISTICS,
    digest_of_labels,
    digest_of_rows,
    summary,
)
from stagewise.store.files import write_text
from stagewise.store.formats import read_csv
from stagewise.store.parquet import canonical_hash, read_table, write_table
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import read_claims
from stagewise.studies.common.registry import claims as every_claim

BY_ROW = "learning_times"
ROW = ("experiment", "run", "mode", "learning_iteration")
"""Columns that are kept row by row, of the table from which most claims are measured."""
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
    left_out: tuple[str, ...] = ()
    """Claims that read data sets which the reference lacks."""

    @property
    def passed(self) -> bool:
        """Whether everything met at least the last tier that counts as agreement."""
        return all(each.tier != "different" for each in self.outputs + self.claims)


def verify(results: Path, reference: Path) -> Verification:
    """Compare a run's results with the reference archived by `archive`."""
    kept = _kept(reference)
    ours = {each.id: each for each in read_claims(results / "claims.json")}
    theirs = {each.id: each for each in read_claims(reference / "claims.json")}
    summaries = read_csv(reference / "summaries.csv")
    outputs, other = [], set[str]()
    for name in dict.fromkeys([*_tables(results), *kept]):
        path = results / f"{name}.parquet"
        if name in kept and path.is_file():
            table, more = _shared(read_table(path), kept[name].get("datasets"))
            other |= more
            outputs.append(_compare_table(name, table, kept[name], summaries, reference))
        else:
            where = "rebuild" if path.is_file() else "reference"
            outputs.append(Comparison(name, "different", None, f"only in the {where}"))
    assumption, more_rows = _compare_assumption(results / "tables", reference)
    outputs.append(assumption)
    left_out = _reading(other, more_rows)
    claims = [
        _compare_claim(name, ours.get(name), theirs.get(name))
        for name in theirs | ours
        if name not in left_out
    ]
    consistent = all(each.tier != "different" for each in claims)
    return Verification([_softened(each, consistent) for each in outputs], claims, left_out)


def _compare_assumption(tables: Path, reference: Path) -> tuple[Comparison, bool]:
    """The table of assumptions, and whether it has data sets that the reference lacks."""
    rows, archived = (read_csv(folder / "assumption.csv") for folder in (tables, reference))
    shared = rows[rows["dataset"].isin(archived["dataset"])].reset_index(drop=True)
    if shared.equals(archived):
        return Comparison("assumption", TIERS[0], 0.0), len(shared) < len(rows)
    return _by_row("assumption", shared, archived), len(shared) < len(rows)


def _shared(table: pa.Table, datasets: list[str] | None) -> tuple[pa.Table, set[str]]:
    """The rows of these data sets (None: all), and the experiments that have others."""
    if datasets is None or "dataset" not in table.column_names:
        return table, set()
    mine = pc.is_in(table["dataset"].cast(pa.string()), pa.array(datasets, pa.string()))
    return table.filter(mine), set(table.filter(pc.invert(mine))["experiment"].to_pylist())


def _reading(experiments: set[str], assumption: bool) -> tuple[str, ...]:
    """Claims that read one of these experiments, or the table of assumptions."""
    if not experiments and not assumption:
        return ()
    return tuple(
        claim.id
        for claim in every_claim()
        if experiments & set(claim.experiments)
        or (assumption and any(table.kind == "assumption" for table in claim.reads))
    )


def archive(results: Path, reference: Path, by_row: bool = True) -> None:
    """Make a run's results the reference: claims, learning times, summaries and digests of the rest.

    by_row : whether to keep learning times row by row, most of a reference's size.
    """
    reference.mkdir(exist_ok=True, parents=True)
    read_claims(results / "claims.json")
    shutil.copyfile(results / "claims.json", reference / "claims.json")
    shutil.copyfile(results / "tables" / "assumption.csv", reference / "assumption.csv")
    kept: dict[str, dict[str, Any]] = {}
    summaries = []
    for name in _tables(results):
        table = read_table(results / f"{name}.parquet")
        frame = table.to_pandas()
        kept[name] = {
            "hash": canonical_hash(table),
            "rows": digest_of_rows(frame),
            "labels": digest_of_labels(frame),
        }
        if "dataset" in frame:
            kept[name]["datasets"] = sorted(set(frame["dataset"]))
        summaries.append(summary(name, frame))
        if name == BY_ROW and by_row:
            times = table.select(list(ROW))
            write_table(times, reference / f"{name}.parquet")
    # More digits than `RTOL` can tell apart would double the file.
    text = pd.concat(summaries).to_csv(index=False, lineterminator="\n", float_format="%.9g")
    write_text(text, reference / "summaries.csv")
    write_text(json.dumps(kept, indent=2) + "\n", reference / "hashes.json")


def report(outcome: Verification, reference: Path = Path("reference")) -> str:
    """What `make verify` prints."""
    lines = [f"Outputs against {reference}/:"]
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
    if outcome.left_out:
        listed = ", ".join(outcome.left_out)
        lines.append(f"Not compared, as they read data sets that the reference lacks: {listed}.")
    if not outcome.passed:
        lines.append("The rebuild disagrees with the reference.")
    return "\n".join(lines)


def _line(each: Comparison) -> str:
    deviation = "" if each.deviation is None else f"  deviation {each.deviation:.2g}"
    return f"  {each.name:28} {each.tier:26}{deviation}{'  ' + each.detail if each.detail else ''}"


def _tables(results: Path) -> list[str]:
    """Tables of a run: those joined over experiments, and of every experiment that trains on samples."""
    trained = sorted(path.stem for path in results.glob("training/*.parquet"))
    return [*AGGREGATES, *(f"training/{name}" for name in trained)]


def _kept(reference: Path) -> dict[str, dict[str, Any]]:
    path = reference / "hashes.json"
    if not path.is_file():
        raise StagewiseError(
            f"{path} does not exist, so there is nothing to compare with. It comes with the "
            "repository; to make your own results the reference: stagewise archive-reference."
        )
    kept: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


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


def _compare_table(
    name: str, table: pa.Table, kept: dict[str, Any], summaries: pd.DataFrame, reference: Path
) -> Comparison:
    if canonical_hash(table) == kept.get("hash"):
        return Comparison(name, TIERS[0], 0.0)
    frame = table.to_pandas()
    if digest_of_rows(frame) != kept.get("rows"):
        return Comparison(name, "different", None, "other rows, columns or labels")
    found = [_by_statistic(name, summary(name, frame), summaries[summaries["table"] == name])]
    archived = reference / f"{name}.parquet"
    if name == BY_ROW and archived.is_file():
        theirs = read_table(archived)
        rows = table.select(theirs.column_names).to_pandas(), theirs.to_pandas()
        found.append(_by_row(name, *rows))
    if digest_of_labels(frame) != kept.get("labels"):
        deviation = max(each.deviation or 0.0 for each in found)
        found.append(Comparison(name, "different", deviation, "other outcomes or missing values"))
    return max(found, key=lambda each: (TIERS.index(each.tier), each.deviation or 0.0))


def _by_statistic(name: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Comparison:
    mine, archived = (
        each[list(STATISTICS)].to_numpy(np.float64)
        for each in (ours, theirs.reset_index(drop=True))
    )
    if mine.shape != archived.shape:
        return Comparison(name, "different", None, "other columns or experiments")
    # A mean may be far smaller than what it is the mean of.
    scale = archived[:, [STATISTICS.index("magnitude")]]
    return _numbers(name, mine, archived, np.maximum(np.abs(archived), scale))


def _by_row(name: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Comparison:
    if list(ours.columns) != list(theirs.columns) or len(ours) != len(theirs):
        return Comparison(name, "different", None, "other rows or columns")
    mine, archived = (each.select_dtypes("number").to_numpy(np.float64) for each in (ours, theirs))
    return _numbers(name, mine, archived, np.abs(archived))


def _numbers(name: str, mine: FloatArray, archived: FloatArray, scale: FloatArray) -> Comparison:
    gap, scale = np.nan_to_num(np.abs(mine - archived)), np.nan_to_num(scale)
    deviation = float((gap / np.maximum(scale, ATOL)).max(initial=0.0))
    equal = bool((gap <= RTOL * scale + ATOL).all())
    return Comparison(name, TIERS[1] if equal else "different", deviation)


def _softened(output: Comparison, consistent: bool) -> Comparison:
    """An output that differs in its numbers only is consistent if everything it says agrees."""
    if output.tier != "different" or output.deviation is None or not consistent:
        return output
    return Comparison(output.name, TIERS[2], output.deviation, output.detail)
