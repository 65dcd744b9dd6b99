rule study:
    """The figure of one study and the verdicts on its claims."""
    input:
        lambda wildcards: plan.study_files(wildcards.study),
    output:
        pdf=f"{plan.figures}/{{study}}.pdf",
        png=report(
            f"{plan.figures}/{{study}}.png",
            caption="../report/study.rst",
            category="Figures",
            labels={"figure": "{study}"},
        ),
        sidecar=f"{plan.figures}/{{study}}.json",
        verdicts=f"{plan.results}/verdicts/studies/{{study}}.json",
    log:
        f"logs/{plan.results}/studies/{{study}}.log",
    benchmark:
        f"logs/{plan.results}/studies/{{study}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        results=plan.results,
        experiments=plan.sections,
        config=lambda wildcards: plan.study_config(wildcards.study),
        caption=lambda wildcards: plan.caption(wildcards.study),
        source=lambda wildcards: plan.digests[f"study.{wildcards.study}"],
    message:
        "Study {wildcards.study}"
    script:
        "../../scripts/study.py"


rule verdict:
    """The verdict on one claim, from the tables of the experiments that it reads."""
    input:
        lambda wildcards: plan.table_paths(plan.claims[wildcards.claim].reads),
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
        results=plan.results,
        experiments=plan.sections,
        source=lambda wildcards: plan.digests[f"study.{plan.study_of(wildcards.claim)}"],
    message:
        "Verdict on {wildcards.claim}"
    script:
        "../../scripts/verdict.py"


rule judge_claims:
    """A verdict with a measured number for every claim, gathered from the studies."""
    input:
        [plan.study_verdicts(name) for name in plan.studies],
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


# The id of a claim and the name of a figure are targets: `snakemake --cores 1 gidel_overshoot`.
for name, files in plan.targets.items():

    rule:
        name:
            name
        input:
            files,
        localrule: True


rule index:
    """The one page to read: verdicts, figures, configuration, provenance."""
    input:
        claims=f"{plan.results}/claims.json",
        figures=[path for path in plan.figure_files() if path.endswith(".png")],
        sidecars=[plan.sidecar(name) for name in plan.studies],
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
        captions=[plan.caption(name) for name in plan.studies],
        titles=[each.title for each in plan.studies.values()],
        source=plan.digests["index"],
    message:
        "Index page"
    script:
        "../../scripts/index.py"
