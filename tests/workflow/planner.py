"""Dry runs of Snakemake, each in a fork of this process, which has imported it once.

Reads lines of JSON (folder, file for the output, arguments) and answers each with an exit code.
"""

import json
import os
import sys

from snakemake.cli import main

if __name__ == "__main__":
    for line in sys.stdin:
        folder, printed, arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.argv = ["snakemake", *arguments]
            try:
                main()
            except SystemExit as ended:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(ended.code if isinstance(ended.code, int) else 1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
