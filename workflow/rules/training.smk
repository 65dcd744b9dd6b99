rule train_on_data:
    """Runs of one experiment on samples, or under other update rules, beside their laws."""
    output:
        f"{plan.results}/training/{{training}}.parquet",
    log:
        f"logs/{plan.results}/training/{{training}}.log",
    benchmark:
        f"logs/{plan.results}/training/{{training}}.tsv"
    wildcard_constraints:
        training=r"\w+",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        experiment=lambda wildcards: config["training"][wildcards.training],
        data_dir=config["data_dir"],
        source=plan.digests["train_on_data"],
    message:
        "Training {wildcards.training}"
    script:
        "../../scripts/train_on_data.py"
