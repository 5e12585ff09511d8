"""Runs Samba in a network of its own, where ports 389 and 636 are free, and leads to it from two ports of this one.

    python samba_host.py FOLDER

The folder is that of a provisioned domain with its certificate. The ports are printed once Samba answers; Samba ends
with this program, which ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

_NEW_NETWORK = 0x40000000


def main() -> None:
    """Does it."""
    folder = Path(sys.argv[1])
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]  # of the network that we come from
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    tls = folder / "tls"
    command = ["samba", "-i", "--debug-stdout", "-M", "single", "-s", str(folder / "etc" / "smb.conf")]
    options = {
        "server services": "ldap",
        "pid directory": folder,
        "old password allowed period": 0,  # else the last password is good for an hour, as at Microsoft's
        "tls certfile": tls / "certificate.pem",
        "tls keyfile": tls / "key.pem",
        "tls cafile": tls / "certificate.pem",
    }
    words = [f"--option={name}={value}" for name, value in options.items()]
    with (folder / "samba.log").open("wb") as log:
        samba = subprocess.Popen([*command, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        for port in (389, 636):
            _wait_for(port, samba)
        for listener, port in zip(listening, (389, 636), strict=True):
            threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        print(*(listener.getsockname()[1] for listener in listening), samba.pid, flush=True)
        sys.stdin.read()
    finally:
        samba.kill()
        samba.wait()


def _wait_for(port: int, samba: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if samba.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("Samba does not start; see samba.log")


def _accept(listener: socket.socket, port: int) -> None:
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", port))
        except OSError:
            client.close()
            continue
        for ends in ((client, server), (server, client)):
            ends[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_forward, args=ends, daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
