"""Rule judge_one_claim: the verdict on one claim, from the runs that it reads."""

from pathlib import Path

from stagewise.claims.tables import write_claims
from stagewise.config import Experiment
from stagewise.pipeline.one_claim import Evidence, judge_alone
from stagewise.pipeline.rule import logged

with logged(snakemake):
    shards = {name: [] for name in snakemake.params.experiments}
    for path in map(Path, snakemake.input.shards):
        shards[path.parent.name].append(path)
    evidence = Evidence(
        shards=shards,
        summarised=snakemake.params.summarised,
        forecasting={
            name: Experiment.model_validate(each)
            for name, each in snakemake.params.forecasting.items()
        },
        moments={Path(path).stem: Path(path) for path in snakemake.input.moments},
        tables={Path(path).stem: Path(path) for path in snakemake.input.tables},
    )
    verdict = judge_alone(snakemake.wildcards.claim, evidence)
    write_claims([verdict], Path(snakemake.output[0]))
