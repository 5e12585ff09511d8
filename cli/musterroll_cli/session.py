"""One command at work: its pipeline, its progress, its result, its exit status."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musterroll import engine, gettext, term
from musterroll.engine import Outcome
from musterroll.errors import Mistake, MusterrollError, PipelineError, UsageError
from musterroll_cli.failures import check_current_folder, interrupted, show_error, unexpected
from musterroll_cli.interruption import orderly_interruption
from musterroll_cli.option_texts import seconds
from musterroll_cli.options import Common, with_common_options
from musterroll_cli.output.console import OutputError, Stream, Styled, end_output
from musterroll_cli.output.logs import logging_to
from musterroll_cli.output.progress import Bar, StageKeeper
from musterroll_cli.output.text.report import show_report
from musterroll_cli.program import EXIT_STATUS

if TYPE_CHECKING:
    from musterroll.engine import Document, JobSummary, Pipeline, Registry, Report
    from musterroll_cli.confirmation import Confirmation


_LARGEST_INPUT = 256 << 20  # bytes of a sheet that comes from standard input


def in_a_session(command: str, function: Callable[..., int]) -> Callable[..., int]:
    """Makes the function that typer calls for a command: it performs the command's own one in a session.

    Args:
        command: the full name, e.g. `jobs list`.
        function: takes the session, then the command's own arguments and options, and returns the exit status.
    """
    return with_common_options(
        function, lambda common, arguments: Session(command, common).perform(function, arguments)
    )


class Session:
    """One command at work.

    Attributes:
        command: its full name, e.g. `jobs list`.
        common: the common options.
        out: for results.
        err: for messages.
    """

    def __init__(self, command: str, common: Common) -> None:
        self.command = command
        self.common = common
        self.out = Stream(sys.stdout)
        self.err = Stream(sys.stderr, vital=False)
        self._pipeline_name: str | None = None
        self._profile = common.profile
        self._progress = StageKeeper()
        self._outcome = Outcome.OK
        self._warned: set[Mistake] = set()
        self._report_target: engine.ReportTarget | None = None
        self._closing = ExitStack()
        self._lock_wait = 0.0
        self._written: str | None = None  # what a job is that has written, once it is shown

    @property
    def as_json(self) -> bool:
        """Whether the result is a JSON document."""
        return self.common.format == "json"

    def perform(self, function: Callable[..., int], arguments: Mapping[str, Any]) -> int:
        """Calls a command's function and returns its exit status, whatever happens in it."""
        engine.add_catalogues(Path(__file__).parent)
        of_environment = engine.in_language(engine.language_of(os.environ))
        logged = logging_to(self.err, verbose=self.common.verbose, quiet=self.common.quiet)
        with of_environment, self._closing, logged:
            try:
                check_current_folder()
                with redirect_stdout(sys.stderr):  # of what plugins print; results go to `out`
                    status = function(self, **arguments)
                self.out.flush()
            except OutputError as error:
                lost = end_output(error.cause)
                if lost and self._written is not None:
                    self._show_error(
                        MusterrollError(
                            gettext("{done} all the same; `musterroll jobs show last` shows it", done=self._written)
                        )
                    )
                    return EXIT_STATUS[Outcome.FAILED]
                return lost or EXIT_STATUS[self._outcome]
            except KeyboardInterrupt as stopped:
                return self._fail(Outcome.INTERRUPTED, interrupted(getattr(stopped, "job", None)))
            except MusterrollError as error:
                # A mistake of the person's has no cause; a pipeline's own may hold what it must not show.
                if error.__cause__ is not None and not isinstance(error, PipelineError):
                    self._trace()
                return self._fail(self._worse(engine.documents.outcome_of(error)), error)
            except BaseException as error:  # a plugin may raise anything, e.g. asyncio's CancelledError
                self._trace()
                return self._fail(
                    self._worse(Outcome.ERROR),
                    unexpected(error, self.command, self._progress.name, verbose=self.common.verbose),
                )
            else:
                return status

    def load(
        self,
        *,
        invites: engine.SendTo | None = None,
        strict: bool = False,
        profile: str | None = None,
        sets: Sequence[str] | None = None,
    ) -> Pipeline:
        """Loads the pipeline that the common options name, and prints its warnings.

        Args:
            invites: the `--invites` flag.
            strict: the `--strict` flag.
            profile: a profile instead of that of `--profile`.
            sets: texts instead of those of `--set`.
        """
        flags: dict[str, tuple[Any, str]] = {}
        if invites is not None:
            flags["invites.send_to"] = (invites, "--invites")
        if strict:
            flags["strict"] = (True, "--strict")
        pipeline = self._load(
            profile if profile is not None else self.common.profile,
            sets if sets is not None else self.common.sets,
            flags,
        )
        self._pipeline_name, self._profile = pipeline.name, pipeline.profile
        engine.set_language(pipeline.language)
        for warning in pipeline.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.warn(str(warning))
        return replace(pipeline, lock_wait=self._lock_wait) if self._lock_wait else pipeline

    def wait_for(self, time: str | None) -> None:
        """Has the lock of the state waited for, as `--wait` says.

        Raises:
            UsageError: it cannot be understood.
        """
        self._lock_wait = seconds(time)

    def sheet(self, path: Path) -> Path:
        """Returns the file of a sheet: of `-` one that keeps what comes from standard input until the command ends.

        Raises:
            MusterrollError: nobody sends anything, or too much comes.
        """
        if str(path) != "-":
            return path
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None or sys.stdin.isatty():
            raise UsageError(
                gettext("- is standard input, and nothing is sent there; name a file, or send one: … | musterroll …")
            )
        folder = tempfile.TemporaryDirectory(prefix="musterroll-")
        self._closing.callback(folder.cleanup)
        try:
            return engine.spooled(stream, Path(folder.name), _LARGEST_INPUT)
        except OSError as error:
            raise MusterrollError(
                gettext(
                    "standard input cannot be kept in {path}: {error}", path=folder.name, error=error.strerror or error
                )
            ) from None

    def load_quietly(self, profile: str | None) -> Pipeline:
        """Loads the pipeline with a profile. The texts of --set belong to the chosen one."""
        is_chosen = profile == self.common.profile
        pipeline = self._load(profile, self.common.sets if is_chosen else ())
        if is_chosen:
            self._pipeline_name = pipeline.name
            engine.set_language(pipeline.language)
        return pipeline

    def _load(
        self, profile: str | None, sets: Sequence[str], flags: Mapping[str, tuple[Any, str]] | None = None
    ) -> Pipeline:
        return engine.load_pipeline(
            self.common.pipeline,
            profile=profile,
            sets=sets,
            flags=flags,
            external_plugins=not self.common.no_external_plugins,
        )

    def registry(self) -> Registry:
        """Finds the plugins. A pipeline file with mistakes only costs its own ones.

        Raises:
            PipelineError: there is no such file, or it cannot be read at all.
        """
        try:
            return self.load().registry
        except PipelineError as error:
            if error.code != PipelineError.code:
                raise
            self.warn(
                gettext("the pipeline has mistakes (see `musterroll pipeline check`); its own plugins are left out")
            )
            return engine.Registry.load(external=not self.common.no_external_plugins)

    def confirmation(self, pipeline: Pipeline, *, yes: bool) -> Confirmation:
        """Makes the question before the first write; `yes` answers it."""
        from musterroll_cli.confirmation import Confirmation  # noqa: PLC0415 -- only where something may be written

        return Confirmation(self.err, self._progress, yes=yes, needed=pipeline.settings.confirm)

    @contextmanager
    def working(self, pipeline: Pipeline) -> Iterator[StageKeeper]:
        """Shows progress and minds Ctrl-C while the engine works. Yields what to tell the engine."""
        if self.err.is_terminal and not self.common.quiet:
            self._progress = Bar(self.err)
        notice = gettext("interrupted: finishing what is under way; press Ctrl-C again to stop at once")
        interruption = orderly_interruption(pipeline.cancelled, pipeline.watch.waiting, notice=notice)
        with self.watching(pipeline), interruption, self._progress:
            yield self._progress

    def annotated(
        self, pipeline: Pipeline, sheet: Path, path: Path | None, *, keep_passwords: bool, replace: bool
    ) -> engine.AnnotatedCopy | None:
        """Makes ready the annotated copy that was asked for, if one was."""
        if path is None:
            if keep_passwords and self.command != "run":  # there it is for the rejected rows as well
                raise UsageError(gettext("--keep-passwords goes with --annotate"))
            return None
        return engine.AnnotatedCopy(pipeline, sheet, path, keep_passwords=keep_passwords, replace=replace)

    def write(
        self,
        pipeline: Pipeline,
        work: Callable[..., Report],
        *,
        yes: bool,
        annotated: engine.AnnotatedCopy | None = None,
        hand_over: Path | None = None,
    ) -> int:
        """Lets the engine do what may write, once it is agreed to; prints its report, and returns the exit status."""
        with self.working(pipeline) as progress:
            report = work(confirm=self.confirmation(pipeline, yes=yes), progress=progress)
        status = self.show(report, annotated)
        if hand_over is not None and hand_over.exists() and not self.common.quiet:
            self.err.line(
                gettext("{path} holds the first passwords of new users: hand them over, then delete it", path=hand_over)
            )
        return status

    def report_to(self, path: Path | None, *, replace: bool) -> None:
        """Has the report that is shown kept in a file as well.

        Args:
            path: the file; None for none.
            replace: whether an older report there is written over.

        Raises:
            MusterrollError: none can be written there.
        """
        if path is not None:
            self._report_target = engine.ReportTarget(path, replace=replace)
            self._report_target.check()

    def watching(self, pipeline: Pipeline) -> engine.Watchdog:
        """Names the plugin that is being waited for whenever that takes long, in every mode."""
        return engine.Watchdog(pipeline.watch, self.err.line)

    def warn(self, message: str) -> None:
        """Prints a warning on standard error."""
        if not self.common.quiet:
            self.err.line(Styled(f"{term('warning')}: ", "yellow"), message)

    def show(self, report: Report, annotated: engine.AnnotatedCopy | None = None) -> int:
        """Prints a report, closes it, and returns the exit status; writes the files that were asked for before.

        That such a file cannot be written is an error of its own: what was found and done is told all the same.
        """
        self._outcome = report.outcome
        if report.job is not None and report.command != "jobs show" and _has_done_anything(report.job):
            self._written = gettext("the job {job} is {state}", job=report.job.id, state=term(report.job.state))
        with report:
            kept, copied = self._keep(report), self._annotate(report, annotated)
            lost = kept or copied
            outcome = (
                report.outcome if lost is None else max(report.outcome, self._worse(Outcome.ERROR), key=_RANK.index)
            )
            if self.as_json:
                self._pipeline_name, self._profile = report.pipeline, report.profile
                self.add(engine.documents.of_report(report))
                error = report.error
                if error is None and report.outcome is Outcome.INTERRUPTED and report.command != "jobs show":
                    error = interrupted(report.job.id if report.job else None)
                return self.finish(outcome=outcome, error=error or lost)
            for note in report.sheet.notes if report.sheet and not self.common.quiet else ():
                self.err.line(gettext("note: "), note)
            show_report(self.out, report, common=self.common)
            for failure in (report.error, kept, copied):
                if failure is not None:
                    self._show_error(failure)
            return EXIT_STATUS[outcome]

    def _annotate(self, report: Report, annotated: engine.AnnotatedCopy | None) -> MusterrollError | None:
        """Writes the annotated copy; returns why that failed."""
        if annotated is None or report.sheet is None:
            return None
        try:
            annotated.write(report.sheet, report.counts, report.problems)
        except MusterrollError as error:
            return error
        if not self.common.quiet:
            self.err.line(
                gettext("{path} is written: a copy of the sheet with everything marked in it", path=annotated.path)
            )
        return None

    def _keep(self, report: Report) -> MusterrollError | None:
        """Writes the report's file; returns why that failed."""
        if self._report_target is None:
            return None
        try:
            self._report_target.write(report)
        except MusterrollError as error:
            return error
        if not self.common.quiet:
            self.err.line(gettext("The report is in {path}.", path=self._report_target.path))
        return None

    def add(self, members: Mapping[str, Any]) -> None:
        """Writes members of the JSON document."""
        self._document.add(members)

    def finish(
        self,
        members: Mapping[str, Any] | None = None,
        *,
        outcome: Outcome = Outcome.OK,
        error: MusterrollError | None = None,
    ) -> int:
        """Ends the command: completes the JSON document, if there is to be one, and returns the exit status."""
        if self.as_json:
            self.add(members or {})
            self._document.finish(outcome, error)
        return EXIT_STATUS[outcome]

    @cached_property
    def _document(self) -> Document:
        members = engine.MEMBERS.get(self.command, {})
        return engine.Document(
            self.out.write, self.command, members, pipeline=self._pipeline_name, profile=self._profile
        )

    def _worse(self, outcome: Outcome) -> Outcome:
        """What breaks after a job has written is a failure, whatever it would be otherwise."""
        return Outcome.FAILED if self._written is not None and outcome is Outcome.ERROR else outcome

    def _fail(self, outcome: Outcome, error: MusterrollError) -> int:
        if not self.as_json:
            self._show_error(error)
            return EXIT_STATUS[outcome]
        if self._document.is_finished:  # interrupted after the last word
            return EXIT_STATUS[outcome]
        return self.finish(engine.documents.of_error(error), outcome=outcome, error=error)

    def _show_error(self, error: MusterrollError) -> None:
        show_error(self.err, error, verbose=self.common.verbose)

    def _trace(self) -> None:
        """Prints the traceback, without values of variables, where the person asked for everything."""
        logging.getLogger("musterroll").debug("the failure in full:\n%s", traceback.format_exc())


# Which outcome is told where several fit.
_RANK = (Outcome.OK, Outcome.PROBLEMS, Outcome.ERROR, Outcome.REFUSED, Outcome.FAILED, Outcome.INTERRUPTED)


def _has_done_anything(job: JobSummary) -> bool:
    rows, invites = job.counts, job.invites
    written = (
        rows.created + rows.updated + rows.deactivated + rows.reactivated + rows.deleted + rows.failed + rows.unknown
    )
    return bool(written + invites.sent + invites.held + invites.failed)
