"""Writes docs/tested-against.md from what the tests saw: `python docs/tested_against.py FOLDER [--check]`.

The folder is the one that MUSTERROLL_EVIDENCE named when the tests ran; see tests/support/evidence.py. With `--check`
nothing is written, and it fails where the page says something that was not seen; numbers and versions may differ.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "tested-against.md"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_HEAD = """# Tested against

Made by `python docs/tested_against.py` from what the tests saw; nobody writes it. Each backend keeps the contract of
backends (some fifty tests of look-ups, operations, conflicts, doubtful operations and secrets) and carries out whole
jobs against every product here, the real one, started for the tests. `web` is the sign-in of the [pages](web.md), in a
real browser.
"""


@dataclass
class Seen:
    """What was seen of a product."""

    versions: set[str] = field(default_factory=set)
    can: dict[str, bool] = field(default_factory=dict)
    quirks: set[str] = field(default_factory=set)
    figures: dict[str, str] = field(default_factory=dict)
    tests: Counter[str] = field(default_factory=Counter)

    def take(self, line: Mapping[str, Any]) -> None:
        """Takes in something seen."""
        if line["version"]:
            self.versions.add(line["version"])
        if "can" in line:  # in one way of setting it up, if not in all
            self.can[line["can"]] = self.can.get(line["can"], False) or line["value"]
        if "quirk" in line:
            self.quirks.add(line["quirk"])
        if "figure" in line:
            self.figures[line["figure"]] = line["value"]
        if "test" in line:
            self.tests[line["test"]] += 1


def read(folder: Path) -> dict[str, dict[str, Seen]]:
    """Reads what was seen, by backend and product."""
    seen: dict[str, dict[str, Seen]] = defaultdict(lambda: defaultdict(Seen))
    for file in sorted(folder.glob("*.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            seen[line["backend"]][line["product"]].take(line)
    return seen


def page(seen: Mapping[str, Mapping[str, Seen]]) -> str:
    """Makes the page."""
    return "\n".join([_HEAD, *_sections(seen)])


def _sections(seen: Mapping[str, Mapping[str, Seen]]) -> Iterator[str]:
    for backend, products in sorted(seen.items()):
        yield f"## `{backend}`\n"
        for product, one in sorted(products.items()):
            yield f"### {' '.join([product, *sorted(one.versions)])}\n"
            yield _tests(one.tests)
            yield from _listed("It can: ", (words for words, can in one.can.items() if can))
            yield from _listed("It cannot: ", (words for words, can in one.can.items() if not can))
            if one.quirks:
                yield "Met on the way:\n\n" + "\n".join(f"- It {quirk}." for quirk in sorted(one.quirks)) + "\n"
            if one.figures:
                rows = "\n".join(f"| {what} | {value} |" for what, value in sorted(one.figures.items()))
                yield f"| measured | |\n|---|---|\n{rows}\n"


def _tests(tests: Counter[str]) -> str:
    failed = f", {tests['failed']} failed" if tests["failed"] else ""
    return f"{tests['passed']} tests passed{failed}; {tests['skipped']} did not apply.\n"


def _listed(what: str, words: Iterable[str]) -> Iterator[str]:
    if listed := ", ".join(words):
        yield f"{what}{listed}.\n"


def missing(written: str, made: str) -> list[str]:
    """Returns the lines of the page that were not made this time, whatever their numbers."""
    now = {_NUMBER.sub("#", line) for line in made.splitlines()}
    # What was measured is measured by hand.
    claims = (line for line in written.splitlines() if not line.startswith("|"))
    return [line for line in claims if _NUMBER.sub("#", line) not in now]


def main() -> int:
    """Writes the page, or checks it."""
    made = page(read(Path(sys.argv[1])))
    if "--check" not in sys.argv[2:]:
        PAGE.write_text(made, encoding="utf-8", newline="\n")
        return 0
    not_seen = missing(PAGE.read_text(encoding="utf-8"), made)
    for line in not_seen:
        print(f"docs/tested-against.md says what no test saw: {line}", file=sys.stderr)
    return bool(not_seen)


if __name__ == "__main__":
    sys.exit(main())
