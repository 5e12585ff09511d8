"""Whole pipelines in a test: a sheet that the test writes, a pipeline, and what came out as values.

    def test_sales_needs_a_badge(tmp_path):
        trial = PipelineTrial(tmp_path, ACME)
        result = trial.run([{"Username": "ana", "Forename": "Ana", "Department": "Sales"}])
        assert result.found == [("acme.badge", "I3")]
        assert trial.users == {}

Everything happens in this process and in one folder. Unless the pipeline says otherwise, the portal is one in memory;
whatever notifiers it has, no message leaves: they are kept.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias, cast
from uuid import uuid4

import tomli_w

from musterroll import engine
from musterroll.contract.components import NotifierType, UserBackendType
from musterroll.contract.context import Context
from musterroll.contract.fields import USERNAME
from musterroll.contract.messages import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.contract.options import Options
from musterroll.contract.problems import Problem
from musterroll.contract.roles import Notifier, UserBackend
from musterroll.contract.users import Existing, GroupPath, UserKey
from musterroll.errors import MusterrollError
from musterroll.pipeline.pipeline import Instance, Pipeline

TrialSheet: TypeAlias = Sequence[Mapping[str, str]] | str | Path
"""Rows by heading or field, a table as text (` | ` between cells, headings first), or a file."""

_SEPARATOR = re.compile(r"(?:(?<=\s)|^)\|(?=\s|$)")


class KeptMessage(NamedTuple):
    """A message that a pipeline has sent.

    Attributes:
        notifier: by which notifier, e.g. `mail`.
        username: to whom; None for one about the job.
        message: the message.
    """

    notifier: str
    username: str | None
    message: Message


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What a command found and did.

    Attributes:
        outcome: how it ended, e.g. `ok` or `problems`, as the JSON document's `status`.
        problems: what is wrong with the sheet.
        changes: what happens to each row that is not rejected, or would.
        counts: what became of the rows, without zeros, e.g. `{"rows": 2, "created": 2}`; of a plan or a validation, of
            the sheet's counts.
        failures: what went wrong in the portal or with a message.
        groups_to_create: the groups that are missing.
        error: why the command could not do its work.
    """

    outcome: engine.Outcome
    problems: tuple[Problem, ...]
    changes: tuple[engine.Change, ...]
    counts: Mapping[str, int]
    failures: tuple[engine.Failure, ...]
    groups_to_create: tuple[GroupPath, ...]
    error: MusterrollError | None

    @classmethod
    def of(cls, report: engine.Report) -> PipelineResult:
        """Reads a report to its end, and closes it."""
        with report:
            counts = asdict(report.counts if report.job is None else report.job.counts)
            return cls(
                outcome=report.outcome,
                problems=tuple(report.problems()),
                changes=tuple(report.changes()) if report.changes is not None else (),
                counts={name: number for name, number in counts.items() if number},
                failures=tuple(report.job.failures()) if report.job is not None else (),
                groups_to_create=tuple(report.groups_to_create or ()),
                error=report.error,
            )

    @property
    def found(self) -> list[tuple[str, str | None]]:
        """The problems as code and cell, e.g. `("email.invalid", "A3")`."""
        return [(problem.code, problem.cell) for problem in self.problems]

    @property
    def actions(self) -> dict[str, str]:
        """What happens to each user, e.g. `{"ana": "create"}`."""
        return {change.username: str(change.action) for change in self.changes}


class PipelineTrial:
    """A pipeline that sheets are tried with.

    Args:
        folder: where everything is kept; empty at first.
        pipeline: TOML as a text or as data, whose relative paths refer to the folder, or the path of a file. Without a
            `name` it is called `trial`; without a `backend` its portal is in memory.
        profile: the profile to use.
        plugins: modules (or files) whose plugins it may use without their being installed.
        backend: opens the portal instead of the pipeline's own, e.g. a `FaultyBackend`; is told `read_only`.
        clock: the time in UTC.

    Attributes:
        pipeline: the pipeline, as the engine has it.
        messages: what was sent, in order.

    Raises:
        PipelineError: the pipeline has mistakes.
    """

    def __init__(
        self,
        folder: Path,
        pipeline: str | Mapping[str, Any] | Path = "",
        *,
        profile: str | None = None,
        plugins: Sequence[ModuleType | Path] = (),
        backend: Callable[[bool], UserBackend] | None = None,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        self._folder = folder
        self.messages: list[KeptMessage] = []
        file = pipeline if isinstance(pipeline, Path) else self._written(pipeline, plugins)
        loaded = engine.load_pipeline(file, profile=profile)
        self.pipeline: Pipeline = replace(
            loaded,
            state=folder / ".musterroll",
            notifiers=tuple(map(self._kept, loaded.notifiers)),
            backend=loaded.backend if backend is None else _opened(loaded.backend, backend),
            clock=loaded.clock if clock is None else clock,
        )
        self._names: dict[str, None] = {}
        self._sheets = 0

    def validate(self, sheet: TrialSheet) -> PipelineResult:
        """Checks a sheet."""
        return PipelineResult.of(engine.validate(self.pipeline, self.write(sheet)))

    def plan(self, sheet: TrialSheet) -> PipelineResult:
        """Plans a sheet against the portal."""
        return self._result(engine.plan(self.pipeline, self.write(sheet)))

    def run(self, sheet: TrialSheet) -> PipelineResult:
        """Imports a sheet."""
        return self._result(engine.run(self.pipeline, self.write(sheet)))

    def resume(self, job: str = "last") -> PipelineResult:
        """Goes on with a job that did not end well."""
        return self._result(engine.resume(self.pipeline, job))

    def undo(self, job: str = "last") -> PipelineResult:
        """Takes back what a job did."""
        return self._result(engine.undo(self.pipeline, job))

    def write(self, sheet: TrialSheet) -> Path:
        """Writes a sheet as it is given, as csv; returns its file. Of rows, columns that nobody names are blank."""
        if isinstance(sheet, Path):
            return sheet
        headings, rows = _table(sheet) if isinstance(sheet, str) else self._by_heading(sheet)
        settings = self.pipeline.settings.sheet
        self._sheets += 1
        path = self._folder / f"sheet-{self._sheets}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for number in range(1, settings.first_row):
                writer.writerow(headings if number == settings.heading_row else [""] * len(headings))
            writer.writerows(rows)
        return path

    @property
    def users(self) -> dict[str, Existing]:
        """The users of the portal that were in one of the sheets, by username as it is stored."""
        keys = [UserKey.of(USERNAME, name) for name in self._names]
        with self.pipeline.build_backend(read_only=True) as portal:
            return {user.username: user for users in portal.lookup(keys).values() for user in users}

    @property
    def groups(self) -> set[GroupPath]:
        """The groups of the portal."""
        with self.pipeline.build_backend(read_only=True) as portal:
            return {group.path for group in portal.groups()} if portal.capabilities().groups else set()

    def groups_of(self, username: str) -> set[GroupPath]:
        """The groups that a user is in."""
        user = self.users[username]
        with self.pipeline.build_backend(read_only=True) as portal:
            return {group.path for group in portal.groups() if group.ref in user.groups}

    @property
    def invited(self) -> list[str]:
        """Who was invited, in order."""
        invites = (one for one in self.messages if one.message.purpose is Purpose.INVITE)
        return [one.username for one in invites if one.username is not None]

    def _result(self, report: engine.Report) -> PipelineResult:
        result = PipelineResult.of(report)
        for change in result.changes:
            self._names[change.username] = None
        return result

    def _written(self, pipeline: str | Mapping[str, Any], plugins: Sequence[ModuleType | Path]) -> Path:
        data = tomllib.loads(pipeline) if isinstance(pipeline, str) else dict(pipeline)
        own = {"name": "trial", "backend": {"use": "memory", "options": {"store": uuid4().hex}}}
        data = {**own, **data}
        if plugins:
            files = (one if isinstance(one, Path) else Path(str(one.__file__)) for one in plugins)
            data["plugins"] = [*data.get("plugins", ()), *(str(file.absolute()) for file in files)]
        path = self._folder / engine.DEFAULT_FILE
        path.write_text(tomli_w.dumps(data), encoding="utf-8")
        return path

    def _by_heading(self, rows: Sequence[Mapping[str, str]]) -> tuple[list[str], Iterable[list[str]]]:
        fields = [field for field in self.pipeline.fields.values() if field.has_column]
        name_of = {field.heading: field.name for field in fields}
        known = {name for field in fields for name in (field.name, field.heading)}
        others = dict.fromkeys(key for row in rows for key in row if key not in known)
        headings = [*(field.heading for field in fields), *others]

        def cells(row: Mapping[str, str]) -> list[str]:
            return [row.get(heading, row.get(name_of.get(heading, heading), "")) for heading in headings]

        return headings, map(cells, rows)

    def _kept(self, instance: Instance) -> Instance:
        """The notifier as it is, but that it keeps what it should send."""
        component = cast("NotifierType[Options]", instance.component)
        name = instance.label.partition("[")[2].rstrip("]") or str(instance.label)

        def build(options: Options, context: Context) -> Notifier:
            return _Keeper(component.build(options, replace(context, read_only=True)), name, self.messages)

        return replace(instance, component=replace(component, build=build))


class _Keeper:
    """A notifier that keeps what another one would send."""

    def __init__(self, inner: Notifier, name: str, messages: list[KeptMessage]) -> None:
        self._inner, self._name, self._messages = inner, name, messages
        self.channel = inner.channel

    def can_reach(self, user: Recipient) -> bool:
        return self._inner.can_reach(user)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        for message in messages:
            username = message.recipient.username if message.recipient is not None else None
            self._messages.append(KeptMessage(self._name, username, message))
            yield Sent(message.id, SentStatus.SENT)

    def close(self) -> None:
        self._inner.close()


def _opened(instance: Instance, backend: Callable[[bool], UserBackend]) -> Instance:
    component = cast("UserBackendType[Options]", instance.component)
    return replace(instance, component=replace(component, build=lambda _, context: backend(context.read_only)))


def _table(text: str) -> tuple[list[str], list[list[str]]]:
    lines = [[cell.strip() for cell in _SEPARATOR.split(line)] for line in text.strip().splitlines()]
    headings, *rows = lines
    for number, row in enumerate(rows, 2):
        if len(row) > len(headings):
            raise ValueError(f"line {number} of the table has {len(row)} cells, and there are {len(headings)} headings")
    return headings, rows
