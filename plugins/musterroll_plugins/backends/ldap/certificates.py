"""Why no encrypted line to a server comes about: libldap does not say, so the handshake is made once more."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from urllib.parse import urlsplit

from musterroll_http import refused_handshake, untrusted

# An extended request with the name of StartTLS (RFC 4511, 4.14), as it goes over the line.
_START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"


def why_no_secure_line(server: str, authorities: str | None, timeout: float) -> str | None:
    """Says what is wrong with a server's certificate, or with its encryption.

    Args:
        server: its address.
        authorities: a file with those that are trusted; None for the usual ones.
        timeout: in seconds.

    Returns:
        None where it cannot be reached, or nothing is wrong with either.
    """
    parts = urlsplit(server)
    host = parts.hostname or ""
    port = parts.port or (636 if parts.scheme == "ldaps" else 389)
    place = f"{host}:{port}"
    try:
        with closing(socket.create_connection((host, port), timeout=timeout)) as plain:
            if parts.scheme == "ldap":
                plain.sendall(_START_TLS)
                if not plain.recv(4096):
                    return None
            context = ssl.create_default_context(cafile=authorities)
            with closing(context.wrap_socket(plain, server_hostname=host)):
                return None
    except ssl.SSLCertVerificationError as error:
        return untrusted(place, error)
    except ssl.SSLError as error:
        return refused_handshake(place, error.reason or "")
    except OSError:
        return None
