"""What tests saw of real counterparts, for the page docs/tested-against.md.

Where MUSTERROLL_EVIDENCE names a folder, every process writes a file of its own there, a line of JSON for each thing
seen. `docs/tested_against.py` makes the page of them. A test says what it saw after it has asserted it:

    seen = Counterpart("ldap", "OpenLDAP", "2.5.13")
    seen.quirk("shows 100 entries at the most to whoever does not ask for pages")

A module, or a class of tests, whose tests are to be counted has a `COUNTERPART`, the backend and the product.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from musterroll import Capabilities

_FOLDER = "MUSTERROLL_EVIDENCE"
_CAN: Mapping[str, str] = {
    "groups": "groups",
    "nested_groups": "groups inside groups",
    "passwords": "passwords",
    "reset_passwords": "passwords of existing users",
    "deactivate": "deactivating",
    "delete": "deleting",
    "rename": "renaming",
    "unique_email": "addresses that belong to one user only",
    "stores_key": "a mark of ours, by which users are known after a crash",
    "invite": "invites of its own",
}


@dataclass(frozen=True)
class Counterpart:
    """A product that a backend was tested against.

    Attributes:
        backend: the backend, as a pipeline names it.
        product: what it is called.
        version: which one.
    """

    backend: str
    product: str
    version: str = ""

    def can(self, capabilities: Capabilities) -> None:
        """Notes what it can do, in the way in which it was set up for a test."""
        for name, words in _CAN.items():
            self._note(can=words, value=bool(getattr(capabilities, name)))

    def quirk(self, words: str) -> None:
        """Notes something of its own that a test has met; a sentence about it without its name."""
        self._note(quirk=words)

    def figure(self, what: str, value: str) -> None:
        """Notes something measured."""
        self._note(figure=what, value=value)

    def tested(self, outcome: str) -> None:
        """Notes how a test ended."""
        self._note(test=outcome)

    def _note(self, **what: Any) -> None:
        folder = os.environ.get(_FOLDER)
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        line = {"backend": self.backend, "product": self.product, "version": self.version, **what}
        with (Path(folder) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def count_test(item: pytest.Item, report: pytest.TestReport) -> None:
    """Notes how a test ended, where its module says against what it was."""
    places = (getattr(item, "cls", None), getattr(item, "module", None))
    counterpart = next((found for place in places if (found := getattr(place, "COUNTERPART", None))), None)
    if counterpart is not None and (report.when == "call" or report.outcome != "passed"):
        Counterpart(*counterpart).tested(report.outcome)
