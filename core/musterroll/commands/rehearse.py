"""`plugins check` of a user backend: made-up users go into the portal of the pipeline and out of it again.

It is what the engine does with a sheet: plan, run, plan again, and undo. So it says what a portal does that its plugin
does not tell, such as a field that is stored otherwise, in the portal itself.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from musterroll.commands.examine import Examined, Finding
from musterroll.commands.plan import plan
from musterroll.commands.run import run
from musterroll.commands.template import template
from musterroll.commands.undo import undo
from musterroll.contract.fields import GROUPS, PASSWORD, USERNAME, Field, FieldType
from musterroll.contract.operations import Deactivate, DeleteGroup, DeleteUser, GroupRef, Op, Status, UserRef
from musterroll.contract.users import Capabilities, UserKey
from musterroll.errors import MusterrollError, RefusedError
from musterroll.journal.change import Action, Change
from musterroll.journal.job import JobKind
from musterroll.pipeline.pipeline import Pipeline
from musterroll.portal.portal import Portal
from musterroll.progress import SILENT, Progress
from musterroll.reports.jobs import list_jobs, show_job
from musterroll.reports.report import Report
from musterroll.written.new_sheet import writable_formats

_logger = logging.getLogger("musterroll")
_PREFIX = "musterroll-check-"
_PEOPLE = 3
_CHANGED = "Changed"
_NO_WAY_BACK = (
    "nothing is written: the portal can neither delete nor deactivate users, so that made-up ones would stay there"
)


def rehearse(pipeline: Pipeline, progress: Progress = SILENT) -> Iterator[Examined]:
    """Checks the user backend of a pipeline in its portal; yields how each step went.

    A few made-up users are created, changed, and taken back; their names begin with one prefix, which the first step
    says. Rules, limits, invites and notifiers of the pipeline have no part in it, and its journal hears nothing of it.
    After the first step that fails only what was done is taken back.

    Raises:
        RefusedError: the pipeline, with its profile, does not say that this is a portal to rehearse with.
    """
    if not pipeline.settings.rehearsal:
        raise RefusedError(
            "this would create users in the portal, and take them back; where the portal is one to rehearse with, "
            "write rehearsal = true into its profile",
            code="plugin.no_rehearsal",
        )
    yield from _Rehearsal(pipeline, progress).steps()


class _Rehearsal:
    def __init__(self, pipeline: Pipeline, progress: Progress) -> None:
        self._prefix = f"{_PREFIX}{secrets.token_hex(3)}-"
        self._state, self._state_was_there = pipeline.state, pipeline.state.exists()
        self._folder = pipeline.state / self._prefix.rstrip("-")
        self._pipeline, self._progress = pipeline, progress
        self._can = Capabilities()
        self._changed: str | None = None

    def steps(self) -> Iterator[Examined]:
        all_well = True
        try:
            for name, step in self._in_order():
                found = _told(name, step)
                yield found
                all_well = found.status is Finding.OK
                if not all_well:
                    break
                if name == "plan" and not (self._can.delete or self._can.deactivate):
                    yield Examined("run", Finding.WARNING, _NO_WAY_BACK)
                    break
        except BaseException:  # the person interrupted, or does not want to hear the rest
            taken_back = self._tidy_up(all_well=False)
            if taken_back.status is not Finding.OK:
                _logger.warning("%s", taken_back.detail)
            raise
        taken_back = self._tidy_up(all_well=all_well)
        yield taken_back
        if all_well and taken_back.status is Finding.OK:
            yield _told("afterwards", self._nothing_is_left)

    def _tidy_up(self, *, all_well: bool) -> Examined:
        taken_back = _told("undo", lambda: self._take_back(all_well=all_well))
        if taken_back.status is Finding.OK:
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._state_was_there:
                with suppress(OSError):  # somebody else's job is there by now
                    self._state.rmdir()
        return taken_back

    def _in_order(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "portal", self._meet
        yield "plan", lambda: self._plan("first", Action.CREATE)
        yield "run", lambda: self._run("first", "created")
        yield "plan again", lambda: self._plan("first", Action.UNCHANGED)
        if self._changed is not None:
            yield "change", lambda: self._run("second", "updated")
            yield "plan of the change again", lambda: self._plan("second", Action.UNCHANGED)

    def _meet(self) -> str:
        """Asks the portal who it is, makes the pipeline of this rehearsal, and writes its two sheets."""
        with self._pipeline.build_backend(read_only=True) as portal:
            identity, count, self._can = portal.identity(), portal.count_users(), portal.capabilities()
            existing = next((group.path for group in portal.groups()), None) if self._can.groups else None
        group = (f"{self._prefix}group",) if self._can.groups and self._can.delete else existing
        self._pipeline = self._own_pipeline(with_groups=group is not None)
        self._folder.mkdir(mode=0o700, parents=True)
        self._changed = next(filter(self._stores, ("forename", "surname")), None)
        passwords = {number: f"Aa1-{secrets.token_urlsafe(12)}" for number in range(1, _PEOPLE + 1)}
        for name in ("first", "second"):
            users = [self._user(number, passwords[number], group) for number in passwords]
            if name == "second" and self._changed is not None:
                users = [{**user, self._changed: _CHANGED} for user in users]
            template(self._pipeline, self._sheet(name), users=users)
        users_there = f", {count:,} users" if count is not None else ""
        return f"{identity}{users_there}; the made-up users are called {self._prefix}1 to {_PEOPLE}"

    def _own_pipeline(self, *, with_groups: bool) -> Pipeline:
        was = self._pipeline.settings
        settings = was.model_copy(
            update={
                "on_error": "abort",
                "absent": "keep",
                "mode": "both",
                "scope": {},
                "hand_edits": {},
                "privileged": type(was.privileged)(),
                "limits": type(was.limits)(),
                "invites": was.invites.model_copy(update={"send_to": "none"}),
                "membership": was.membership.model_copy(update={"mode": "add", "missing": "create"}),
                "password": was.password.model_copy(update={"required": "never", "on_existing": "keep"}),
                "undo": was.undo.model_copy(update={"created": "delete" if self._can.delete else "deactivate"}),
                "keep": type(was.keep)(),
            }
        )
        by_column = [one for one in self._pipeline.resolvers if one.component.name == "paths"] if with_groups else []
        return replace(
            self._pipeline,
            settings=settings,
            state=self._folder,
            validators=(),
            resolvers=tuple(by_column[:1]),
            notifiers=(),
        )

    def _user(self, number: int, password: str, group: tuple[str, ...] | None) -> dict[str, str]:
        fields = (field for field in self._pipeline.fields.values() if field.needs_column)
        return {field.name: self._value(field, number, password, group) for field in fields}

    def _value(self, field: Field, number: int, password: str, group: tuple[str, ...] | None) -> str:
        name = f"{self._prefix}{number}"
        match field.name:
            case "email":
                return f"{name}@example.com"
            case "forename":
                return "Musterroll"
            case "surname":
                return f"Check {number}"
            case _ if field.name == PASSWORD:
                return password if self._can.passwords else ""
            case _ if field.name == GROUPS:
                return "" if group is None else "|".join(map(_escaped, group))
            case _ if field.secret:
                return ""
        if field.role is not None:
            return ""
        if field.choices:
            return field.choices[0]
        is_asked = field.name == USERNAME or field.required or field.name in self._pipeline.settings.match
        if not is_asked:
            return ""
        match field.type:
            case FieldType.INTEGER:
                return str(number)
            case FieldType.DATE:
                return "2026-12-31"
            case FieldType.EMAIL:
                return f"{name}@example.com"
            case FieldType.PHONE:
                return "+447712345678"
        return name[-(field.max_length or len(name)) :]

    def _stores(self, name: str) -> bool:
        field = self._pipeline.fields.get(name)
        return field is not None and field.needs_column and (self._can.fields is None or name in self._can.fields)

    def _sheet(self, name: str) -> Path:
        formats = writable_formats(self._pipeline)
        if not formats:
            raise MusterrollError("none of the pipeline's readers can write a sheet; try --set reader.use=auto")
        return self._folder / f"{name}{formats[0].suffix}"

    def _plan(self, sheet: str, action: Action) -> str:
        with plan(self._pipeline, self._sheet(sheet), progress=self._progress) as report:
            _refuse_problems(report)
            for change in (report.changes or tuple)():
                if change.action is action:
                    continue
                if action is Action.UNCHANGED and change.action is Action.CREATE:
                    raise MusterrollError(f"{change.username} was created, and lookup() does not find the user")
                if action is Action.UNCHANGED:
                    raise MusterrollError(f"the same sheet would change users once more: {_difference(change)}")
                raise MusterrollError(f"there is a user {change.username} already, or the portal finds another one")
        if action is Action.UNCHANGED:
            return "nothing would change"
        return f"{_PEOPLE} users would be created"

    def _run(self, sheet: str, outcome: str) -> str:
        with run(self._pipeline, self._sheet(sheet), progress=self._progress) as report:
            _refuse_problems(report)
            assert report.job is not None
            if (failure := next(report.job.failures(), None)) is not None:
                why = f": {failure.detail}" if failure.detail else ""
                raise MusterrollError(f"{failure.operation}, {failure.username or 'a group'}: {failure.status}{why}")
            if report.error is not None:
                raise report.error
            number = getattr(report.job.counts, outcome)
        if number != _PEOPLE:
            raise MusterrollError(f"{number} of {_PEOPLE} users were {outcome}")
        return f"{number} users were {outcome}"

    def _take_back(self, *, all_well: bool) -> str:
        """Undoes every job of this rehearsal, the last one first, and deletes what that leaves.

        Where the portal is not as a job left it, which is what is looked for here, an undo leaves users alone.
        """
        # Whoever interrupts it does not want the users to stay.
        calm = replace(self._pipeline, cancelled=threading.Event())
        jobs = [job.id for job in list_jobs(calm) if job.kind == JobKind.RUN] if self._folder.exists() else []
        kept = [reason for job in jobs for reason in self._undo(calm, job)]
        created = dict(pair for job in jobs for pair in _created(calm, job))
        with calm.build_backend(read_only=False) as portal:
            left = list(self._delete(portal, created))
        if left and kept:
            raise MusterrollError(f"something stays in the portal; delete {self._prefix}… there by hand: {left[0]}")
        if kept and all_well:
            raise MusterrollError(f"an undo left users alone; they were deleted without it: {kept[0]}")
        if not created:
            return "there is nothing to take back"
        return "the users are deleted" if self._can.delete else "the users are deactivated; this portal deletes none"

    def _undo(self, pipeline: Pipeline, job: str) -> Iterator[str]:
        """Undoes a job; yields what it could not take back."""
        try:
            with undo(pipeline, job, progress=self._progress) as report:
                yield from (one.message for one in report.problems() if one.code == "undo.kept")
                failures = report.job.failures() if report.job is not None else iter(())
                yield from (f"{one.operation}: {one.detail or one.status}" for one in failures)
        except MusterrollError as error:
            if error.code != "undo.nothing":
                yield error.message

    def _delete(self, portal: Portal, created: Mapping[str, str]) -> Iterator[str]:
        """Deletes the users of this rehearsal, by their refs, and its group; yields why that was not possible."""
        leave = DeleteUser if self._can.delete else Deactivate
        ops: list[Op] = [leave(id=secrets.token_hex(16), user=UserRef(ref, name)) for ref, name in created.items()]
        yield from _refusals(portal, ops)
        if self._can.groups and self._can.delete:
            groups = [GroupRef(one.ref, one.path) for one in portal.groups() if one.path[0].startswith(self._prefix)]
            yield from _refusals(portal, [DeleteGroup(id=secrets.token_hex(16), group=group) for group in groups])

    def _nothing_is_left(self) -> str:
        keys = [UserKey.of(USERNAME, f"{self._prefix}{number}") for number in range(1, _PEOPLE + 1)]
        with self._pipeline.build_backend(read_only=True) as portal:
            found = [user for users in portal.lookup(keys).values() for user in users]
        left = [user.username for user in found if self._can.delete or (self._can.deactivate and user.active)]
        if left:
            raise MusterrollError(f"{left[0]} was taken back, and lookup() still finds the user")
        return "nobody of them is found any more" if not found else "nobody of them is active any more"


def _told(name: str, step: Callable[[], str]) -> Examined:
    try:
        return Examined(name, Finding.OK, step())
    except MusterrollError as error:
        return Examined(name, Finding.FAILED, error.message)


def _created(pipeline: Pipeline, job: str) -> Iterator[tuple[str, str]]:
    """The users that a job created: ref and username."""
    with show_job(pipeline, job) as report:
        for change in (report.changes or tuple)():
            if change.action is Action.CREATE and change.ref is not None:
                yield change.ref, change.username


def _refusals(portal: Portal, ops: Sequence[Op]) -> Iterator[str]:
    for result in portal.execute(iter(ops)) if ops else ():
        if result.status not in (Status.DONE, Status.NOOP):
            yield result.detail or str(result.status)


def _refuse_problems(report: Report) -> None:
    for problem in report.problems():
        if problem.is_error:
            raise MusterrollError(f"{problem.code}: {problem.message}")


def _difference(change: Change) -> str:
    for name, (before, after) in change.fields.items():
        return f'the field "{name}" of {change.username} is {before!r} there and should be {after!r}; see canonical()'
    groups = ", ".join("|".join(group.path) for group in (*change.add, *change.remove))
    return f"{change.username}, {change.action}" + (f", groups: {groups}" if groups else "")


def _escaped(level: str) -> str:
    return level.replace("\\", "\\\\").replace("|", "\\|").replace(";", "\\;")
