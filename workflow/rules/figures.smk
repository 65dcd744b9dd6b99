# One rule a figure: each reads its own aggregates and has its own caption in the report. It has
# the figure's name, which is therefore a target: `snakemake --cores 1 step_size`.
for figure in plan.config.figures:

    rule:
        name:
            figure
        input:
            **plan.figure_aggregates(figure),
        output:
            pdf=f"{plan.figures}/{figure}.pdf",
            png=report(
                f"{plan.figures}/{figure}.png",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels={"figure": figure.replace("_", " ")},
            ),
            sidecar=plan.sidecar(figure),
        log:
            f"logs/{plan.results}/figures/{figure}.log",
        benchmark:
            f"logs/{plan.results}/figures/{figure}.tsv"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            module=f"stagewise.figures.{figure}",
            config=plan.figure_config(figure),
            source=plan.digests[f"figure.{figure}"],
        message:
            f"Figure {figure}"
        script:
            "../../scripts/figure.py"
