# What all rules share. Each of them uses this one with its own files and parameters, and
# params.script names its script.
rule job:
    log:
        "logs/job.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        script="",
    script:
        "../../scripts/{params.script}.py"
