"""Writes a plan to a file, line by line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from musterroll.contract.problems import Problem
from musterroll.contract.users import GroupPath
from musterroll.journal.change import Change
from musterroll.plan.saved.header import SCHEMA, PlanHeader
from musterroll.reports.records import change_record, problem_record

# These would command or disorder the terminal that shows the file, or cannot be encoded; JSON reads the escape as
# the same character.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def write_plan(
    target: BinaryIO,
    header: PlanHeader,
    *,
    problems: Iterable[Problem],
    groups_to_create: Iterable[GroupPath],
    groups: Iterable[tuple[GroupPath, str]],
    changes: Iterable[Change],
) -> None:
    """Writes a plan. Nothing of it is held in memory.

    Args:
        target: takes the bytes.
        header: what the plan says of itself.
        problems: the sheet's problems; the values of cells are left out.
        groups_to_create: parents first.
        groups: path and id of the existing groups that the plan touches.
        changes: what happens to every row.
    """
    digest = hashlib.sha256()

    def write(text: str) -> None:
        data = text.encode()
        digest.update(data)
        target.write(data)

    write(f'{{"schema": {_encoded(SCHEMA)},\n')
    for key, value in _members(header):
        write(f' "{key}": {_encoded(value)},\n')
    for key, elements in (
        ("problems", map(_problem, problems)),
        ("groups_to_create", map(list, groups_to_create)),
        ("groups", ({"path": list(path), "ref": ref} for path, ref in groups)),
        ("changes", map(_change, changes)),
    ):
        write(f' "{key}": [')
        separator = "\n"
        for element in elements:
            write(f"{separator}  {_encoded(element)}")
            separator = ",\n"
        write("\n ],\n")
    target.write(f' "digest": "sha256:{digest.hexdigest()}"}}\n'.encode())


def _members(header: PlanHeader) -> Iterator[tuple[str, Any]]:
    for key, value in asdict(header).items():
        if key == "sheet":
            del value["notes"]
        yield key, value


def _problem(problem: Problem) -> dict[str, Any]:
    record = problem_record(problem)
    del record["value"]  # as in the journal: what was typed into a wrong cell may be a password
    return record


def _change(change: Change) -> dict[str, Any]:
    return {**change_record(change), "ref": change.ref, "seen": change.user_digest}


def _encoded(value: Any) -> str:
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(value, ensure_ascii=False))
