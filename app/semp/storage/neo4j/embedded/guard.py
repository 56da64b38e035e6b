"""Stands between the service and Java, so that Java never outlives the service, not even after ``kill -9``.

Run as ``python -I -S guard.py --for-service=PID GRACE_SECONDS COMMAND...`` with a pipe as stdin whose write end only the
service holds. PID says to other starts whose this is.
End of file on stdin (or SIGTERM) stops the command: SIGTERM, and SIGKILL after the grace time. When the command ends,
by itself or not, the guard exits with its status (128 + signal number when a signal ended it).

Standard library only, plain POSIX: it must start fast and work on Linux and macOS.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType


def main(arguments: list[str]) -> int:
    """Run the command and return the status to exit with."""
    grace, command = float(arguments[1]), arguments[2:]
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - running its command is its purpose

    def watch_service() -> None:
        while os.read(0, 4096):
            pass
        stopping.set()

    def stop_when_asked() -> None:
        stopping.wait()
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            child.kill()

    for work in (watch_service, stop_when_asked):
        threading.Thread(target=work, daemon=True).start()
    status = child.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Threads that block in read or wait must not delay the exit.
    os._exit(code)
