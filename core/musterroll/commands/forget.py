"""`forget`: takes a person out of everything that is kept, in an order that can be cut off and begun anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musterroll.commands.job import locked
from musterroll.contract.edits import CellEdit, SheetEdits
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext
from musterroll.errors import RefusedError, SourceError, StateError, UsageError
from musterroll.journal.forget import FORGOTTEN, Person, find_person, forget_person, may_be_rejected
from musterroll.journal.job import JobRecord, read_jobs
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.run import Run
from musterroll.sheet.headings import find_columns
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.values import shown
from musterroll.written.edited_copy import change_in_place
from musterroll.written.rejected import find_rejected, note_changed_file


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a person was taken out of.

    Attributes:
        rows: so many rows of jobs.
        messages: so many messages that were kept or noted.
        files: files of rejected rows that were changed.
        backups: older journals that were taken away, since they are kept as they were.
        not_found: files of rejected rows that may name the person, and are not where they were written.
        left: files that name the person, or cannot be read, and are not certainly such files.
    """

    rows: int
    messages: int
    files: tuple[str, ...]
    backups: tuple[str, ...]
    not_found: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        return {
            "forgotten": {
                "rows": self.rows,
                "messages": self.messages,
                "files": list(self.files),
                "backups": list(self.backups),
                "not_found": list(self.not_found),
                "left": list(self.left),
            }
        }


def forget(pipeline: Pipeline, user: str, *, confirm: Callable[[int], bool] = lambda rows: True) -> Forgotten:
    """Takes a person out of journal, ledger, before-images, kept messages and files of rejected rows.

    What lies outside of the journal goes first: as long as the journal knows the person, it can be begun anew.

    Args:
        pipeline: whose state.
        user: the username.
        confirm: asked with the number of rows, before anything is changed.

    Raises:
        UsageError: nothing is kept of such a person.
        RefusedError: the person declined, or another process is at work.
        MusterrollError: something cannot be taken away; the journal knows the person still.
    """
    journal = Journal.open_existing(pipeline.state, pipeline.name)
    if journal is None:
        raise _nothing(user)
    with locked(Run(pipeline, journal, "forget")):
        person = find_person(journal, user)
        if not person.is_known:
            _overwrite(journal)  # perhaps that was cut off the last time
            raise _nothing(user)
        rows = sum(map(len, person.rows.values()))
        if not confirm(rows):
            raise RefusedError(gettext("declined; nobody was forgotten"), code="declined")
        for instance in pipeline.notifiers:
            with pipeline.build_notifier(instance, read_only=False) as notifier:
                notifier.forget(sorted(person.messages))
        files = _clean_files(pipeline, journal, person)
        backups = tuple(_remove_backups(journal))
        forget_person(journal, person)
        _overwrite(journal)
    journal.close()
    return Forgotten(
        rows, len(person.messages), tuple(files.changed), backups, tuple(files.not_found), tuple(files.left)
    )


def _nothing(user: str) -> UsageError:
    return UsageError(
        gettext('nothing is kept of "{user}"; `musterroll invites list` shows who is known', user=user),
        code="forget.nothing",
    )


def _overwrite(journal: Journal) -> None:
    """Leaves nothing of what was deleted, neither in the file nor beside it."""
    try:
        journal.shrink()
    except StateError as error:
        raise StateError(
            gettext(
                "{message}; run `musterroll forget` once more, so that nothing is left in the file",
                message=error.message,
            )
        ) from None


def _remove_backups(journal: Journal) -> Iterator[str]:
    """Takes copies of earlier versions away, which an update has kept as they were."""
    assert journal.path is not None
    for file in sorted(journal.path.parent.glob(f"{journal.path.name}.v*.bak*")):
        file.unlink()
        yield str(file)


@dataclass(frozen=True, slots=True)
class _Files:
    """Files of rejected rows. See `Forgotten`."""

    changed: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def _clean_files(pipeline: Pipeline, journal: Journal, person: Person) -> _Files:
    """Empties the person's rows in files of rejected rows, whoever has changed these since."""
    done, jobs = _Files(), defaultdict[str, list[JobRecord]](list)
    for record in read_jobs(journal, "rejected_file IS NOT NULL"):
        jobs[record.rejected_file or ""].append(record)
    for written, records in jobs.items():
        found = find_rejected(journal, records)
        for path in reversed(found.ours):  # that where it was written last: it is what is noted
            try:
                opened = OpenSheet(pipeline, path)
            except SourceError:  # it is somebody's other file by now
                continue
            if cells := list(_cells(pipeline, opened, person)):
                edits = SheetEdits(cells=cells.__iter__, drops_earlier_notes=True)
                change_in_place(pipeline, opened, edits, "forget")
                with journal.transaction():
                    note_changed_file(journal, written, path)
                done.changed.append(str(path))
        left = [str(path) for path in found.others if _names(pipeline, path, person)]
        done.left.extend(left)
        if not (found.ours or left) and any(may_be_rejected(journal, record.id, person) for record in records):
            done.not_found.append(written)
    return done


def _names(pipeline: Pipeline, path: Path, person: Person) -> bool:
    """Whether a file has a row of the person, or nobody can tell."""
    try:
        return any(True for _ in _cells(pipeline, OpenSheet(pipeline, path), person))
    except SourceError:
        return True


def _cells(pipeline: Pipeline, opened: OpenSheet, person: Person) -> Iterator[CellEdit]:
    at: int | None = None
    with opened.as_it_is(opened.source.sha256) as (_, rows):
        for row in rows:
            texts = [fold(shown(cell) or "") for cell in row.cells]
            if row.number == pipeline.settings.sheet.heading_row:
                at = find_columns(row.cells, row.number, pipeline.fields).reasons
            elif row.number >= pipeline.settings.sheet.first_row and person.texts.intersection(texts):
                for column, text in enumerate(texts):
                    if text or column == at:
                        yield CellEdit(row.number, column, FORGOTTEN if column == at else "")
