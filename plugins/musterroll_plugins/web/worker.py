"""The worker process: does one work with the engine, and writes down how far it is and what came of it.

`python -m musterroll_plugins.web.worker FOLDER VIEWS`, which the server starts. It outlives the server where that is
killed; where it is asked to end (the file `cancel`, or a signal) the engine brings its job to an orderly stop.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from musterroll import MusterrollError, SourceError, engine, gettext, gettext_noop
from musterroll.engine import MEMBERS, Change, Document, Outcome, Pipeline, PlanSummary, Report, documents
from musterroll_plugins.web.desk import COPIES, Work, copy_of, report_of
from musterroll_plugins.web.private import make_folder, read_json, write_json
from musterroll_plugins.web.slips import place_of_slips
from musterroll_plugins.web.view import write_view

_COMMANDS = {
    "check": "plan",
    "run": "run",
    "resume": "jobs resume",
    "approve": "jobs approve",
    "undo": "jobs undo",
    "release": "invites release",
    "view": "jobs show",
    "story": "jobs show",
    "report": "jobs show",
    "fixed": "validate",
    "annotated": "plan",
}
_PACE = 0.2  # seconds between two words of progress
_UNMAPPED = frozenset({"column.missing", "sheet.ambiguous"})
_SAID_HERE = {
    # Only `_is_as_shown` declines anything.
    "declined": gettext_noop(
        "what would happen has changed since it was shown, so nothing was written; look at it again"
    ),
    # An uploaded sheet has a place for them.
    "hand_over.missing": gettext_noop(
        "this job was begun on the command line, and makes first passwords that no invite tells; go on with it there, "
        "and name a file to hand them over in"
    ),
}


class Teller:
    """The engine's progress, in a file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._stage, self._done, self._told = path, "", 0, 0.0
        self._total: int | None = None

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins."""
        self._stage, self._total, self._done = name, total, 0
        self._tell()

    def advance(self, steps: int = 1) -> None:
        """So many steps are done."""
        self._done += steps
        if time.monotonic() - self._told >= _PACE:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        write_json(self._path, {"stage": self._stage, "done": self._done, "total": self._total})


class Worker:
    """One work, being done.

    Args:
        folder: its folder.
        views: the folder of the views of jobs.
    """

    def __init__(self, folder: Path, views: Path) -> None:
        found = read_json(folder / "work.json")
        assert found is not None
        self.work = Work.stored(found)
        self._folder, self._views = folder, views
        self._progress = Teller(folder / "progress.json")
        self._pipelines: list[Pipeline] = []
        self._is_cancelled = threading.Event()

    def do(self) -> None:
        """Does it, and writes what came of it."""
        self._progress.stage("Starting")
        self._mind_the_wish_to_end()
        work, result = self.work, {}
        command = _COMMANDS[work.kind]
        with (self._folder / "document.json").open("w", encoding="utf-8") as out:
            name, profile = work.customer, work.profile or None
            document = Document(out.write, command, MEMBERS[command], pipeline=name, profile=profile)
            try:
                result = self._story(document) if work.kind == "story" else self._report(document)
            except KeyboardInterrupt as stopped:
                result = {"outcome": Outcome.INTERRUPTED, "job": getattr(stopped, "job", None)}
                result["error"] = {"code": "interrupted", "message": gettext("it was stopped")}
                document.finish(Outcome.INTERRUPTED, MusterrollError("interrupted", code="interrupted"))
            except MusterrollError as error:
                result = {"outcome": documents.outcome_of(error), "error": _error(error)}
                if error.code in _SAID_HERE:
                    result["error"] = {"code": error.code, "message": gettext(_SAID_HERE[error.code])}
                document.add(documents.of_error(error))
                document.finish(result["outcome"], error)
            except Exception as error:
                # Where it was, for whoever runs the server; not its text, which may hold anything.
                print(*traceback.format_tb(error.__traceback__), type(error).__name__, sep="", file=sys.stderr)
                unexpected = MusterrollError(f"unexpected failure: {type(error).__name__}", code="unexpected")
                result = {"outcome": Outcome.ERROR, "error": _error(unexpected)}
                document.finish(Outcome.ERROR, unexpected)
        write_json(self._folder / "result.json", {"error": None, "job": None, **result, **self._named(result)})

    def _named(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """What went wrong, with the name of the sheet that people know in place of where it is here."""
        error, sheet = result.get("error"), self.work.sheet
        record = read_json(Path(sheet).with_name("upload.json")) if error and sheet else None
        if error is None or sheet is None or record is None:
            return {}
        return {"error": {**error, "message": error["message"].replace(sheet, record["name"])}}

    def _load(self, *, invites: str | None = None) -> Pipeline:
        work = self.work
        flags = {"invites.send_to": (invites, "--invites")} if invites is not None else None
        pipeline = engine.load_pipeline(
            Path(work.pipeline) if work.pipeline else None, profile=work.profile or None, sets=work.sets, flags=flags
        )
        self._pipelines.append(pipeline)
        engine.set_language(pipeline.language)
        if self._is_cancelled.is_set():
            pipeline.cancelled.set()
        return pipeline

    def _report(self, document: Document) -> dict[str, Any]:
        work = self.work
        if work.kind == "check":
            return self._check(document)
        if work.kind in COPIES:
            return self._copy(document)
        if work.kind == "report":
            return self._report_file(document)
        report = self._perform()
        with report:
            document.add(documents.of_report(report))
            error = report.error
            if error is None and report.outcome is Outcome.INTERRUPTED and work.kind != "view":
                error = MusterrollError("interrupted", code="interrupted")
            document.finish(report.outcome, error)
            job = report.job
            if job is not None:
                write_view(self._views / f"{work.customer}-{job.id}.db", report)
            result = {"outcome": report.outcome, "job": job.id if job else work.job}
            return {**result, "error": None if report.error is None else _error(report.error)}

    def _perform(self) -> Report:
        work, progress = self.work, self._progress
        job, sheet = work.job or "", Path(work.sheet or "")
        match work.kind:
            case "run":
                pipeline = self._load(invites=work.more.get("invites"))
                slips = self._slips(pipeline)
                if (shown := work.more.get("shown")) is None:  # programs have seen none
                    return engine.run(pipeline, sheet, hand_over_to=slips, progress=progress)
                is_as_shown = partial(self._is_as_shown, shown)
                return engine.run(pipeline, sheet, hand_over_to=slips, confirm=is_as_shown, progress=progress)
            case "resume":
                pipeline = self._load()
                return engine.resume(pipeline, job, hand_over_to=self._slips(pipeline), progress=progress)
            case "approve":
                pipeline = self._load()
                slips = self._slips(pipeline)
                return engine.approve(pipeline, job, by=str(work.by), hand_over_to=slips, progress=progress)
            case "undo":
                return engine.undo(self._load(), job, progress=progress)
            case "release":
                names, as_sent = work.more["names"], work.more["as_sent"]
                return engine.release_invites(self._load(), names, as_sent=as_sent, progress=progress)
        return engine.show_job(self._load(), job)

    def _slips(self, pipeline: Pipeline) -> Path | None:
        """Where first passwords go that no invite tells; None where none is made, or the sheet was not uploaded."""
        work = self.work
        is_uploaded = work.upload is not None or work.more.get("is_uploaded")
        if pipeline.settings.sheet.make.password is None or not is_uploaded:
            return None
        place = place_of_slips(Path(work.sheet or ""), work.id)
        make_folder(place.parent)
        return place

    def _is_as_shown(self, shown: Mapping[str, Any], summary: PlanSummary) -> bool:
        """Whether the plan is the one that the person has seen."""
        return (summary.invites, _digest(summary.changes())) == (shown["invites"], shown["digest"])

    def _check(self, document: Document) -> dict[str, Any]:
        """Plans the sheet, and counts what each choice of whom to invite would send."""
        pipeline, sheet = self._load(), Path(self.work.sheet or "")
        usual = pipeline.settings.invites.send_to
        with engine.plan(pipeline, sheet, with_choices=True, progress=self._progress) as report:
            document.add(documents.of_report(report))
            document.finish(report.outcome, report.error)
            codes = {one.code for one in report.problem_groups()}
            columns = self._columns(pipeline, sheet) if codes & _UNMAPPED else None
            choices = {
                name: {
                    "sends": one.sends,
                    "on_paper": one.on_paper,
                    "refusal": one.refusal.message if one.refusal else None,
                }
                for name, one in report.invite_choices.items()
            }
            digest = _digest(report.changes()) if report.changes is not None and choices else None
            write_view(
                self._folder / "view.db",
                report,
                choices=choices,
                usual=usual,
                digest=digest,
                columns=columns,
            )
            return {"outcome": report.outcome}

    def _copy(self, document: Document) -> dict[str, Any]:
        """Makes a copy of the sheet, as `validate --fix` and `plan --annotate` do."""
        pipeline, sheet, to = self._load(), Path(self.work.sheet or ""), copy_of(self.work)
        found: dict[str, Any] = {}
        copy: engine.AnnotatedCopy | None = None
        if self.work.kind == "fixed":
            report = engine.fix(pipeline, sheet, to=to, replace_file=True, progress=self._progress)
        else:
            keeps, called = self.work.more["keeps_passwords"], self.work.more["called"]
            copy = engine.AnnotatedCopy(pipeline, sheet, to, keep_passwords=keeps, replace=True, called=called)
            report = engine.plan(pipeline, sheet, progress=self._progress)
        with report:
            counts, fixed = report.counts, report.fixed
            if fixed is not None:
                left = {"errors": counts.errors, "warnings": counts.warnings}
                found["fixed"] = {"problems": fixed.problems, "of": fixed.of, **left}
            if copy is not None and report.sheet is not None:
                copy.write(report.sheet, counts, report.problems)
            document.add(documents.of_report(report))
            document.finish(report.outcome, report.error)
            return {"outcome": report.outcome, **found}

    def _report_file(self, document: Document) -> dict[str, Any]:
        """Writes the report of a job into a file, as `jobs show --report` does."""
        work, target = self.work, engine.ReportTarget(report_of(self._folder, self.work))
        with engine.show_job(self._load(), work.job or "") as report:
            # Where something lies here is nobody's business.
            if report.sheet is not None:
                report.sheet = replace(report.sheet, path=work.more["called"])
            if report.job is not None and report.job.rejected_file:
                report.job = replace(report.job, rejected_file=Path(report.job.rejected_file).name)
            target.write(report)
            document.add(documents.of_report(report))
            document.finish(report.outcome, report.error)
            return {"outcome": report.outcome, "job": work.job}

    def _columns(self, pipeline: Pipeline, sheet: Path) -> dict[str, Any] | None:
        """What the columns of the sheet seem to be; None where it holds no headings at all."""
        try:
            found = engine.first_sheet(pipeline, sheet)
        except SourceError:
            return None
        settings = found.settings.get("sheet", {})
        return {
            "columns": found.members()["columns"],
            "worksheets": list(found.found.worksheets),
            "layout": {name: settings[name] for name in ("worksheet", "heading_row", "first_row") if name in settings},
        }

    def _story(self, document: Document) -> dict[str, Any]:
        pipeline, job = self._load(), self.work.job or ""
        story = engine.explain_row(pipeline, job, self.work.more["row"], progress=self._progress)
        with engine.show_job(pipeline, job) as report:
            document.add(documents.of_row(report, story))
            document.finish(Outcome.OK, None)
        return {"outcome": Outcome.OK, "job": job, "told": [one.told for one in story.operations]}

    def _mind_the_wish_to_end(self) -> None:
        def end() -> None:
            self._is_cancelled.set()
            for pipeline in self._pipelines:
                pipeline.cancelled.set()

        def look() -> None:
            while not (self._folder / "cancel").exists():
                time.sleep(_PACE)
            end()

        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: end())
        threading.Thread(target=look, daemon=True).start()


def _digest(changes: Iterable[Change]) -> str:
    """Tells one plan from another; whom it invites is told by the number of the choice."""
    found = hashlib.sha256()
    for change in changes:
        record = (
            change.row,
            change.username,
            change.action,
            change.password,
            dict(change.fields),
            [one.path for one in change.add],
            [one.path for one in change.remove],
        )
        found.update(json.dumps(record, default=str, sort_keys=True).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def _error(error: MusterrollError) -> dict[str, str]:
    return {"code": error.code, "message": error.message}


def main(folder: Path, views: Path) -> None:
    """Does the work of a folder."""
    os.umask(0o077)
    engine.set_language(engine.language_of(os.environ))
    with FileLock(folder / "lock"):
        Worker(folder, views).do()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
