rule forecasts:
    """Learning times from the moments alone, for the experiments that ask for it."""
    input:
        plan.forecast_moments(),
    output:
        f"{plan.results}/forecasts.parquet",
    log:
        f"logs/{plan.results}/forecasts.log",
    benchmark:
        f"logs/{plan.results}/forecasts.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        experiments={
            name: config["experiments"][name] for name in plan.forecast_experiments()
        },
        source=plan.digests["forecasts"],
    message:
        "Forecasts of learning times"
    script:
        "../../scripts/forecasts.py"


rule learning_times:
    """When every mode of every run was learned, beside what the laws predict."""
    input:
        shards=plan.all_shards(),
        forecasts=f"{plan.results}/forecasts.parquet",
    output:
        f"{plan.results}/learning_times.parquet",
    log:
        f"logs/{plan.results}/learning_times.log",
    benchmark:
        f"logs/{plan.results}/learning_times.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        source=plan.digests["learning_times"],
    message:
        "Learning times of every run"
    script:
        "../../scripts/learning_times.py"


rule trajectory_summary:
    """Curves over training with their bands over seeds, beside the closed forms."""
    input:
        plan.summarised_shards(),
    output:
        f"{plan.results}/trajectory_summary.parquet",
    log:
        f"logs/{plan.results}/trajectory_summary.log",
    benchmark:
        f"logs/{plan.results}/trajectory_summary.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        experiments=plan.summarised_experiments(),
        source=plan.digests["trajectory_summary"],
    message:
        "Curves over training"
    script:
        "../../scripts/trajectory_summary.py"


rule stages:
    """Stages of escape from saddles, counted in the runs of the experiments that ask for it."""
    input:
        plan.staged_shards(),
    output:
        f"{plan.results}/stages.parquet",
    log:
        f"logs/{plan.results}/stages.log",
    benchmark:
        f"logs/{plan.results}/stages.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        source=plan.digests["stages"],
    message:
        "Stages of escape from saddles"
    script:
        "../../scripts/stages.py"


rule plateaus:
    """Curvature and nearest map of low rank where the runs of some experiments rest."""
    input:
        plan.plateau_moments(),
    output:
        f"{plan.results}/plateaus.parquet",
    log:
        f"logs/{plan.results}/plateaus.log",
    benchmark:
        f"logs/{plan.results}/plateaus.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        experiments={
            name: config["experiments"][name] for name in plan.plateau_experiments()
        },
        source=plan.digests["plateaus"],
    message:
        "Plateaus of training"
    script:
        "../../scripts/plateaus.py"
