rule simulate:
    """Train one shard of an experiment's runs and record them."""
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/trajectories/{{experiment}}/{{shard}}.parquet",
    log:
        f"logs/{plan.results}/simulate/{{experiment}}/{{shard}}.log",
    benchmark:
        f"logs/{plan.results}/simulate/{{experiment}}/{{shard}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        experiment=lambda wildcards: plan.simulation(wildcards.experiment),
        source=plan.digests["simulate"],
    message:
        "Training shard {wildcards.shard} of {wildcards.experiment}"
    script:
        "../../scripts/simulate.py"
