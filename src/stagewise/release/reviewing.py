"""What a reviewer asks before and after a run: what it will cost, and what each claim says."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stagewise.planning.costs import Estimate, duration, elapsed
from stagewise.planning.plan import Plan
from stagewise.store.formats import cell
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import read_claims
from stagewise.studies.common.registry import ClaimOutline


def claim_seconds(plan: Plan, claim: ClaimOutline, costs: pd.DataFrame) -> float | None:
    """Seconds of one core that building one claim by itself takes; None where that is not known."""
    sections = plan.config.experiments
    read = {Path(path).stem for path in plan.table_paths(claim.reads)}
    experiments = [name for name in sections if name in read]
    datasets = {each for name in experiments for each in sections[name].datasets}
    steps = {
        f"{'from_moments/plateaus' if sections[name].plateaus else 'simulate'}/{name}"
        for name in experiments
    }
    steps |= {f"training/{name}" for name in plan.config.training if name in read}
    if any(table.kind == "assumption" for table in claim.reads):
        datasets |= set(plan.config.assumption)
        steps.add("table/assumption")
    steps |= {f"moments/{name}" for name in datasets}
    known = costs[costs["step"].isin(steps)]
    return float(known["seconds"].sum()) if len(known) == len(steps) else None


def read_by(claim: ClaimOutline) -> str:
    """What a claim reads: its experiments, or the table that is not of experiments."""
    kinds = (table.kind for table in claim.reads if not table.experiments)
    return ", ".join(dict.fromkeys([*claim.experiments, *kinds]))


def present_verdicts(results: Path) -> dict[str, Judgement]:
    """Verdicts built so far by id, of the whole run or of single claims."""
    files = sorted((results / "verdicts").rglob("*.json"))
    whole = results / "claims.json"
    found = [each for path in files for each in read_claims(path)]
    found += read_claims(whole) if whole.is_file() else []
    return {each.id: each for each in found}


def claims_text(plan: Plan, costs: pd.DataFrame, root: Path = Path()) -> str:
    """What `stagewise claims` prints: a line a claim with verdict, figure, experiments, cost."""
    present = present_verdicts(root / plan.results)
    rows = [("verdict", "claim", "measured", "figure", "experiments", "cost")]
    for claim in plan.claims.values():
        each = present.get(claim.id)
        seconds = claim_seconds(plan, claim, costs)
        rows.append(
            (
                each.verdict if each else "not built",
                claim.id,
                cell(each.measured) if each else "",
                plan.study_of(claim.id),
                read_by(claim),
                "" if seconds is None else duration(seconds),
            )
        )
    return (
        f"{aligned(rows)}\n\nOne claim and only what it needs: snakemake --cores all "
        f"{next(iter(plan.claims))}. The cost is that of one core with nothing built yet."
    )


def estimate_text(estimated: Sequence[Estimate], cores: int) -> str:
    """What `stagewise estimate` prints: jobs, time, disk and memory of what is not built yet."""
    if not estimated:
        return "Nothing is left to do."
    rows = [("step", "jobs", "work", "disk", "memory of a job")]
    rows += [
        (
            each.step,
            str(each.jobs),
            duration(each.seconds) + ("?" if each.guessed else ""),
            f"{each.megabytes:.1f} MB",
            f"{each.memory_mb:.0f} MB",
        )
        for each in estimated
    ]
    lines = [
        aligned(rows),
        "",
        f"About {duration(elapsed(estimated, cores))} on {cores} core{'s' * (cores > 1)}, "
        f"{sum(each.megabytes for each in estimated):.0f} MB of disk, "
        f"{sum(each.jobs for each in estimated)} jobs.",
    ]
    if any(each.guessed for each in estimated):
        lines.append("? this step was never run: similar ones stand in.")
    return "\n".join(lines)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns of equal width."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
