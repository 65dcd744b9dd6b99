rule assumption:
    """How far the moments of each data set are from the theory's assumptions."""
    input:
        plan.assumption_moments(),
    output:
        plan.table_formats("assumption"),
    log:
        f"logs/{plan.results}/assumption.log",
    benchmark:
        f"logs/{plan.results}/assumption.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        random_completions=config["random_completions"],
        source=plan.digests["assumption"],
    message:
        "Table: assumption"
    script:
        "../../scripts/assumption.py"


rule learning_times_summary:
    """Measured and predicted learning times per experiment."""
    input:
        f"{plan.results}/learning_times.parquet",
    output:
        plan.table_formats("learning_times"),
    log:
        f"logs/{plan.results}/learning_times_summary.log",
    benchmark:
        f"logs/{plan.results}/learning_times_summary.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        source=plan.digests["learning_times_summary"],
    message:
        "Table: learning times"
    script:
        "../../scripts/learning_times_summary.py"


rule stage_counts_summary:
    """Stages counted per rank, depth and observed share."""
    input:
        f"{plan.results}/stages.parquet",
    output:
        plan.table_formats("stage_counts"),
    log:
        f"logs/{plan.results}/stage_counts_summary.log",
    benchmark:
        f"logs/{plan.results}/stage_counts_summary.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        source=plan.digests["stage_counts"],
    message:
        "Table: stage counts"
    script:
        "../../scripts/stage_counts.py"
