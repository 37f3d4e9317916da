"""The program of a worker: ``python -m wellposed.coding.processes.serve``."""

import os
import signal
import sys

from .job import Job
from .messages import DONE, FAILED, HELLO, receive, send


def main() -> None:
    """Answer requests until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks decides
    asked = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no answer
    try:
        job = Job.from_bytes(bytes(receive(asked)), bytes(receive(asked)))
        answers.write(HELLO)
        answers.flush()
        while True:
            request = receive(asked)
            try:
                send(answers, DONE, *job(request))
            # The process that asks does the block again, and raises what this raised.
            except Exception:
                send(answers, FAILED)
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
