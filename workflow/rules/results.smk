use rule job as joined with:
    input:
        **{kind: plan.parts(kind) for kind in plan.joined()},
    output:
        **plan.joined(),
    log:
        f"{plan.logs}/joined.log",
    params:
        script="joined",
        source=plan.source("joined"),
    message:
        "Tables of all experiments"


use rule job as table with:
    input:
        lambda wildcards: plan.table_inputs(wildcards.table),
    output:
        plan.table_formats("{table}"),
    log:
        f"{plan.logs}/table/{{table}}.log",
    params:
        script="table",
        module=lambda wildcards: f"stagewise.tables.{wildcards.table}",
        source=lambda wildcards: plan.source(
            "table", f"stagewise.tables.{wildcards.table}"
        ),
    message:
        "Table {wildcards.table}"


use rule job as study with:
    input:
        lambda wildcards: plan.study_files(wildcards.study),
    output:
        pdf=f"{plan.figures}/{{study}}.pdf",
        png=report(
            f"{plan.figures}/{{study}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{study}"},
        ),
        sidecar=f"{plan.figures}/{{study}}.json",
        verdicts=f"{plan.results}/verdicts/{{study}}.json",
    log:
        f"{plan.logs}/study/{{study}}.log",
    params:
        script="study",
        experiments=lambda wildcards: plan.experiments_of(
            plan.study_reads(wildcards.study)
        ),
        config=lambda wildcards: plan.study_config(wildcards.study),
        source=lambda wildcards: plan.source(
            "study", f"stagewise.studies.{wildcards.study}"
        ),
    message:
        "Study {wildcards.study}"


use rule job as verdict with:
    input:
        lambda wildcards: plan.table_paths(plan.verdict_reads(wildcards.name)),
    output:
        f"{plan.results}/verdicts/{{name}}.json",
    log:
        f"{plan.logs}/verdict/{{name}}.log",
    params:
        script="verdict",
        experiments=lambda wildcards: plan.experiments_of(
            plan.verdict_reads(wildcards.name)
        ),
        study=lambda wildcards: plan.study_of(wildcards.name),
        claims=lambda wildcards: plan.statements(wildcards.name),
        source=lambda wildcards: plan.source(
            "verdict", f"stagewise.studies.{plan.study_of(wildcards.name)}"
        ),
    message:
        "Verdict on {wildcards.name}"


use rule job as verdicts with:
    input:
        [plan.verdict(study) for study in plan.judged],
    output:
        json=f"{plan.results}/claims.json",
        text=f"{plan.results}/verdicts.txt",
        macros=f"{plan.results}/macros.tex",
    log:
        f"{plan.logs}/verdicts.log",
    params:
        script="claims",
        notice=plan.config.notice,
        statements=plan.statements(),
        source=plan.source("claims"),
    message:
        "Verdicts"


use rule job as page with:
    input:
        claims=f"{plan.results}/claims.json",
        figures=[path for path in plan.figure_files() if path.endswith(".png")],
        sidecars=[plan.sidecar(study) for study in plan.studies],
        tables=[path for path in plan.table_files() if path.endswith(".csv")],
        aggregates=list(plan.joined().values()),
    output:
        html=f"{plan.figures}/index.html",
        provenance=f"{plan.results}/provenance.json",
    log:
        f"{plan.logs}/page.log",
    params:
        script="page",
        captions=lambda wildcards: [each.caption for each in plan.studies.values()],
        titles=[each.title for each in plan.studies.values()],
        questions=[each.question for each in plan.studies.values()],
        alts=[each.alt for each in plan.studies.values()],
        config=plan.plain_config,
        source=plan.source("page"),
    message:
        "Page"
