"""Groups that follow from another column: whoever is at the site North belongs to Region|North."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, Self

from pydantic import Field as Default
from pydantic import ValidationInfo, field_validator, model_validator

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    FilePath,
    GroupPath,
    GroupResolverType,
    Mistake,
    Options,
    PipelineError,
    Problem,
    Row,
    Severity,
    Surroundings,
    fold,
    hookimpl,
    nearest,
)
from musterroll_plugins.groups._table import GroupTable, add_groups, read_groups
from musterroll_plugins.validators._fields import is_too_long

Groups = str | tuple[str, ...]


class MappingOptions(Options):
    """Options of `mapping`.

    Attributes:
        field: the field whose values mean groups.
        groups: the groups of each value, in the notation of the Groups column, as one text or a list of texts.
        file: a csv file with such groups, besides those in `groups`. Its first row holds two headings, the second
            of them Groups.
        unknown: what it is when a value is in neither; its row then gets no group from here.
        blank: the groups of rows where the field is blank.
    """

    field: FieldName
    groups: dict[str, Groups] = Default({})
    file: FilePath | None = None
    unknown: Literal["error", "warning", "ignore"] = "error"
    blank: Groups = ()

    @field_validator("field")
    @classmethod
    def _is_no_secret(cls, name: str, info: ValidationInfo) -> str:
        around = info.context
        if isinstance(around, Surroundings) and around.fields is not None and around.fields[name].secret:
            raise ValueError("a password cannot say which groups a user is in")
        return name

    @field_validator("groups")
    @classmethod
    def _can_be_read(cls, groups: dict[str, Groups]) -> dict[str, Groups]:
        table, faults = GroupTable(), []
        for value, texts in groups.items():
            try:
                table.add(value, _joined(texts))
            except ValueError as error:
                faults.append(f'"{value}": {error}')
        if faults:
            raise ValueError(", and ".join(faults))
        return groups

    @field_validator("blank")
    @classmethod
    def _can_be_read_too(cls, groups: Groups) -> Groups:
        read_groups(_joined(groups))
        return groups

    @model_validator(mode="after")
    def _has_a_table(self) -> Self:
        if not self.groups and self.file is None:
            raise ValueError('say which groups values mean: groups = { "North" = "Region|North" }, or file = "PATH"')
        return self


class Mapping:
    """Looks the groups of a value up; `groups.unknown` where the table does not have it."""

    def __init__(self, options: MappingOptions, context: Context) -> None:
        self._field, self._context = options.field, context
        self._unknown = options.unknown
        self._blank = read_groups(_joined(options.blank))
        self._table = GroupTable()
        for value, texts in options.groups.items():
            self._table.add(value, _joined(texts))
        mistakes = list(self._mistakes(options))
        if mistakes:
            raise PipelineError(mistakes)
        spec = context.fields.get(options.field)
        self._choices = frozenset(fold(choice) for choice in spec.choices) if spec is not None else frozenset()
        # Looking through a long table for a near value takes its time.
        self._near = lru_cache(maxsize=4096)(lambda text: nearest(text, self._table.values))

    def resolve(self, row: Row) -> Iterable[GroupPath | Problem]:
        """Yields the groups of the row's value, or a problem."""
        value = row.value(self._field)
        if not value.text:
            return self._blank if value.is_blank else ()
        folded = fold(value.text)
        found = self._table.find(folded)
        if found is not None:
            return found
        return () if self._unknown == "ignore" or self._is_reported(value.text, folded) else (self._problem(row),)

    def resolve_batch(self, batch: Batch) -> list[tuple[GroupPath, ...] | None]:
        """Says the groups of each row whose value is in the table."""
        return [self._table.find(text) if text else None for text in batch.folded(self._field)]

    def _mistakes(self, options: MappingOptions) -> Iterator[Mistake]:
        where = f"{self._context.instance}.options"
        if options.file is None:
            return
        for fault in add_groups(self._table, options.file, self._context):
            yield Mistake(f"{where}.file", fault, "pipeline")

    def _is_reported(self, text: str, folded: str) -> bool:
        """Whether a validator says that the value is wrong, whatever it might mean."""
        no_choice = bool(self._choices) and folded not in self._choices
        return no_choice or is_too_long(self._context, self._field, text)

    def _problem(self, row: Row) -> Problem:
        text = row[self._field]
        return row.problem(
            self._field,
            "groups.unknown",
            "There is nothing for this {heading} in the table of groups; correct it, or add it to the table",
            severity=Severity.WARNING if self._unknown == "warning" else Severity.ERROR,
            suggestion=self._near(text),
        )


def _joined(groups: Groups) -> str:
    return groups if isinstance(groups, str) else ";".join(groups)


@hookimpl
def musterroll_group_resolvers() -> Iterator[Component]:
    """Announces the resolver."""
    yield GroupResolverType(
        name="mapping",
        summary="Groups that the value of another column means",
        options=MappingOptions,
        build=Mapping,
    )
