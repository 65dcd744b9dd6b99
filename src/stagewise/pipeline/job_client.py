"""Has the server run the script of a job; runs as a file, `job_client.py NAME SCRIPT`.

It imports little, because every job starts with it. Where no server answers it becomes the plain
interpreter: a job owes the server nothing but its speed.
"""

import os
import signal
import socket
import sys


def main(name: str, script: str) -> int:
    """Exit code of the script, which has the standard streams of this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the script is interrupted too, and says so
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect(f"\0{name}")
        socket.send_fds(link, [os.fsencode(script)], [0, 1, 2])
    except OSError:
        os.execv(sys.executable, [sys.executable, script])
    answer = link.recv(1)
    if not answer:
        print("The process of this job was killed, perhaps for want of memory.", file=sys.stderr)
        return 137
    return answer[0]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
