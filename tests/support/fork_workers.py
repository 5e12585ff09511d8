"""The pages' workers as forks of a process that has everything imported: a tenth of what it costs to start them.

A worker is still a process of its own, which runs the worker's program. `python -m support.fork_workers SOCKET` forks
one for each connection; the connection brings where its output goes, and its arguments.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from functools import cache
from pathlib import Path

_ASK = """
import json, socket, sys
ask = socket.socket(socket.AF_UNIX)
ask.connect(sys.argv[1])
socket.send_fds(ask, [json.dumps(sys.argv[2:]).encode()], [1, 2])
sys.exit(ask.recv(1) != b"0")
"""


@cache
def forking_worker() -> tuple[str, ...] | None:
    """Starts the process that forks; returns the command of a worker, None where nothing can be forked."""
    if not hasattr(os, "fork"):
        return None
    folder = tempfile.mkdtemp(prefix="musterroll-")
    path = Path(folder, "socket")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-m", "support.fork_workers", str(path)], env=environment)

    @atexit.register
    def end() -> None:
        process.terminate()
        process.wait()
        path.unlink(missing_ok=True)
        Path(folder).rmdir()

    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return sys.executable, "-I", "-S", "-c", _ASK, str(path)


def _serve(path: str) -> None:
    from musterroll_plugins.web.worker import main
    from support.fork_server import import_everything

    import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(16)
        Path(f"{path}.new").rename(path)
        while True:
            asking, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                words, outputs, _, _ = socket.recv_fds(asking, 65536, 2)
                for number, output in enumerate(outputs, 1):
                    os.dup2(output, number)
                    os.close(output)
                try:
                    main(*map(Path, json.loads(words)))
                    status = b"0"
                except BaseException:
                    traceback.print_exc()
                    status = b"1"
                sys.stderr.flush()
                asking.sendall(status)
                os._exit(0)
            asking.close()


if __name__ == "__main__":
    _serve(sys.argv[1])
