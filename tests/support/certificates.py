"""Certificates of a certificate authority of our own, by openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.programs import do_without


@dataclass(frozen=True)
class Certificate:
    """A certificate that vouches for itself."""

    path: Path
    key: Path

    @property
    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.path, self.key)
        return context


def make_certificate(folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> Certificate:
    """Makes one for this machine or others, or skips the test where openssl is not installed."""
    if shutil.which("openssl") is None:
        do_without("openssl is not installed")
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
    more = [f"subjectAltName={names}", "-keyout", str(certificate.key)]
    subprocess.run([*command.split(), *more, "-out", str(certificate.path)], check=True, capture_output=True)
    return certificate
