"""Certificates of servers."""

from __future__ import annotations

import ssl
from pathlib import Path

from musterroll import NotifierError


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """Returns what certificates are checked with: the system's authorities, and those of a file.

    Raises:
        NotifierError: the file cannot be read.
    """
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            reason = "it holds no certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise NotifierError(f"the certificate file {ca} cannot be used: {reason}") from None
    return context


def untrusted(host: str, error: ssl.SSLCertVerificationError) -> str:
    """Says why a server's certificate is not trusted, and what to do."""
    why = getattr(error, "verify_message", "") or "it is not for this host"
    return (
        f"the certificate of {host} is not trusted: {why}; "
        "if it is of your own certificate authority, name that one's file in the option ca"
    )
