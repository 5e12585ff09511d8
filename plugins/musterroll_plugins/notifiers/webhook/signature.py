"""Proves to the receiver that a request is ours, and not an old one: `Musterroll-Signature: t=…,v1=…`.

`t` is the time of sending in seconds since 1970, `v1` the HMAC with SHA-256, in hexadecimal, of that number, a dot
and the body. docs/invites.md says how a receiver checks it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from musterroll import Secret

HEADER = "Musterroll-Signature"


def signature(secret: Secret, body: bytes, now: dt.datetime) -> str:
    """Returns the header's value.

    Args:
        secret: what both sides know.
        body: as it goes over the line.
        now: the time.
    """
    seconds = int(now.timestamp())
    digest = hmac.new(secret.reveal().encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
