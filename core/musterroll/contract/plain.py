"""The switch for whoever doubts the quick way."""

from __future__ import annotations

import os


def takes_plain_way() -> bool:
    """Whether everything is to be read and checked the plain way, row by row: `MUSTERROLL_PLAIN=1` says so."""
    return os.environ.get("MUSTERROLL_PLAIN") == "1"
