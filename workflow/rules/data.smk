rule moments:
    """Second moments of one data set, synthetic or real."""
    input:
        lambda wildcards: plan.data_files(wildcards.dataset),
    output:
        f"{plan.results}/moments/{{dataset}}.npz",
    log:
        f"logs/{plan.results}/moments/{{dataset}}.log",
    benchmark:
        f"logs/{plan.results}/moments/{{dataset}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        spec=lambda wildcards: config["datasets"][wildcards.dataset],
        data_dir=config["data_dir"],
        source=plan.digests["moments"],
    message:
        "Moments of the data set {wildcards.dataset}"
    script:
        "../../scripts/moments.py"
