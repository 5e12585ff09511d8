"""Whole pipelines in a test: what goes in, and what comes out as values."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from musterroll import CreateUser, Problem, Purpose, rule
from musterroll.errors import PipelineError
from musterroll.testing import Fault, FaultyBackend, MemoryBackend, MemoryStore, PipelineTrial, nth

PEOPLE = """
    Username | Forename | Email           | Groups
    ana      | Ana      | ana@example.com | Region|North;Staff
    bo       | Bo       |                 | Staff
"""
TOML = """
password.required = "never"
sheet.omit = ["surname", "password", "calling_code", "phone"]
"""


@rule("trial-forename", field="forename", code="trial.forename")
def forename(text: str) -> str | None:
    """Forenames are not x."""
    return "{heading} is no name" if text == "x" else None


def test_a_table_goes_in_and_users_come_out(tmp_path: Path) -> None:
    trial = PipelineTrial(tmp_path, TOML)
    planned = trial.plan(PEOPLE)
    assert (planned.outcome, planned.actions) == ("ok", {"ana": "create", "bo": "create"})
    assert planned.groups_to_create == (("Region",), ("Region", "North"), ("Staff",))
    assert trial.users == {}

    done = trial.run(PEOPLE)
    assert (done.outcome, done.counts) == ("ok", {"rows": 2, "created": 2})
    assert trial.users["ana"].fields["email"] == "ana@example.com"
    assert trial.groups_of("ana") == {("Region", "North"), ("Staff",)}
    assert trial.groups == {("Region",), ("Region", "North"), ("Staff",)}
    assert trial.run(PEOPLE).counts == {"rows": 2, "unchanged": 2}


def test_rows_by_heading_or_field_with_columns_that_nobody_knows(tmp_path: Path) -> None:
    trial = PipelineTrial(tmp_path)
    password = "Meadow-Kite-41"
    result = trial.validate(
        [
            {"Username": "ana", "forename": "Ana", "Password": password, "Badge": "1"},
            {"username": "bo", "Forename": "Bo", "password": password, "Email": "bo@@x"},
        ]
    )
    assert result.found == [("column.unknown", "I1"), ("email.invalid", "A4")]
    assert result.counts == {"rows": 2, "valid": 1, "invalid": 1, "errors": 1, "warnings": 1}
    (unknown, invalid) = result.problems
    assert isinstance(unknown, Problem)
    assert (invalid.row, invalid.column, invalid.field, invalid.value) == (4, "A", "email", "bo@@x")


def test_messages_are_kept_and_none_leaves(tmp_path: Path) -> None:
    trial = PipelineTrial(
        tmp_path,
        {
            "password": {"required": "never"},
            "notifiers": [
                {"name": "outbox", "on": ["invite"]},
                {"name": "mail", "use": "smtp", "on": ["finished"], "options": _MAIL},
            ],
        },
    )
    ana = {"username": "ana", "forename": "Ana", "email": "ana@example.com"}
    trial.run([ana, {"username": "bo", "forename": "Bo"}])
    assert trial.invited == ["ana"]
    assert [(one.notifier, one.username, one.message.purpose) for one in trial.messages] == [
        ("outbox", "ana", Purpose.INVITE),
        ("mail", None, Purpose.FINISHED),
    ]
    assert not (tmp_path / "outbox").exists()
    trial.run([ana])
    assert trial.invited == ["ana"]


_MAIL = {"host": "192.0.2.1", "sender": "it@acme.example", "report_to": ["boss@acme.example"]}


def test_rules_that_are_not_installed_and_an_undo(tmp_path: Path) -> None:
    toml = TOML + 'on_error = "skip"\nvalidators = [{ name = "forename", use = "trial-forename" }]'
    trial = PipelineTrial(tmp_path, toml, plugins=[sys.modules[__name__]])
    done = trial.run("Username | Forename | Email | Groups\nana | Ana\nbo | x")
    assert done.found == [("trial.forename", "B4")]
    assert (done.outcome, list(trial.users)) == ("problems", ["ana"])
    undone = trial.undo()
    assert (undone.outcome, undone.actions) == ("ok", {"ana": "deactivate"})
    assert not trial.users["ana"].active


def test_a_portal_that_goes_wrong(tmp_path: Path) -> None:
    store = MemoryStore()

    def portal(read_only: bool) -> FaultyBackend:
        return FaultyBackend(MemoryBackend(store, read_only=read_only), nth(2, Fault.UNAVAILABLE, of=CreateUser))

    trial = PipelineTrial(tmp_path, TOML, backend=portal)
    paused = trial.run(PEOPLE)
    assert (paused.outcome, list(trial.users)) == ("failed", ["ana"])
    assert paused.error is not None
    assert trial.resume().counts == {"rows": 2, "created": 2}
    assert sorted(user.username for user in store.users.values()) == ["ana", "bo"]


def test_the_file_of_a_customer_and_its_mistakes(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    file = tmp_path / "acme" / "acme.toml"
    file.write_text(f'name = "acme"\n[profiles.trial]\nbackend.use = "memory"\n{TOML.strip()}', encoding="utf-8")
    trial = PipelineTrial(tmp_path, file, profile="trial")
    assert (trial.pipeline.name, trial.validate(PEOPLE).outcome) == ("acme", "ok")
    with pytest.raises(PipelineError, match='did you mean "on_error"'):
        PipelineTrial(tmp_path, {"on_eror": "skip"})


def test_a_table_with_more_cells_than_headings_is_a_slip(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2 of the table has 2 cells, and there are 1 headings"):
        PipelineTrial(tmp_path, TOML).validate("Username\nana | Ana")
