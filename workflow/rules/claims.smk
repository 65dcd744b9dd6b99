rule judge_claims:
    """A verdict with a measured number for every claim."""
    input:
        **plan.aggregates(
            (
                "learning_times",
                "trajectory_summary",
                "assumption",
                "references",
                "teachers",
                "stages",
                "plateaus",
            )
        ),
    output:
        json=f"{plan.results}/claims.json",
        text=f"{plan.results}/verdicts.txt",
        macros=f"{plan.results}/macros.tex",
        tables=plan.table_formats("claims"),
    log:
        f"logs/{plan.results}/claims.log",
    benchmark:
        f"logs/{plan.results}/claims.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        notice=config["notice"],
        source=plan.digests["claims"],
    message:
        "Verdicts"
    script:
        "../../scripts/claims.py"


rule judge_one_claim:
    """The verdict on one claim, from the tables of the experiments that it reads."""
    input:
        lambda wildcards: [
            path
            for paths in targets[wildcards.claim].tables.values()
            for path in paths
        ],
    output:
        f"{plan.results}/verdicts/{{claim}}.json",
    log:
        f"logs/{plan.results}/verdicts/{{claim}}.log",
    benchmark:
        f"logs/{plan.results}/verdicts/{{claim}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        tables=lambda wildcards: targets[wildcards.claim].tables,
        source=plan.digests["claim"],
    message:
        "Verdict on {wildcards.claim}"
    script:
        "../../scripts/claim.py"


# The id of a claim is a target: `snakemake --cores 1 gidel_overshoot`.
for claim, target in targets.items():

    rule:
        name:
            claim
        input:
            target.verdict,
        localrule: True


rule index:
    """The one page to read: verdicts, figures, configuration, provenance."""
    input:
        claims=f"{plan.results}/claims.json",
        figures=[path for path in plan.figure_files() if path.endswith(".png")],
        sidecars=[plan.sidecar(name) for name in plan.config.figures],
        captions=[f"workflow/report/{name}.rst" for name in plan.config.figures],
        tables=[path for path in plan.table_files() if path.endswith(".csv")],
        aggregates=list(
            plan.aggregates(
                ("learning_times", "trajectory_summary", "stages", "plateaus")
            ).values()
        ),
    output:
        html=f"{plan.figures}/index.html",
        provenance=f"{plan.results}/provenance.json",
    log:
        f"logs/{plan.results}/index.log",
    benchmark:
        f"logs/{plan.results}/index.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        config=plan.plain_config,
        source=plan.digests["index"],
    message:
        "Index page"
    script:
        "../../scripts/index.py"
