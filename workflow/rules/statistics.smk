rule forecasts:
    """Learning times of one experiment from the moments alone."""
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/forecasts/{{experiment}}.parquet",
    log:
        f"logs/{plan.results}/forecasts/{{experiment}}.log",
    benchmark:
        f"logs/{plan.results}/forecasts/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiment=lambda wildcards: plan.forecasting(wildcards.experiment),
        source=plan.digests["forecasts"],
    message:
        "Forecasts of {wildcards.experiment}"
    script:
        "../../scripts/forecasts.py"


rule references:
    """Held-out error of reduced-rank and ridge regression on the data of one experiment."""
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/references/{{experiment}}.parquet",
    log:
        f"logs/{plan.results}/references/{{experiment}}.log",
    benchmark:
        f"logs/{plan.results}/references/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiment=lambda wildcards: config["experiments"][wildcards.experiment],
        source=plan.digests["references"],
    message:
        "References of {wildcards.experiment}"
    script:
        "../../scripts/references.py"


rule teachers:
    """Theory of test and train error of the noisy teachers of one experiment."""
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/teachers/{{experiment}}.parquet",
    log:
        f"logs/{plan.results}/teachers/{{experiment}}.log",
    benchmark:
        f"logs/{plan.results}/teachers/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiment=lambda wildcards: config["experiments"][wildcards.experiment],
        source=plan.digests["teachers"],
    message:
        "Theory of the teachers of {wildcards.experiment}"
    script:
        "../../scripts/teachers.py"


rule statistics:
    """Learning times and stages of every run of one experiment, and its curves over training."""
    input:
        shards=lambda wildcards: plan.shards(wildcards.experiment),
        forecasts=lambda wildcards: plan.parts("forecasts", [wildcards.experiment]),
    output:
        times=f"{plan.results}/learning_times/{{experiment}}.parquet",
        summary=f"{plan.results}/trajectory_summary/{{experiment}}.parquet",
        stages=f"{plan.results}/stages/{{experiment}}.parquet",
    log:
        f"logs/{plan.results}/statistics/{{experiment}}.log",
    benchmark:
        f"logs/{plan.results}/statistics/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        asked_for=lambda wildcards: {
            name: config["experiments"][wildcards.experiment][name]
            for name in ("summarise", "stages")
        },
        source=plan.digests["statistics"],
    message:
        "Statistics of {wildcards.experiment}"
    script:
        "../../scripts/statistics.py"


rule plateaus:
    """Curvature and nearest map of low rank where the runs of one experiment rest."""
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/plateaus/{{experiment}}.parquet",
    log:
        f"logs/{plan.results}/plateaus/{{experiment}}.log",
    benchmark:
        f"logs/{plan.results}/plateaus/{{experiment}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        experiment=lambda wildcards: config["experiments"][wildcards.experiment],
        source=plan.digests["plateaus"],
    message:
        "Plateaus of {wildcards.experiment}"
    script:
        "../../scripts/plateaus.py"


rule aggregates:
    """One table of each kind for all experiments."""
    input:
        **{name: plan.parts(name) for name in AGGREGATES},
    output:
        **plan.aggregates(AGGREGATES),
    log:
        f"logs/{plan.results}/aggregates.log",
    benchmark:
        f"logs/{plan.results}/aggregates.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        source=plan.digests["aggregates"],
    message:
        "Aggregates of all experiments"
    script:
        "../../scripts/aggregates.py"
