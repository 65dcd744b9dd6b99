use rule job as moments with:
    input:
        lambda wildcards: plan.data_files(wildcards.dataset),
    output:
        f"{plan.results}/moments/{{dataset}}.npz",
    log:
        f"{plan.logs}/moments/{{dataset}}.log",
    params:
        script="moments",
        spec=lambda wildcards: plan.plain_config["datasets"][wildcards.dataset],
        data_dir=plan.config.data_dir,
        source=lambda wildcards: plan.source("moments", dataset=wildcards.dataset),
    message:
        "Moments of the data set {wildcards.dataset}"


use rule job as simulate with:
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/trajectories/{{experiment}}/{{shard}}.parquet",
    log:
        f"{plan.logs}/simulate/{{experiment}}/{{shard}}.log",
    params:
        script="simulate",
        experiment=lambda wildcards: plan.section(wildcards.experiment, "simulate"),
        source=lambda wildcards: plan.source(
            "simulate", experiment=wildcards.experiment
        ),
    message:
        "Training shard {wildcards.shard} of {wildcards.experiment}"


use rule job as training with:
    output:
        f"{plan.results}/training/{{experiment}}.parquet",
    log:
        f"{plan.logs}/training/{{experiment}}.log",
    params:
        script="train_on_data",
        experiment=lambda wildcards: plan.plain_config["training"][wildcards.experiment],
        data_dir=plan.config.data_dir,
        source=lambda wildcards: plan.training_source(wildcards.experiment),
    message:
        "Training {wildcards.experiment}"


use rule job as from_moments with:
    input:
        lambda wildcards: plan.moments_of(wildcards.experiment),
    output:
        f"{plan.results}/{{kind}}/{{experiment}}.parquet",
    log:
        f"{plan.logs}/from_moments/{{kind}}/{{experiment}}.log",
    params:
        script="from_moments",
        module=lambda wildcards: f"stagewise.pipeline.{wildcards.kind}",
        experiment=lambda wildcards: plan.section(wildcards.experiment, wildcards.kind),
        source=lambda wildcards: plan.source(
            "from_moments",
            f"stagewise.pipeline.{wildcards.kind}",
            experiment=wildcards.experiment,
        ),
    message:
        "{wildcards.kind} of {wildcards.experiment}"


use rule job as statistics with:
    input:
        shards=lambda wildcards: plan.shards(wildcards.experiment),
        forecasts=lambda wildcards: plan.forecasts_of(wildcards.experiment),
    output:
        times=f"{plan.results}/learning_times/{{experiment}}.parquet",
        summary=f"{plan.results}/trajectory_summary/{{experiment}}.parquet",
        stages=f"{plan.results}/stages/{{experiment}}.parquet",
    log:
        f"{plan.logs}/statistics/{{experiment}}.log",
    params:
        script="statistics",
        asked_for=lambda wildcards: {
            name: plan.section(wildcards.experiment)[name]
            for name in ("summarise", "stages")
        },
        source=plan.source("statistics"),
    message:
        "Statistics of {wildcards.experiment}"
