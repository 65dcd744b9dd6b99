rule figure:
    """Draw one figure from the aggregates it reads."""
    input:
        unpack(lambda wildcards: plan.figure_aggregates(wildcards.figure)),
    output:
        pdf=f"{plan.figures}/{{figure}}.pdf",
        png=report(
            f"{plan.figures}/{{figure}}.png",
            caption="../report/{figure}.rst",
            category="Figures",
        ),
    log:
        f"logs/{plan.results}/figures/{{figure}}.log",
    benchmark:
        f"logs/{plan.results}/figures/{{figure}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        source=lambda wildcards: plan.digests[f"figure.{wildcards.figure}"],
    message:
        "Figure {wildcards.figure}"
    script:
        "../../scripts/figure.py"
