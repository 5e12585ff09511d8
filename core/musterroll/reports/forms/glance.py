"""A report at a glance: what every form of it begins with. Bounded, whatever the sheet."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import PurePath
from typing import NamedTuple

from musterroll.contract.problems import Problem
from musterroll.contract.terms import term
from musterroll.contract.translation import counted, gettext, gettext_noop, ngettext
from musterroll.contract.users import GroupPath, group_text
from musterroll.journal.change import Action, Change
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import Failure, JobSummary

LISTED = 2000
"""So many problems, changes, failures and groups are listed one by one; the others are counted."""

_TOLD_APART = 100  # so many reasons
_OTHERS = gettext_noop("other reasons")


class Mood(StrEnum):
    """What a number says to whoever looks at it."""

    GOOD = "good"
    QUIET = "quiet"
    WAITING = "waiting"
    BAD = "bad"


class Part(NamedTuple):
    """Some of the rows, of which all parts together make the bar: how many, and what became of them."""

    name: str
    rows: int
    mood: Mood


class Invites(NamedTuple):
    """Users by what became of their invite, or what is planned."""

    name: str
    users: int


@dataclass(slots=True)
class Changes:
    """The changes of a report, looked at once.

    Attributes:
        actions: how many there are of each.
        listed: those that have something to say, up to so many.
        hidden: how many there are of each action that have something to say, too.
        planned: how many users are invited, by what.
        not_invited: how many are not, by the reason.
        groups: how many members each group gets and loses, as far as they are told apart.
    """

    actions: Counter[Action] = field(default_factory=Counter)
    listed: list[Change] = field(default_factory=list)
    hidden: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    not_invited: Counter[str] = field(default_factory=Counter)
    groups: dict[GroupPath, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report, *, most: int = LISTED) -> Changes:
        """Looks at the changes of a report."""
        found = cls()
        for change in report.changes() if report.changes is not None else ():
            found._add(change, most)
        return found

    def _add(self, change: Change, most: int) -> None:
        self.actions[change.action] += 1
        invite = change.invite
        if invite.send:
            self.planned[
                gettext("to invite by {channel}", channel=term(invite.channel))
                if invite.channel
                else gettext("to invite")
            ] += 1
        elif invite.reason:
            reason = gettext("not invited: {reason}", reason=term(invite.reason))
            known = reason in self.not_invited or len(self.not_invited) < _TOLD_APART
            self.not_invited[reason if known else gettext(_OTHERS)] += 1
        for place, targets in enumerate((change.add, change.remove)):
            for target in targets:
                if target.path in self.groups or len(self.groups) < LISTED:
                    self.groups.setdefault(target.path, [0, 0])[place] += 1
        if not says_something(change):
            return
        if len(self.listed) < most:
            self.listed.append(change)
        else:
            self.hidden[change.action] += 1


@dataclass(frozen=True, slots=True)
class Glance:
    """What is told first.

    Attributes:
        title: what was done, with what.
        verdict: how it ended, in a sentence.
        mood: of the verdict.
        parts: the rows by what became of them; those that there are.
        facts: what else to know of it, each with its name.
        error: what went wrong, where the command could not do its work.
    """

    title: str
    verdict: str
    mood: Mood
    parts: tuple[Part, ...]
    facts: tuple[tuple[str, str], ...]
    error: str | None

    @classmethod
    def of(cls, report: Report, changes: Changes) -> Glance:
        """Looks at a report."""
        verdict, mood = _verdict(report)
        stopped = report.job.error if report.job is not None else None
        return cls(
            title=_title(report),
            verdict=verdict,
            mood=mood,
            parts=tuple(part for part in _parts(report, changes) if part.rows),
            facts=tuple(_facts(report)),
            error=report.error.message if report.error is not None else stopped,
        )


def says_something(change: Change) -> bool:
    """Whether a change is worth a line: who stays as is, is not invited, and was not changed by hand, is not."""
    stays = change.action in (Action.UNCHANGED, Action.IGNORED)
    return not stays or change.invite.send or bool(change.hand_edits)


def told_problems(report: Report) -> tuple[list[Problem], Counter[str]]:
    """Returns the problems that are listed one by one, and how many more there are of which code."""
    listed: list[Problem] = []
    hidden: Counter[str] = Counter()
    for problem in report.problems():
        if len(listed) < LISTED:
            listed.append(problem)
        else:
            hidden[problem.code] += 1
    return listed, hidden


def told_failures(report: Report) -> tuple[list[Failure], int]:
    """Returns the failures that are listed one by one, and how many more there are."""
    failures = report.job.failures() if report.job is not None else iter(())
    listed = [failure for failure, _ in zip(failures, range(LISTED), strict=False)]
    return listed, sum(1 for _ in failures) if len(listed) == LISTED else 0


def told_invites(report: Report, changes: Changes) -> list[Invites]:
    """Returns what there is to say of invites: what became of them, or what is planned."""
    job = report.job
    became = [] if job is None else [(term(name), getattr(job.invites, name)) for name in ("sent", "held", "failed")]
    planned = changes.planned if job is None else Counter[str]()
    told = (planned + changes.not_invited).most_common()
    return [Invites(name, count) for name, count in chain(became, told) if count]


def _title(report: Report) -> str:
    job = report.job
    if job is not None:
        return gettext("Job {job}: {about}", job=job.id, about=_about(job))
    if report.sheet is None:
        return gettext("Plan of the sheet") if report.command == "plan" else gettext("Check of the sheet")
    name = _name(report.sheet.path)
    return gettext("Plan of {name}", name=name) if report.command == "plan" else gettext("Check of {name}", name=name)


def _about(job: JobSummary) -> str:
    return gettext("undo of {job}", job=job.undoes) if job.undoes else _name(job.sheet) or gettext("invites")


def _name(path: str) -> str:
    """The name of a file; where it is stands among the facts."""
    return PurePath(path).name


_MOODS = {
    Outcome.OK: Mood.GOOD,
    Outcome.PROBLEMS: Mood.WAITING,
    Outcome.INTERRUPTED: Mood.WAITING,
    Outcome.REFUSED: Mood.BAD,
    Outcome.FAILED: Mood.BAD,
    Outcome.ERROR: Mood.BAD,
}
_STATES = {
    "completed": (gettext_noop("Completed."), Mood.GOOD),
    "undone": (gettext_noop("Taken back."), Mood.GOOD),
    "completed_with_errors": (gettext_noop("Completed, but not for every row."), Mood.WAITING),
    "partially_undone": (gettext_noop("Taken back, but not all of it."), Mood.WAITING),
    "interrupted": (gettext_noop("Interrupted; it can be gone on with."), Mood.WAITING),
    "paused": (gettext_noop("Paused; it can be gone on with."), Mood.WAITING),
    "running": (gettext_noop("It is at work, or its end could not be noted."), Mood.WAITING),
    "aborted": (gettext_noop("Nothing was written: the sheet has errors."), Mood.BAD),
    "quarantined": (gettext_noop("Nothing was written: a limit is exceeded."), Mood.BAD),
    "failed": (gettext_noop("It failed on the way; it can be gone on with."), Mood.BAD),
}


def _verdict(report: Report) -> tuple[str, Mood]:
    if report.job is not None:
        text, mood = _STATES[report.job.state]
        return gettext(text), mood
    counts = report.counts
    found = list(_found(counts.errors, counts.warnings))
    problems = f"{gettext(' and ').join(found)}." if found else gettext("No problems.")
    mood = _MOODS[report.outcome]
    if counts.warnings and mood is Mood.GOOD:
        problems = f"{problems} {gettext('Warnings keep nothing out.')}"
    if report.command != "plan":
        return problems, mood
    if report.keeps_all_out:
        kept_out = gettext("With these errors nothing at all is written: correct the sheet first.")
        return f"{problems} {kept_out}", Mood.BAD
    return f"{problems} {gettext('Nothing was written: this is what would be done.')}", mood


def _found(errors: int, warnings: int) -> Iterator[str]:
    if errors:
        yield ngettext("{count} error", "{count} errors", errors, count=counted(errors))
    if warnings:
        yield ngettext("{count} warning", "{count} warnings", warnings, count=counted(warnings))


_OUTCOMES = {
    "created": Mood.GOOD,
    "updated": Mood.GOOD,
    "deactivated": Mood.GOOD,
    "reactivated": Mood.GOOD,
    "deleted": Mood.GOOD,
    "unchanged": Mood.QUIET,
    "ignored": Mood.QUIET,
    "not_attempted": Mood.WAITING,
    "unknown": Mood.WAITING,
    "rejected": Mood.BAD,
    "failed": Mood.BAD,
}
ACTIONS = {
    Action.CREATE: (gettext_noop("to create"), Mood.GOOD),
    Action.UPDATE: (gettext_noop("to update"), Mood.GOOD),
    Action.DEACTIVATE: (gettext_noop("to deactivate"), Mood.WAITING),
    Action.REACTIVATE: (gettext_noop("to reactivate"), Mood.GOOD),
    Action.DELETE: (gettext_noop("to delete"), Mood.WAITING),
    Action.UNCHANGED: (gettext_noop("unchanged"), Mood.QUIET),
    Action.IGNORED: (gettext_noop("ignored"), Mood.QUIET),
}
"""What a plan says of each action, and its mood. Rejected rows are counted, not listed among the changes."""


def _parts(report: Report, changes: Changes) -> Iterable[Part]:
    counts, job = report.counts, report.job
    if job is not None and job.kind == "invite":
        for name, mood in (("sent", Mood.GOOD), ("skipped", Mood.QUIET), ("held", Mood.WAITING), ("failed", Mood.BAD)):
            yield Part(gettext("invites {state}", state=term(name)), getattr(job.invites, name), mood)
    elif job is not None:
        for name, mood in _OUTCOMES.items():
            yield Part(term(name), getattr(job.counts, name), mood)
    elif report.changes is not None:
        for action, (name, mood) in ACTIONS.items():
            yield Part(gettext(name), changes.actions[action], mood)
        yield Part(gettext("rejected"), counts.invalid, Mood.BAD)
    else:
        yield Part(gettext("without errors"), counts.valid, Mood.GOOD)
        yield Part(gettext("with errors"), counts.invalid, Mood.BAD)
    yield Part(gettext("not read"), counts.not_read, Mood.WAITING)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    pipeline = report.pipeline
    if report.profile:
        pipeline = gettext("{pipeline} with the profile {profile}", pipeline=pipeline, profile=report.profile)
    yield gettext("Pipeline"), pipeline
    sheet, job, counts = report.sheet, report.job, report.counts
    for group in report.privileged:
        name = group_text(group.path)
        told = gettext(
            "{group}: {added} members added, {removed} taken out",
            group=name,
            added=counted(group.add),
            removed=counted(group.remove),
        )
        yield gettext("Privileged group"), told
    if sheet is not None:
        path = sheet.path
        if sheet.sheet is not None:
            path = gettext("{path}, worksheet {name}", path=path, name=sheet.sheet)
        yield gettext("Sheet"), path
        yield gettext("Rows"), counted(counts.rows)
        yield gettext("SHA-256 of the sheet"), sheet.sha256
    if job is not None:
        yield gettext("Started"), _time(job.started)
        if job.finished is not None:
            yield gettext("Finished"), _time(job.finished)
        if job.plan is not None:
            yield gettext("Saved plan"), job.plan
        if job.approved is not None:
            by = gettext("by {name}, {time}", name=job.approved.by, time=_time(job.approved.at))
            yield gettext("Approved"), by
        if job.rejected_file is not None:
            yield gettext("Rejected rows"), job.rejected_file
    for note in sheet.notes if sheet is not None else ():
        yield gettext("Note"), note


def _time(text: str) -> str:
    """An ISO 8601 time in the person's own time zone, to the minute."""
    try:
        return dt.datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M %Z")
    except (ValueError, OverflowError, OSError):
        return text
