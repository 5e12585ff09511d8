"""Takes a person out of the journal. That somebody was there can still be seen, and no longer who."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace

from musterroll.contract.text import fold
from musterroll.journal.change import Action, PasswordAction
from musterroll.journal.damage import decoded
from musterroll.journal.job import Job, read_jobs
from musterroll.journal.journal import Journal
from musterroll.journal.roster import OWNER
from musterroll.journal.sheet_parts import forget_rows
from musterroll.journal.unchanged import take_out, unchanged_rows
from musterroll.sheet.summary import SheetSummary

FORGOTTEN = "(forgotten)"
"""Stands where a name, or a sentence with it, was."""

_EMAIL = "email"
_OF_OWNERS = ("managed", "roster", "uninvited")  # tables that know the pipeline and the portal by a number
_BY_REF = ("invite", "password_reset", "invited_as", "taken_back")
_NAMED = (
    *(
        f"SELECT pipeline, identity, ref, username FROM {table} JOIN owner ON number = owner"  # noqa: S608 -- constants
        for table in _OF_OWNERS
    ),
    "SELECT pipeline, identity, ref, username FROM invite",
    "SELECT pipeline, identity, ref, username FROM made_name JOIN owner ON number = owner WHERE ref IS NOT NULL",
    (
        "SELECT pipeline, identity, ref, value FROM last_values JOIN owner ON number = owner, json_each(fields) "
        "WHERE key = 'username'"
    ),
)
# Where sentences are kept, which may name anybody; what cannot be empty, and what can.
_SENTENCES = (
    ("problem", "message", FORGOTTEN),
    ("problem", "suggestion", None),
    ("problem", "also", None),
    ("operation", "detail", FORGOTTEN),
    ("refused", "why", FORGOTTEN),
    ("invite", "detail", FORGOTTEN),
    ("uninvited", "reason", FORGOTTEN),
    ("row", "reason", FORGOTTEN),
    ("row", "recipient", None),
    ("row", "hand_edits", None),
    ("job", "error", FORGOTTEN),
)
# Where others' fields are kept, by name. Those go that name the person; all else of them can be taken back still.
_FIELDS = ("row", "last_values", "agreed")


@dataclass(slots=True)
class Person:
    """Where a person is in a journal.

    Attributes:
        names: usernames, folded: those that the person had, and has.
        addresses: e-mail addresses, folded.
        refs: ids, each with pipeline and portal.
        rows: row numbers by job.
        messages: the ids of invites.
        chosen: jobs that were told to take only the rows of some people, with what they were told instead.
    """

    names: set[str]
    addresses: set[str] = field(default_factory=set)
    refs: set[tuple[str, str, str]] = field(default_factory=set)
    rows: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    messages: set[str] = field(default_factory=set)
    chosen: dict[str, SheetSummary] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether anything is kept of the person."""
        return bool(self.refs or self.rows or self.messages or self.chosen)

    @property
    def texts(self) -> set[str]:
        """What the person can be recognised by, folded."""
        return {text for text in self.names | self.addresses if text}


@decoded
def find_person(journal: Journal, username: str) -> Person:
    """Finds out where a person is: under that name, and under those that one and the same id had besides."""
    person = Person({fold(username)} - {"", fold(FORGOTTEN)})  # rows of nobody known, and of whoever has gone
    jobs = {job.id: (job.pipeline, job.identity) for job in read_jobs(journal)}
    size = -1
    while size != (size := len(person.names) + len(person.refs)):  # a name leads to ids, and these to former names
        for query in _NAMED:
            for pipeline, identity, ref, name in journal.stream(query):
                _take(person, (pipeline, identity, ref), name)
        for job, row, name, folded, ref, fields in journal.stream(
            "SELECT job, row, username, folded, ref, fields FROM row"
        ):
            owner = (*jobs.get(job, ("", "")), ref)
            if folded in person.names or fold(name) in person.names or (ref and owner in person.refs):
                person.rows[job].add(row)
                person.names |= {fold(name), folded} - {"", fold(FORGOTTEN)}
                if ref:
                    person.refs.add(owner)
                person.addresses.update(_addresses(fields))
    for job in jobs:
        person.rows[job].update(
            change.row
            for change in unchanged_rows(journal, job)
            if change.row and fold(change.username) in person.names
        )
    person.rows = defaultdict(set, {job: rows for job, rows in person.rows.items() if rows})
    for pipeline, identity, ref, message in journal.stream("SELECT pipeline, identity, ref, message FROM invite"):
        if (pipeline, identity, ref) in person.refs:
            person.messages.add(message)
    for record in read_jobs(journal):
        if (sheet := _without(record.sheet, person.names)) != record.sheet:
            person.chosen[record.id] = sheet
    return person


def may_be_rejected(journal: Journal, job: str, person: Person) -> bool:
    """Whether a row of a job was rejected that is the person's, or that nobody knows whose it is."""
    rejected = journal.stream("SELECT row, username FROM row WHERE job = ? AND action = ?", (job, Action.REJECTED))
    return any(not username or row in person.rows.get(job, ()) for row, username in rejected)


def _without(sheet: SheetSummary, names: Set[str]) -> SheetSummary:
    """The summary of a sheet that names nobody of these as chosen."""
    if sheet.chosen is None:
        return sheet
    users = tuple(FORGOTTEN if fold(user) in names else user for user in sheet.chosen.users)
    return replace(sheet, chosen=replace(sheet.chosen, users=users))


def _take(person: Person, owner: tuple[str, str, str], name: str) -> None:
    if fold(name) in person.names or owner in person.refs:
        person.refs.add(owner)
        person.names.add(fold(name))


def _addresses(fields: str) -> Iterator[str]:
    """The addresses in a row's fields, before and after."""
    found = json.loads(fields).get(_EMAIL) or ()
    yield from (fold(str(value)) for value in ([found] if isinstance(found, str) else found) if value)


def forget_person(journal: Journal, person: Person) -> None:
    """Takes a person out, in one transaction; what is deleted is overwritten.

    Rows stay where they are, so that the counts of their jobs are true. Nothing of them can go on or be taken back.
    """
    journal.execute("PRAGMA secure_delete = ON").fetchall()
    with journal.transaction():
        for job, rows in person.rows.items():
            _forget_rows(journal, job, sorted(rows))
        for job, sheet in person.chosen.items():
            Job(journal, job).set_sheet(sheet)
        for table in (*_OF_OWNERS, "last_values"):
            journal.executemany(
                f"DELETE FROM {table} WHERE owner = {OWNER} AND ref = ?3",  # noqa: S608 -- constants
                sorted(person.refs),
            )
        for table in _BY_REF:
            journal.executemany(
                f"DELETE FROM {table} WHERE pipeline = ? AND identity = ? AND ref = ?",  # noqa: S608 -- a constant
                sorted(person.refs),
            )
        journal.executemany("DELETE FROM made_name WHERE folded = ?", [(name,) for name in sorted(person.names)])
        for table, column, instead in _SENTENCES:
            _forget_texts(journal, table, column, _instead(instead), person.texts)
        for table in _FIELDS:
            _forget_texts(journal, table, "fields", _without_what_names, person.texts)


def _forget_rows(journal: Journal, job: str, rows: list[int]) -> None:
    packed = {number for number, *_ in take_out(journal, job, rows)}
    journal.executemany(
        "INSERT INTO row (job, row, username, folded, action, password, fields) VALUES (?, ?, ?, '', ?, ?, '{}')",
        [(job, row, FORGOTTEN, Action.UNCHANGED, PasswordAction.NONE) for row in sorted(packed)],
    )
    keys = [(job, row) for row in rows]
    journal.executemany(
        "UPDATE row SET username = ?, folded = '', password = ?, fields = '{}', ref = NULL, invite = NULL, "
        "channel = NULL, reason = NULL, recipient = NULL, seen = NULL, known_as = NULL, made = NULL, who = NULL, "
        "hand_edits = NULL, add_to = NULL, remove_from = NULL, "
        "action = CASE action WHEN ? THEN action ELSE ? END WHERE job = ? AND row = ?",
        [(FORGOTTEN, PasswordAction.NONE, Action.REJECTED, Action.UNCHANGED, *key) for key in keys],
    )
    journal.executemany(
        "UPDATE problem SET message = ?, suggestion = NULL, also = NULL WHERE job = ? AND row = ?",
        [(FORGOTTEN, *key) for key in keys],
    )
    forget_rows(journal, job, rows)
    for table in ("operation", "refused", "agreed"):
        journal.executemany(f"DELETE FROM {table} WHERE job = ? AND row = ?", keys)  # noqa: S608 -- a constant
    gone = "value IN (SELECT value FROM json_each(?2))"
    journal.execute(
        f"UPDATE operation SET members = (SELECT json_group_array(value) FROM json_each(members) WHERE NOT {gone}) "  # noqa: S608 -- a constant
        f"WHERE job = ?1 AND members IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(members) WHERE {gone})",
        (job, json.dumps(rows)),
    )
    # Of a job that may go on: nobody is left whom these would be for.
    journal.execute("DELETE FROM operation WHERE job = ? AND members = '[]' AND state <> 'done'", (job,))


def _instead(text: str | None) -> Callable[[str, re.Pattern[str]], str | None]:
    return lambda _sentence, _pattern: text


def _without_what_names(fields: str, pattern: re.Pattern[str]) -> str:
    """Takes those out of some fields that name somebody."""

    def names(value: object) -> bool:
        return pattern.search(fold(json.dumps(value, ensure_ascii=False))) is not None

    left = {name: value for name, value in json.loads(fields).items() if not names(value)}
    return json.dumps(left, ensure_ascii=False, separators=(",", ":"))


def _forget_texts(
    journal: Journal,
    table: str,
    column: str,
    instead: Callable[[str, re.Pattern[str]], str | None],
    texts: Iterable[str],
) -> None:
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in sorted(texts, key=len, reverse=True)))
    keys = [
        name for (name,) in journal.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
    ]
    which = " AND ".join(f"{name} = ?" for name in keys)
    found = [
        (instead(str(text), pattern), *values)
        for text, *values in journal.execute(
            f"SELECT {', '.join([column, *keys])} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 -- constants
        )
        if pattern.search(fold(str(text)))
    ]
    journal.executemany(f"UPDATE {table} SET {column} = ? WHERE {which}", found)  # noqa: S608
