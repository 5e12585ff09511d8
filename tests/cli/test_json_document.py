from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Secret
from musterroll.commands import documents
from musterroll.commands.document import Document
from musterroll.engine import MEMBERS
from musterroll.errors import MusterrollError
from musterroll.journal.job import JobState
from musterroll.reports.report import Report
from musterroll.reports.summaries import JobSummary

NAMES = {"name": "acme", "profile": None}


def document(command: str, members: dict[str, Any]) -> str:
    out = io.StringIO()
    written = Document(out.write, command, MEMBERS[command], pipeline="acme")
    written.add(members)
    written.finish("ok", None)
    return out.getvalue()


def test_a_run_is_the_document_of_the_contract(
    make_report: Callable[..., Report], make_job: Callable[..., JobSummary]
) -> None:
    report = make_report("run", job=make_job())
    found = json.loads(document("run", documents.of_report(report)))
    assert found["schema"] == "musterroll/1"
    assert found["command"] == "run"
    assert found["status"] == "ok"
    assert found["error"] is None
    assert found["pipeline"] == NAMES
    assert found["source"] == {
        "path": "staff.xlsx",
        "sha256": "ab" * 32,
        "format": "xlsx",
        "reader": "xlsx",
        "sheet": "Users",
        "encoding": None,
    }
    assert found["counts"] == {"rows": 3, "valid": 3, "invalid": 0, "errors": 0, "warnings": 1, "not_read": 0}
    assert found["problems"][0] == {
        "code": "phone.trunk_prefix",
        "severity": "warning",
        "row": 3,
        "column": "G",
        "cell": "G3",
        "field": "phone",
        "message": "leave the leading 0 out",
        "value": "07712345678",
        "suggestion": "7712345678",
    }
    assert found["changes"][0] == {
        "row": 3,
        "username": "ana",
        "action": "create",
        "password": "set",
        "fields": {"email": {"before": None, "after": "ana@example.com"}},
        "groups": {"add": [["Region", "North"]], "remove": []},
        "invite": {"send": True, "channel": "email", "reason": None},
    }
    assert [change["action"] for change in found["changes"]] == ["create", "update", "unchanged"]
    assert found["groups_to_create"] == [["Region"], ["Region", "North"]]
    assert found["job"] == {
        "id": "20260301-1",
        "state": "completed",
        "counts": {
            "rows": 3,
            "created": 1,
            "updated": 1,
            "unchanged": 1,
            "deactivated": 0,
            "rejected": 0,
            "failed": 0,
            "unknown": 0,
            "not_attempted": 0,
        },
        "rejected_file": None,
        "plan": None,
        "approved": None,
        "invites": {"sent": 1, "skipped": 2, "held": 0, "failed": 0},
        "failures": [],
    }


@pytest.mark.parametrize("command", ["validate", "plan", "run", "jobs resume", "jobs show"])
def test_the_members_are_the_same_with_and_without_a_result(
    command: str, make_report: Callable[..., Report], make_job: Callable[..., JobSummary]
) -> None:
    report = make_report(command, job=None if command in ("validate", "plan") else make_job(JobState.FAILED))
    if command == "validate":
        report.changes = None
    full = json.loads(document(command, documents.of_report(report)))
    empty = json.loads(document(command, {}))
    assert list(full) == list(empty)
    assert empty["problems"] == []
    assert empty["counts"]["rows"] == 0
    assert ("changes" in empty, "job" in empty) == {
        "validate": (False, False),
        "plan": (True, False),
    }.get(command, (True, True))


def test_a_stream_is_written_element_by_element() -> None:
    out = io.StringIO()
    behind: list[int] = []

    def elements() -> Iterator[dict[str, int]]:
        for number in range(1000):
            behind.append(number - out.getvalue().count("number"))
            yield {"number": number}

    written = Document(out.write, "validate", MEMBERS["validate"], pipeline="acme")
    written.add({"problems": elements()})
    written.finish("ok", None)
    assert len(json.loads(out.getvalue())["problems"]) == 1000
    assert max(behind) == 0


def test_streams_that_break_leave_a_complete_document() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    out = io.StringIO()
    written = Document(out.write, "run", MEMBERS["run"], pipeline="acme")
    with pytest.raises(KeyboardInterrupt):
        written.add({"problems": iter([]), "job": {"id": "1", "failures": broken()}})
    written.finish("interrupted", MusterrollError("interrupted", code="interrupted"))
    found = json.loads(out.getvalue())
    assert found["job"] == {"id": "1", "failures": [1]}
    assert found["changes"] == []
    assert found["status"] == "interrupted"


@given(st.text(st.characters(codec=None)))
def test_any_text_comes_back_and_none_of_it_commands_the_terminal(text: str) -> None:
    encoded = document("pipeline show", {"settings": text})
    # Two surrogate halves that stand side by side are one character to JSON.
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(encoded)["settings"] == expected
    assert not set("\x1b\x7f\x9b\u202e\u2066\u200b") & set(encoded)
    encoded.encode("utf-8")


def test_people_can_read_their_names_and_nobody_a_secret() -> None:
    encoded = document("pipeline show", {"settings": {"name": "Zoë 山田", "token": Secret("canary")}})
    assert "Zoë 山田" in encoded
    assert "canary" not in encoded
    assert '"***"' in encoded
