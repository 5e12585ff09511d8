"""Users whom the portal has, as rows of the pipeline's sheet: read again, they ask for nothing that is not so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from musterroll.contract.fields import CALLING_CODE, PHONE, USERNAME, FieldRole, FieldSet
from musterroll.contract.roles import WritesGroups
from musterroll.contract.text import fold, meant_perhaps
from musterroll.contract.translation import gettext
from musterroll.contract.users import Existing, Group, GroupPath, group_text
from musterroll.contract.value_types import Words, value_types_of
from musterroll.errors import UsageError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.registry.guards.guard import Guard, a
from musterroll.registry.plugin_errors import AnswerError
from musterroll.sheet.identities import Identities, makes_usernames

_REMEMBERED = 10_000  # combinations of groups


class ExistingRows:
    """Makes rows of users.

    Args:
        pipeline: whose sheet it is.
        groups: all groups of the portal.

    Attributes:
        written: how many users became rows.
        left_out: those whose row would mean somebody else, since the pipeline makes their names of other columns.
        says_inactive: whether the row of somebody inactive says so itself.

    Raises:
        PluginError: a group resolver broke.
    """

    def __init__(self, pipeline: Pipeline, groups: Iterable[Group]) -> None:
        self._fields = pipeline.fields
        self._types = value_types_of(field for field in pipeline.fields.values() if field.is_attribute)
        self._active, self._inactive = _said_of(pipeline.fields)
        self._paths: dict[str, GroupPath] = {group.ref: group.path for group in groups}
        self._notation = next(
            (
                (Guard(label, pipeline.watch), resolver)
                for label, resolver in pipeline.build_resolvers()
                if isinstance(resolver, WritesGroups)
            ),
            None,
        )
        match = pipeline.settings.match
        self._identities = Identities(pipeline.fields, match) if makes_usernames(pipeline.fields) else None
        self._cells: dict[frozenset[str], Mapping[str, str]] = {}
        self.written, self.left_out = 0, 0

    @property
    def says_inactive(self) -> bool:
        """See the class."""
        return any(self._inactive[name] != text for name, text in self._active.items())

    def group_refs(self, text: str) -> frozenset[str]:
        """Finds a group by its path, as the sheet writes it.

        Raises:
            UsageError: there is none.
        """
        wanted = fold(text)
        found = frozenset(ref for ref, path in self._paths.items() if wanted in map(fold, self._spellings(path)))
        if not found:
            near = meant_perhaps(text, map(group_text, self._paths.values()))
            raise UsageError(
                gettext('--group: the portal has no group "{text}"{near}', text=text, near=near), code="group.unknown"
            )
        return found

    def _spellings(self, path: GroupPath) -> Iterator[str]:
        yield group_text(path)
        yield from self._written((path,)).values()

    def rows(
        self, users: Iterable[Existing], *, inactive: bool, groups: frozenset[str] | None
    ) -> Iterator[Mapping[str, str]]:
        """Streams the rows of users: values by the names of fields.

        Args:
            users: all users.
            inactive: whether deactivated users are wanted as well.
            groups: only members of these; None for everybody.
        """
        for user in users:
            if (user.active or inactive) and (groups is None or groups & user.groups):
                row = self._row(user)
                if self._means(user, row):
                    self.written += 1
                    for name, type_ in self._types.items():
                        row[name] = type_.written(row[name]) if row.get(name) else ""
                    row |= self._active if user.active else self._inactive
                    yield row
                else:
                    self.left_out += 1

    def _row(self, user: Existing) -> dict[str, str]:
        row = {name: user.fields.get(name) or "" for name in self._fields.attributes}
        row |= self._groups_of(user.groups)
        row[USERNAME] = user.username
        if self._fields.whole_phones and row[PHONE] and row[CALLING_CODE]:
            row[PHONE] = f"+{row[CALLING_CODE]}{row[PHONE]}"
        return row

    def _means(self, user: Existing, row: Mapping[str, str]) -> bool:
        """Whether the row will be known for this user's."""
        username = self._fields[USERNAME]
        if (template := username.compose) is None:
            return True
        if self._identities is not None:
            return not username.omitted or bool(self._identities.of_user(row))
        return fold(template.fill({name: row.get(name, "") for name in template.names})) == fold(user.username)

    def _groups_of(self, refs: frozenset[str]) -> Mapping[str, str]:
        if refs not in self._cells:
            if len(self._cells) >= _REMEMBERED:
                self._cells.clear()
            self._cells[refs] = self._written(sorted(path for ref in refs if (path := self._paths.get(ref))))
        return self._cells[refs]

    def _written(self, paths: Iterable[GroupPath]) -> Mapping[str, str]:
        if self._notation is None:
            return {}
        guard, resolver = self._notation
        return guard.call("writing groups", resolver.write_groups, _look_at, tuple(paths))


def _said_of(fields: FieldSet) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What the columns say of an active user, and of an inactive one, that are there to say what becomes of users.

    Of an active user as little as may be: such a row is to be as usual.
    """
    active: dict[str, str] = {}
    inactive: dict[str, str] = {}
    for role, stays, leaves in ((FieldRole.ACTIVE, "yes", "no"), (FieldRole.COMMAND, "update", "deactivate")):
        for field in fields.values():
            if field.role is not role or not field.has_column:
                continue
            words = Words(field)
            meanings = set(field.words.values())
            active[field.name] = words.written(stays) if field.required and stays in meanings else ""
            inactive[field.name] = words.written(leaves) if leaves in meanings else active[field.name]
    return active, inactive


def _look_at(found: object) -> Mapping[str, str]:
    if not isinstance(found, Mapping) or not all(isinstance(one, str) for pair in found.items() for one in pair):
        raise AnswerError(f"write_groups() must return texts by the names of fields, not {a(found)}")
    return found
