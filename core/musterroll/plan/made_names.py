"""Makes usernames: the one that a person has already, else the first one that nobody has.

A person is looked for in the portal by the fields that recognise users, then in what the pipeline remembers. Whoever is
found keeps the name. All others get names in the order of the sheet; a name is free if neither the portal has it, nor
this sheet, nor anybody for whom it is remembered. Everything is looked up for a batch of rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, islice
from typing import Protocol, TypeAlias

from musterroll.contract.fields import USERNAME, FieldSet, NameForms
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Row
from musterroll.contract.templates import Template
from musterroll.contract.text import clean, fold
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import Existing, UserKey
from musterroll.journal.change import NOTHING_MADE, Made
from musterroll.journal.made_names import KnownName
from musterroll.pipeline.made_names import BASE, NUMBER
from musterroll.plan.matches import LooksUp
from musterroll.sheet.checks import CheckedBatch
from musterroll.sheet.identities import Identities

Identity: TypeAlias = tuple[str, ...]

_KEYS = 1000  # so many names are looked up at once
_LOST = gettext_noop(
    'The portal no longer has the user "{name}", as this person is called: deleted there, or renamed? The user is '
    "created again"
)
_ANOTHER = gettext_noop(
    'This person\'s username is "{name}", and the portal now has another user of that name; say in the column '
    "{heading} which username is right"
)
_NAMESAKE = gettext_noop(
    'The portal has a user "{other}", of whom it cannot be told whether that is this person: write {other} into the '
    "column {heading} if they are one, else {name}"
)
_SAME = gettext_noop(
    "What says who this is ({fields}) is the same as in row {first}: delete one of the two rows, or tell them apart"
)
_USED_UP = gettext_noop(
    "All usernames that can be made for this row are taken; write another one into the column {heading}"
)
_NO_NAME = gettext_noop(
    "No username can be made for this row, because nothing is left of what it is made of ({fields}): fill it in, or "
    "write a username into the column {heading}"
)
_TOO_LONG = gettext_noop(
    'The username that is made, "{name}", is too long: {max} characters are allowed; write a shorter one into the '
    "column {heading}"
)


class _Series:
    """The names that can be made for people of one name, in order. Each is tried once, whoever wants it.

    Args:
        names: the names.

    Attributes:
        people: usernames of the portal's users who have such names, by what recognises them.
        unknown: such a user of whom nobody knows who it is.
        has_more: whether there may be more names.
    """

    def __init__(self, names: Iterator[str]) -> None:
        self._names = names
        self._ahead: list[str] = []
        self._block = 1
        self.people: dict[Identity, str] = {}
        self.unknown: str | None = None
        self.has_more = True

    def look_ahead(self, wanted: int) -> list[str]:
        """Returns the names to be looked up next; each time twice as many, as most may be taken."""
        missing = max(wanted, self._block) - len(self._ahead)
        self._block = min(self._block * 2, _KEYS)
        found = list(islice(self._names, max(missing, 0)))
        self.has_more = len(found) >= missing
        self._ahead += found
        return self._ahead

    def take(self) -> str | None:
        """Returns the next name that was looked up; None where there is none."""
        return self._ahead.pop(0) if self._ahead else None

    def put_back(self, name: str) -> None:
        """Puts a name back that nobody can have."""
        self._ahead.insert(0, name)


class RemembersNames(Protocol):
    """Knows the names that were made before; see `MadeNames`."""

    def of(self, whos: Iterable[str]) -> Mapping[str, KnownName]:
        """Returns the names of people, by the digests of what they are recognised by."""
        ...

    def owners(self, folded: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Returns by what the people are recognised who have names; the names folded."""
        ...

    def ours(self, refs: Iterable[str]) -> Mapping[str, str]:
        """Returns the names of users of this pipeline, by their ids."""
        ...


class UsernameMaker:
    """Makes the usernames of a sheet.

    Args:
        fields: the fields of a user; usernames are made.
        match: the fields that recognise a user, first choice first.
        kept: the fields that the portal has a place for; None for all of them.
        names: those that were made before.
        salt: for digests of what people are recognised by.
        tell: takes the problems; returns each as it counts, None where it does not.
    """

    def __init__(
        self,
        fields: FieldSet,
        match: Sequence[str],
        *,
        kept: Container[str] | None,
        names: RemembersNames,
        salt: bytes,
        tell: Callable[[Problem], Problem | None],
    ) -> None:
        first, forms = fields[USERNAME].compose, fields[USERNAME].make
        assert first is not None
        assert forms is not None
        self._first: Template = first
        self._forms: NameForms = forms
        sources = chain(first.names, *(form.names for form in forms.further))
        self._sources = tuple(name for name in dict.fromkeys(sources) if name in fields)
        self._longest, self._headings = fields[USERNAME].max_length, {name: one.heading for name, one in fields.items()}
        self._identities = Identities(fields, match)
        self._match = tuple(name for name in match if name != USERNAME and (kept is None or name in kept))
        self._names, self._salt, self._tell = names, salt, tell
        self._rows: dict[int, int] = {}  # the first row of each new person, by a hash of what recognises them
        self._given = set[int]()  # hashes of the names that new people have got
        self._series: dict[tuple[str, ...], _Series] = {}

    def give_names(self, batch: CheckedBatch, portal: LooksUp) -> list[Made]:
        """Gives the rows of a batch their usernames; returns what was made, row by row.

        Args:
            batch: the rows.
            portal: only asked.

        Raises:
            BackendError: the portal cannot answer.
            PluginError: the backend broke.
        """
        columns = batch.rows.columns
        identities = self._identities.of(columns)
        proposed = sorted(columns.made(USERNAME))
        named = dict.fromkeys(proposed, "")
        others = self._by_match(batch, portal, proposed, named)
        others = self._by_memory(batch, portal, others, identities, named)
        self._make(batch, portal, others, identities, named)
        batch.rows.give_names(named)
        fields = (USERNAME,)
        whos = [tuple(self._identities.digest(one, self._salt) for one in found) for found in identities]
        return [
            Made(fields if named.get(place) else (), who) if who else NOTHING_MADE for place, who in enumerate(whos)
        ]

    def _by_match(
        self, batch: CheckedBatch, portal: LooksUp, places: Sequence[int], named: dict[int, str]
    ) -> list[int]:
        """Names those whom the portal recognises; returns the places of the others."""
        texts = {name: batch.rows.columns.texts(name) for name in self._match}
        keys = {
            (name, texts[name][place]): UserKey.of(name, texts[name][place])
            for name in self._match
            for place in places
            if texts[name][place]
        }
        found = portal.lookup(list(keys.values()))
        others = []
        for place in places:
            wanted = (keys.get((name, texts[name][place])) for name in self._match)
            users = next((found[key] for key in wanted if key is not None and found.get(key)), ())
            if len(users) == 1:
                named[place] = users[0].username
            elif not users:  # of several, nobody knows who is meant; that is said where rows are matched
                others.append(place)
        return others

    def _by_memory(
        self,
        batch: CheckedBatch,
        portal: LooksUp,
        places: Sequence[int],
        identities: Sequence[Sequence[Identity]],
        named: dict[int, str],
    ) -> list[int]:
        """Names those whom the pipeline remembers; returns the places of the others."""
        whos = {place: [self._identities.digest(one, self._salt) for one in identities[place]] for place in places}
        known = self._names.of(dict.fromkeys(chain.from_iterable(whos.values())))
        remembered: dict[int, KnownName] = {}
        for place, found in whos.items():
            name = next((known[who] for who in found if who in known), None)
            if name is not None:
                remembered[place] = name
        users = _users(portal, {name.username for name in remembered.values()})
        ours = self._names.ours({user.ref for user in users.values() if user is not None} if remembered else ())
        for place, name in remembered.items():
            user = users.get(fold(name.username))
            if user is None:
                if name.ref is not None:
                    lost = _row(batch, place).problem(
                        USERNAME, "user.lost", _LOST, severity=Severity.WARNING, name=name.username
                    )
                    self._complain(batch, place, lost)
                named[place] = name.username
            elif user.ref == name.ref or fold(ours.get(user.ref, "")) == fold(user.username):
                named[place] = user.username
            elif name.ref is None:
                continue  # it was meant for this person, and somebody else has been quicker
            else:
                another = _row(batch, place).problem(USERNAME, "username.taken", _ANOTHER, name=name.username)
                self._complain(batch, place, another)
        return [
            place
            for place in places
            if not named[place] and ((name := remembered.get(place)) is None or name.ref is None) and identities[place]
        ]

    def _make(
        self,
        batch: CheckedBatch,
        portal: LooksUp,
        places: Sequence[int],
        identities: Sequence[Sequence[Identity]],
        named: dict[int, str],
    ) -> None:
        """Makes the names of new people, in the order of the sheet."""
        columns = batch.rows.columns
        bases, sources = columns.texts(USERNAME), [columns.texts(name) for name in self._sources]
        waiting: list[tuple[int, _Series]] = []
        for place in places:
            row = batch.rows.numbers[place]
            first = min(self._rows.setdefault(hash(one), row) for one in identities[place])
            if first != row:
                same = _row(batch, place).problem(
                    USERNAME,
                    "username.duplicate",
                    _SAME,
                    also_rejects=(first,),
                    fields=self._shown(identities[place]),
                    first=first,
                )
                self._complain(batch, place, same)
                continue
            key = (bases[place], *(texts[place] for texts in sources))
            series = self._series.get(key)
            if series is None:
                series = self._series[key] = _Series(self._names_of(key))
            waiting.append((place, series))
        while waiting:
            wanted: dict[int, tuple[_Series, int]] = {}
            for _, series in waiting:
                wanted[id(series)] = series, wanted.get(id(series), (series, 0))[1] + 1
            names = [name for series, number in wanted.values() for name in series.look_ahead(number)]
            users, owners = _users(portal, names), self._names.owners({fold(name) for name in names})
            waiting = [
                (place, series)
                for place, series in waiting
                if not self._name(batch, place, series, identities[place], users, owners, named)
            ]

    def _name(
        self,
        batch: CheckedBatch,
        place: int,
        series: _Series,
        identities: Sequence[Identity],
        users: Mapping[str, Existing | None],
        owners: Mapping[str, frozenset[str]],
        named: dict[int, str],
    ) -> bool:
        """Names somebody by the next name that is free; returns whether that is settled."""
        own = {self._identities.digest(one, self._salt) for one in identities}
        while True:
            known = next((series.people[one] for one in identities if one in series.people), None)
            if known is not None:
                named[place] = known
                return True
            name = series.take()
            if name is None:
                if series.has_more:
                    return False
                self._complain(batch, place, self._nameless(_row(batch, place)))
                return True
            if self._longest is not None and len(name) > self._longest:
                series.put_back(name)
                too_long = _row(batch, place).problem(
                    USERNAME, f"{USERNAME}.too_long", _TOO_LONG, name=name, max=self._longest
                )
                self._complain(batch, place, too_long)
                return True
            folded = fold(name)
            user, whos = users[folded], owners.get(folded, frozenset())
            if user is not None:
                self._note(series, user, is_known=not own.issuperset(whos))
            elif hash(folded) not in self._given and own.issuperset(whos):
                break
        self._given.add(hash(folded))
        named[place] = name
        if series.unknown is not None:
            namesake = _row(batch, place).problem(
                USERNAME,
                "username.namesake",
                _NAMESAKE,
                name=name,
                other=series.unknown,
            )
            self._complain(batch, place, namesake)
        return True

    def _note(self, series: _Series, user: Existing, *, is_known: bool) -> None:
        """Notes whose a name is that somebody in the portal has."""
        found = self._identities.of_user(user.fields)
        series.people.update(dict.fromkeys(found, user.username))
        if not found and not is_known and series.unknown is None:
            series.unknown = user.username

    def _names_of(self, key: Sequence[str]) -> Iterator[str]:
        """Yields the names that can be made, without those that are the same as an earlier one."""
        base, *said = key
        values = {NUMBER: NUMBER, **dict(zip(self._sources, said, strict=True))}
        seen = set[str]()
        if self._first.lacks(values):
            base = ""  # what is left may be a full stop
        else:
            yield base
            seen.add(fold(base))
        values[BASE] = base
        for form in self._forms.further:
            if form.lacks(values):
                continue  # what it is made of is blank
            for number in count(2) if NUMBER in form.names else (2,):
                name = clean(form.fill({**values, NUMBER: str(number)}))
                if name and fold(name) not in seen:
                    if len(seen) < _KEYS:
                        seen.add(fold(name))
                    yield name

    def _nameless(self, row: Row) -> Problem:
        """The problem of a row none of whose names is free, or for which there is none."""
        lacking = self._first.lacks({name: row[name] for name in self._first.names})
        if not lacking:
            return row.problem(USERNAME, "username.taken", _USED_UP)
        fields = ", ".join(self._headings[name] for name in lacking)
        return row.problem(USERNAME, f"{USERNAME}.required", _NO_NAME, fields=fields)

    def _shown(self, identities: Sequence[Identity]) -> str:
        return ", ".join(self._headings[name] for name in self._identities.by[int(identities[0][0])])

    def _complain(self, batch: CheckedBatch, place: int, problem: Problem) -> None:
        """Tells a problem of a row, unless the row is out already."""
        if batch.valid[place]:
            counted = self._tell(problem)
            batch.valid[place] = counted is None or not counted.is_error


def _row(batch: CheckedBatch, place: int) -> Row:
    return batch.rows.made(place).row


def _users(portal: LooksUp, names: Sequence[str] | set[str]) -> dict[str, Existing | None]:
    """Looks names up; returns by the folded name who has it."""
    found: dict[str, Existing | None] = {}
    wanted = iter({fold(name): name for name in names}.values())
    while keys := [UserKey.of(USERNAME, name) for name in islice(wanted, _KEYS)]:
        users = portal.lookup(keys)
        found.update({key.folded: next(iter(users.get(key, ())), None) for key in keys})
    return found
