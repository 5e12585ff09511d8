"""Groups written in one cell: `Group 1;Parent Group|Child`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field as Limits
from pydantic import model_validator

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    GroupPath,
    GroupResolverType,
    Options,
    Problem,
    Row,
    clean,
    fold_path,
    gettext,
    hookimpl,
)

_ESCAPE = "\\"
_KNOWN = 4096  # so many cells are known without another look
_Character = Annotated[str, Limits(min_length=1, max_length=1)]


class PathsOptions(Options):
    """Options of `paths`.

    Attributes:
        field: the field that holds the groups.
        separator: the character between two groups.
        level: the character between a group and its subgroup.
    """

    field: FieldName = Limits("groups", validate_default=False)
    separator: _Character = ";"
    level: _Character = "|"

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if len({self.separator, self.level, _ESCAPE}) < 3:
            raise ValueError(r'separator and level must be two different characters, neither of them "\"')
        return self


@dataclass(slots=True)
class Parsed:
    """What a cell says.

    Attributes:
        paths: the groups that could be read, each once, in the cell's order.
        empty_groups: the groups without a name, by position from 1.
        ends_empty: whether the last group is one of them.
        empty_levels: the groups that have an empty level, by position from 1.
        bad_escapes: escapes that mean nothing, as typed.
    """

    paths: list[GroupPath] = field(default_factory=list)
    empty_groups: list[int] = field(default_factory=list)
    ends_empty: bool = False
    empty_levels: list[int] = field(default_factory=list)
    bad_escapes: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every part of it could be read."""
        return not (self.empty_groups or self.empty_levels or self.bad_escapes)


@dataclass(frozen=True, slots=True)
class Notation:
    r"""How groups are written; `\` before a separator, a level sign or another `\` takes it literally."""

    separator: str = ";"
    level: str = "|"

    def parse(self, text: str) -> Parsed:
        """Reads a cell. Names are trimmed; the same group twice counts once."""
        parsed = Parsed()
        seen: set[GroupPath] = set()
        for position, (path, folded) in enumerate(self._split(text, parsed.bad_escapes), 1):
            parsed.ends_empty = False
            if folded == ("",):
                parsed.empty_groups.append(position)
                parsed.ends_empty = True
            elif "" in folded:
                parsed.empty_levels.append(position)
            elif folded not in seen:
                seen.add(folded)
                parsed.paths.append(path)
        return parsed

    def faults(self, parsed: Parsed) -> Iterator[str]:
        """Says in words what could not be read."""
        separator, level = self.separator, self.level
        if parsed.ends_empty and len(parsed.empty_groups) == 1:
            yield gettext('there is no group after the last "{separator}", take it away', separator=separator)
        elif parsed.empty_groups:
            yield gettext('a group\'s name is empty, take the spare "{separator}" away', separator=separator)
        for position in parsed.empty_levels:
            yield gettext(
                'group {position} has an empty level, fill it in or take the spare "{level}" away',
                position=position,
                level=level,
            )
        for escape in dict.fromkeys(parsed.bad_escapes):
            message = (
                r'"{escape}" means nothing, write "\{separator}", "\{level}" or "\\" ("\\" for the "\" itself)'
                if len(escape) > 1
                else r'there is nothing after the last "\", write "\{separator}", "\{level}" or "\\" '
                r'("\\" for the "\" itself)'
            )
            yield gettext(message, escape=escape, separator=separator, level=level)

    def format(self, paths: Iterable[GroupPath]) -> str:
        """Writes groups so that `parse` reads the same ones."""
        return self.separator.join(self.level.join(self._escape(level) for level in path) for path in paths)

    def _escape(self, name: str) -> str:
        return "".join(_ESCAPE + c if c in (_ESCAPE, self.separator, self.level) else c for c in name)

    def _split(self, text: str, bad_escapes: list[str]) -> Iterator[tuple[GroupPath, GroupPath]]:
        """Yields the path of each group, as it stands there and folded."""
        if _ESCAPE not in text:
            yield from (_path(group, self.level) for group in text.split(self.separator))
            return
        levels, name = [], ""
        characters = iter(text)
        for character in characters:
            if character == _ESCAPE:
                escaped = next(characters, "")
                if not escaped or escaped not in (_ESCAPE, self.separator, self.level):
                    bad_escapes.append(_ESCAPE + escaped)
                name += escaped
            elif character == self.level:
                levels.append(name)
                name = ""
            elif character == self.separator:
                yield _trimmed([*levels, name])
                levels, name = [], ""
            else:
                name += character
        yield _trimmed([*levels, name])


@lru_cache(maxsize=_KNOWN)  # cells name few groups, in many ways
def _path(group: str, level: str) -> tuple[GroupPath, GroupPath]:
    return _trimmed(group.split(level))


def _trimmed(levels: Iterable[str]) -> tuple[GroupPath, GroupPath]:
    path = tuple(map(clean, levels))
    return path, fold_path(path)


class _Read(dict[str, "tuple[GroupPath, ...] | None"]):
    """What stands in cells that were read: none is read twice."""

    def __init__(self, read: Callable[[str], tuple[GroupPath, ...] | None]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> tuple[GroupPath, ...] | None:
        groups = self[text] = self._read(text)
        return groups


class Paths:
    """Reads a row's groups; `groups.invalid` where the cell cannot be read."""

    def __init__(self, options: PathsOptions, context: Context) -> None:
        self._field = options.field
        self._notation = Notation(options.separator, options.level)
        # A large sheet has few distinct cells in this column.
        self._parse = lru_cache(maxsize=_KNOWN)(self._notation.parse)
        self._groups = _Read(self._good)

    def resolve(self, row: Row) -> Iterable[GroupPath | Problem]:
        """Yields the groups, or one problem that names everything that is wrong with the cell."""
        text = row.value(self._field).text
        if not text:
            return ()
        parsed = self._parse(text)
        if parsed.is_good:
            return tuple(parsed.paths)
        only_empty_groups = not parsed.empty_levels and not parsed.bad_escapes
        suggestion = self._notation.format(parsed.paths) if only_empty_groups and parsed.paths else None
        faults = "; ".join(self._notation.faults(parsed))
        message = "{heading} cannot be read: {faults}"
        return (
            row.problem(
                self._field, f"{self._field}.invalid", message, suggestion=suggestion, safe=True, faults=faults
            ),
        )

    def resolve_batch(self, batch: Batch) -> list[tuple[GroupPath, ...] | None]:
        """Says the groups of each row whose cell can be read."""
        if len(self._groups) > _KNOWN:
            self._groups.clear()
        return list(map(self._groups.__getitem__, batch.texts(self._field)))

    def write_groups(self, paths: Sequence[GroupPath]) -> Mapping[str, str]:
        """Writes groups into the cell."""
        return {self._field: self._notation.format(paths)}

    def _good(self, text: str) -> tuple[GroupPath, ...] | None:
        parsed = self._parse(text) if text else Parsed()
        return tuple(parsed.paths) if parsed.is_good else None


@hookimpl
def musterroll_group_resolvers() -> Iterator[Component]:
    """Announces the resolver."""
    yield GroupResolverType(
        name="paths",
        summary='Groups in one cell, e.g. "Group 1;Parent Group|Child"',
        options=PathsOptions,
        build=Paths,
    )
