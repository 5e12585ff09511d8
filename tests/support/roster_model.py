"""What a portal with its users comes to when sheets are imported, taken back and forgotten: as somebody would say it.

It knows nothing of plans, operations, answers and journals: that is what it is compared with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, count


@dataclass(frozen=True)
class Person:
    """A user of the portal.

    Attributes:
        name: the username.
        fields: what is filled in.
        active: whether the user is.
        groups: the groups, as `A|B`.
        number: tells two users of one person apart, of whom the first was deleted.
    """

    name: str
    fields: Mapping[str, str]
    active: bool = True
    groups: frozenset[str] = frozenset()
    number: int = field(default=0, compare=False)

    def values(self) -> dict[str, object]:
        """All of it, by the names that a plan has for it; groups apart."""
        return {**self.fields, "username": self.name, "active": self.active}


@dataclass
class Job:
    """What a job did: of each person what was there before, and after; the groups that it made, and those of then."""

    users: dict[str, tuple[Person | None, Person]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    is_undone: bool = False

    @property
    def did_anything(self) -> bool:
        return bool(self.users or self.groups)


@dataclass
class Model:
    """A portal, and what the ledgers of two pipelines know.

    Attributes:
        deletes: an undo deletes users who were created.
        clears: a blank cell clears.
        replaces: memberships that a row does not name are taken away, unless it names none.
        people: the users, by staff number.
        groups: the groups, each as `A|B`; with a number that tells two of one name apart.
        invited: by pipeline, who was invited and is known to have been.
    """

    deletes: bool
    clears: bool
    replaces: bool
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    invited: dict[str, set[str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def run(self, pipeline: str, rows: Mapping[str, Person]) -> tuple[Job, list[str]]:
        """Imports a sheet; returns what was done, and who is invited."""
        job, invited, known = Job(), [], self.invited.setdefault(pipeline, set())
        for staff, row in rows.items():
            before = self.people.get(staff)
            if before is None:
                after = replace(row, number=next(self._numbers))
                if staff not in known:
                    invited.append(staff)
                    known.add(staff)
            else:
                fields = row.fields if self.clears else {**before.fields, **row.fields}
                groups = row.groups if self.replaces and row.groups else before.groups | row.groups
                after = replace(before, name=row.name, fields=fields, active=True, groups=groups)
            outcome = "created" if before is None else "unchanged" if before == after else "updated"
            job.rows[outcome] = job.rows.get(outcome, 0) + 1
            if before != after:
                job.users[staff] = before, after
            self.people[staff] = after
            wanted = {part for group in row.groups for part in accumulate(group.split("|"), "{}|{}".format)}
            job.groups |= wanted - self.groups.keys()
            self.groups |= {group: next(self._numbers) for group in sorted(wanted - self.groups.keys())}
        job.numbers = dict(self.groups)
        return job, invited

    def undo(self, pipeline: str, job: Job) -> int:
        """Takes a job back; returns of how many users and groups something stays."""
        there = {group for group, number in self.groups.items() if job.numbers.get(group) == number}
        kept = sum(not self._take_back(pipeline, staff, *both, there) for staff, both in job.users.items())
        for group in sorted(job.groups & there, key=len, reverse=True):
            others = any(other.startswith(f"{group}|") for other in self.groups)
            if others or any(group in person.groups for person in self.people.values()):
                kept += 1
            else:
                del self.groups[group]
        job.is_undone = not kept
        return kept

    def forget(self, pipeline: str, jobs: Iterable[Job], staff: str, names: Collection[str]) -> None:
        """Takes a person out of what a pipeline knows: nothing of them is taken back, nor what names them."""

        def without(one: Person | None) -> Person | None:
            if one is None:
                return None
            return replace(one, fields={field: text for field, text in one.fields.items() if field not in forgotten})

        self.invited.get(pipeline, set()).discard(staff)
        for job in jobs:
            job.users.pop(staff, None)
            for other, (before, after) in job.users.items():
                both = (after,) if before is None else (before, after)
                forgotten = {field for one in both for field, text in one.fields.items() if text in names}
                job.users[other] = without(before), without(after)  # type: ignore[assignment]

    def _take_back(
        self, pipeline: str, staff: str, before: Person | None, after: Person, there: Collection[str]
    ) -> bool:
        now = self.people.get(staff)
        names = {after.name} if before is None else {before.name, after.name}
        if now is None or now.number != after.number or now.name not in names:
            return False  # gone, somebody else, or renamed since
        if before is None:
            is_same = all(now.fields.get(name) == text for name, text in after.fields.items())
            if not is_same or now.groups - after.groups.intersection(there):
                return False
            if self.deletes:
                del self.people[staff]
                self.invited[pipeline].discard(staff)
            else:
                self.people[staff] = replace(now, active=False, groups=frozenset())
            return True
        values, was, made = now.values(), before.values(), after.values()
        changed = {name for name in {*was, *made} if was.get(name) != made.get(name)}
        for name in changed:
            if values.get(name) == made.get(name):
                values[name] = was.get(name)
        username, active = values.pop("username"), values.pop("active")
        fields = {name: str(text) for name, text in values.items() if text}
        back = before.groups - after.groups
        groups = now.groups - (after.groups - before.groups).intersection(there) | back.intersection(there)
        self.people[staff] = Person(str(username), fields, bool(active), groups, now.number)
        is_back = all(values.get(name) == was.get(name) for name in changed - {"username", "active"})
        return is_back and back.issubset(there)
