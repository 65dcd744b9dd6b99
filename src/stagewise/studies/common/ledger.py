"""Verdicts as JSON, as a table and as LaTeX macros."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from stagewise.errors import StagewiseError
from stagewise.store.files import write_text
from stagewise.store.formats import cell, escaped
from stagewise.studies.common.judging import Judgement, RivalOutcome, verdict_on
from stagewise.studies.common.registry import claims

_DIGITS = dict(
    zip(
        "0123456789",
        ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"),
        strict=True,
    )
)


def write_claims(judgements: Sequence[Judgement], path: Path) -> None:
    """`claims.json`: a list of verdicts."""
    rows = [asdict(each) for each in judgements]
    write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", path)


def read_claims(path: Path) -> list[Judgement]:
    """Verdicts as `write_claims` wrote them."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StagewiseError(f"{path} does not exist. Build it first: make reproduce.") from None
    except json.JSONDecodeError as error:
        raise StagewiseError(
            f"{path} is damaged ({error}). Delete it and run the same command again."
        ) from None
    return [_judgement(row) for row in rows]


def _judgement(row: dict[str, Any]) -> Judgement:
    changed = {
        "interval": row["interval"] and tuple(row["interval"]),
        "rival": tuple(RivalOutcome(**each) for each in row["rival"]),
        "experiments": tuple(row["experiments"]),
    }
    return Judgement(**{**row, **changed})


def gathered(paths: Sequence[Path]) -> list[Judgement]:
    """A verdict for every claim, by source and then in the order of the page.

    paths : verdicts of the studies that were run; claims of the others are "not run".
    """
    found = {each.id: each for path in paths for each in read_claims(path)}
    return [
        # A statement that only says the same in other words is not judged again.
        replace(found[claim.id], statement=claim.statement)
        if claim.id in found
        else verdict_on(claim, None)
        for claim in claims()
    ]


def claims_table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row a claim: verdict, statement, expected, measured, interval, figure."""
    return pd.DataFrame(
        [
            {
                "claim": each.id,
                "source": each.source,
                "statement": each.statement,
                "verdict": each.verdict,
                "expected": each.holds,
                "measured": cell(each.measured),
                "interval": interval_text(each),
                "figure": each.figure,
            }
            for each in judgements
        ]
    )


def interval_text(judgement: Judgement) -> str:
    """The interval as "low – high"; empty where nothing was measured."""
    if judgement.interval is None:
        return ""
    return " – ".join(cell(bound) for bound in judgement.interval)


def macros(judgements: Sequence[Judgement]) -> str:
    r"""`macros.tex`: \ClaimId, \ClaimIdLow, \ClaimIdHigh and \ClaimIdVerdict for every claim."""
    lines = []
    for each in judgements:
        name = "".join(part.capitalize() for part in each.id.split("_"))
        name = "Claim" + "".join(_DIGITS.get(mark, mark) for mark in name)
        low, high = each.interval or (None, None)
        values = {"": each.measured, "Low": low, "High": high, "Verdict": each.verdict}
        lines += [
            f"\\newcommand{{\\{name}{suffix}}}{{{escaped(cell(value)) or '--'}}}"
            for suffix, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def terminal_text(judgements: Sequence[Judgement], notice: str = "") -> str:
    """`verdicts.txt`: one line a claim for the terminal, then the counts and the run's notice."""
    lines = [
        f"{each.verdict:10}  {each.id:26}  {cell(each.measured):>9}  (expected {each.holds})"
        for each in judgements
    ]
    counts = Counter(each.verdict for each in judgements)
    total = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return "\n".join([*lines, total, *([notice] if notice else [])]) + "\n"
