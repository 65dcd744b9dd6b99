rule learning_times:
    """When every mode of every run was learned, beside what the laws predict."""
    input:
        plan.all_shards(),
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
        source=plan.digests["statistics"],
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
        source=plan.digests["statistics"],
    message:
        "Curves over training"
    script:
        "../../scripts/trajectory_summary.py"
