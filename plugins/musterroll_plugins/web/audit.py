"""The audit log: who did what, and when. A line is added, none is ever changed."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

from musterroll_plugins.web.people import Who


class Audit:
    """JSON lines in a file of its owner's.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(
        self, who: Who | str, what: str, *, customer: str | None = None, about: str | None = None, address: str = ""
    ) -> None:
        """Adds a line.

        Args:
            who: the person or program; a name of somebody who was not let in, or nothing.
            what: the act, e.g. `upload`, `run`, `approve`, `sign-in refused`.
            customer: whose.
            about: the upload, the work or the job.
            address: where the request came from.
        """
        found = who if isinstance(who, Who) else Who(who)
        line = {
            "when": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "who": found.name,
            "is_program": found.is_program,
            "what": what,
            "customer": customer,
            "about": about,
            "address": address,
        }
        text = (json.dumps(line, ensure_ascii=True) + "\n").encode()
        target = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(target, text)  # in one piece, so that two writers never share a line
        finally:
            os.close(target)
