"""The way through, as a command goes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import openpyxl
import pytest

from musterroll import engine
from musterroll.errors import PluginError, SourceError, StateError
from musterroll.journal.change import Action
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome, Report
from support.pipelines import HEADINGS, Work, addressed, told, user

PLUGIN = """
from musterroll import GroupResolverType, Options, ValidatorType, engine, hookimpl

class Picky:
    def check(self, row):
        if row["forename"] == "Boom":
            raise LookupError("no such word")
        return ()

    def finish(self):
        return ()

class Sorter:
    def resolve(self, row):
        if row["forename"] == "Bang":
            raise LookupError("no such group")
        yield ("Everybody",)

@hookimpl
def musterroll_validators():
    yield ValidatorType(name="picky", summary="Breaks", options=Options, build=lambda options, context: Picky())

@hookimpl
def musterroll_group_resolvers():
    yield GroupResolverType(name="sorter", summary="Sorts", options=Options, build=lambda options, context: Sorter())
"""
PLUGGED = """
    [[validators]]
    name = "picky"
    use = "picky"
    [[groups]]
    name = "sorter"
    use = "sorter"
"""


@pytest.mark.parametrize("command", [engine.validate, engine.plan, engine.run])
def test_what_a_reader_finds_in_the_last_row_is_told(
    work: Work, command: Callable[[Pipeline, Path], AbstractContextManager[Report]]
) -> None:
    book = openpyxl.Workbook()
    users = [[user(f"user{number}").get(name) for name in HEADINGS] for number in range(50)]
    rows: list[list[str | None]] = [[*HEADINGS.values()], [None], *users]
    for cells in rows:
        book.worksheets[0].append(cells)
    book.worksheets[0].row_dimensions[52].hidden = True
    book.save(path := work.folder / "users.xlsx")
    with command(work.pipeline(), path) as report:
        assert report.sheet is not None
        assert report.sheet.notes == ("hidden rows are read like the others",)


def test_validate_needs_no_backend_and_leaves_nothing(work: Work) -> None:
    sheet = work.sheet(user("ana"), user("bo", email="nonsense"))
    before = _files(work.folder)
    pipeline = work.pipeline()
    report = told(engine.validate(pipeline, sheet))
    assert (report.outcome, report.codes) == (Outcome.PROBLEMS, ["email.invalid@4"])
    assert (report.counts.rows, report.counts.valid, report.counts.invalid) == (2, 1, 1)
    assert report.job is None
    assert work.portal.built == 0
    assert _files(work.folder) == before | {"acme.toml"}


def test_plan_shows_what_run_does_and_leaves_nothing(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva")
    pipeline = work.pipeline()
    sheet = work.sheet(addressed("ana", surname="Souza", groups="A|B"), addressed("bo"))
    before = _files(work.folder)
    plan = work.plan(pipeline, sheet)
    assert (work.portal.store.writes, _files(work.folder)) == (0, before)
    done = work.run(pipeline, sheet)
    assert plan.outcome is done.outcome is Outcome.OK
    assert plan.planned_changes == done.planned_changes
    assert plan.groups_to_create == done.groups_to_create == ("A", "A|B")
    assert plan.counts == done.counts
    assert plan.job is None
    state = {path.name: path.read_bytes() for path in work.state.iterdir() if path.suffix == ".journal"}
    again = work.plan(pipeline, sheet)
    assert [change.action for change in again.changes] == [Action.UNCHANGED, Action.UNCHANGED]
    assert again.reasons == {3: "not new", 4: "already invited"}
    assert {name: (work.state / name).read_bytes() for name in state} == state


def test_abort_writes_nothing_and_skip_leaves_bad_rows_out(work: Work) -> None:
    sheet = work.sheet(user("ana"), user("bo", email="nonsense"), user("cy"))
    aborted = work.run(work.pipeline(), sheet)
    assert (aborted.outcome, aborted.state) == (Outcome.PROBLEMS, JobState.ABORTED)
    assert aborted.rows == {"rejected": 1, "not_attempted": 2}
    assert work.portal.handed == []
    skipped = work.run(work.pipeline('on_error = "skip"'), sheet)
    assert (skipped.outcome, skipped.state) == (Outcome.PROBLEMS, JobState.COMPLETED_WITH_ERRORS)
    assert skipped.rows == {"rejected": 1, "created": 2}
    assert work.portal.names() == ["ana", "cy"]
    assert [change.row for change in skipped.changes] == [3, 5]


def test_a_column_that_is_missing_stops_even_what_skips(work: Work) -> None:
    sheet = work.sheet(user("ana"), without=["groups"])
    done = work.run(work.pipeline('on_error = "skip"'), sheet)
    assert done.codes == ["column.missing@None"]
    assert (done.state, work.portal.handed) == (JobState.ABORTED, [])


def test_a_sheet_without_rows(work: Work) -> None:
    done = work.run(work.pipeline(), work.sheet())
    assert (done.outcome, done.codes, done.rows) == (Outcome.PROBLEMS, ["sheet.empty@None"], {})


def test_the_path_is_told_as_it_was_typed_and_kept_absolute(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work.folder)
    work.sheet(user("ana"))
    pipeline = work.pipeline()
    with engine.run(pipeline, Path("staff.csv")) as report:
        assert report.sheet is not None
        assert report.sheet.path == "staff.csv"
    assert engine.list_jobs(pipeline)[0].sheet == str(work.folder / "staff.csv")


@pytest.mark.parametrize(("forename", "plugin"), [("Boom", "validators[picky]"), ("Bang", "groups[sorter]")])
def test_a_plugin_that_breaks_is_named_with_its_row(work: Work, forename: str, plugin: str) -> None:
    (work.folder / "mine.py").write_text(PLUGIN, encoding="utf-8")
    pipeline = work.pipeline(tables=PLUGGED, plugins=["mine.py"])
    sheet = work.sheet(user("ana"), user("bo", forename=forename))
    for command in (engine.validate, engine.plan, engine.run):
        with pytest.raises(PluginError) as error:
            command(pipeline, sheet)
        assert (error.value.plugin, error.value.row) == (plugin, 4)
        assert "\n" not in error.value.message
    assert engine.list_jobs(pipeline) == []
    assert work.portal.handed == []
    assert work.run(pipeline, work.sheet(user("ana"))).rows == {"created": 1}
    assert work.portal.groups_of("ana") == {"Everybody"}


def test_a_backend_that_breaks_while_it_is_asked(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.faults import FaultyBackend

    monkeypatch.setattr(FaultyBackend, "lookup", lambda self, keys: 1 / 0)
    pipeline, sheet = work.pipeline(), work.sheet(user("ana"))
    for command in (engine.plan, engine.run):
        with pytest.raises(
            PluginError, match=r"backend \(plugin faults.py\) broke while looking users up: ZeroDivisionError"
        ):
            command(pipeline, sheet)
    assert engine.list_jobs(pipeline) == []
    assert work.portal.built == work.portal.closed == 2


def test_unusable_files(work: Work) -> None:
    pipeline = work.pipeline()
    for command in (engine.validate, engine.plan, engine.run):
        with pytest.raises(SourceError):
            command(pipeline, work.folder / "missing.csv")
    assert not work.state.exists()
    sheet = work.sheet(user("ana"))
    work.state.mkdir()
    work.journal.write_bytes(b"another program's" * 100)
    for command in (engine.plan, engine.run):
        with pytest.raises(StateError):
            command(pipeline, sheet)
    assert work.portal.handed == []


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_a_job_whose_end_cannot_be_noted_has_failed_and_goes_on(work: Work) -> None:
    """A disk that is full to the last byte: what was written counts, and the job can be resumed."""
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"), addressed("bo"))
    work.run(pipeline, work.sheet(user("first"), name="first.csv"))
    with closing(sqlite3.connect(work.journal)) as journal:
        journal.execute(
            "CREATE TRIGGER full BEFORE UPDATE OF outcome ON job BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        )
        journal.commit()
        done = work.run(pipeline, sheet)
        assert (done.outcome, done.state) == (Outcome.FAILED, JobState.RUNNING)
        assert isinstance(done.error, StateError)
        journal.execute("DROP TRIGGER full")
        journal.commit()
    resumed = work.resume(pipeline)
    assert (resumed.outcome, resumed.rows) == (Outcome.OK, {"created": 2})
    assert sorted(work.post.invited()) == ["ana", "bo"]
