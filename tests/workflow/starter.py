"""Runs of Snakemake, each in a fork of this process, which has imported it once.

Reads lines of JSON (folder, file for the output, arguments, bytes that a file may have or null) and
answers each with an exit code.
"""

import json
import os
import resource
import sys

from snakemake.cli import main

if __name__ == "__main__":
    for line in sys.stdin:
        folder, printed, arguments, file_limit = json.loads(line)
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), file, file)):
                os.dup2(stream, number)
            if file_limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
            sys.argv = ["snakemake", *arguments]
            sys.exit(main())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
