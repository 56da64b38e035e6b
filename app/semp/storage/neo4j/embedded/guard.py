"""A process between the service and Java. It stops Java when the service has ended, even after ``kill -9``.

Run as ``python -I -S guard.py --for-service=PID GRACE_SECONDS COMMAND...``. Its stdin is a pipe; only the service holds the write end.
PID is the service; other starts on the same home read it from this command line.

End of file on stdin, or SIGTERM to the guard, stops the command: with SIGTERM, and with SIGKILL after the grace time. When the command
has ended, for whatever reason, the guard exits with its status: 128 + signal number if a signal ended it.

It uses only the standard library and POSIX, so that it starts fast and works on Linux and macOS.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType


def main(arguments: list[str]) -> int:
    """Run the command until it ends.

    Args:
        arguments: those of the command line, without the name of the script.

    Returns:
        The status to exit with.
    """
    grace, command = float(arguments[1]), arguments[2:]
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - its purpose is to run this command

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
    # An ordinary exit would wait for the threads that block in read or wait.
    os._exit(code)
