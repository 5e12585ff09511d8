"""What a blank sheet says of its columns before anybody types: guidance, notes at headings, checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from musterroll.contract.cells import Cell
from musterroll.contract.drafts import DraftColumn, Guidance
from musterroll.contract.fields import Field
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.roles import GuidesPeople
from musterroll.contract.translation import gettext
from musterroll.contract.value_types import value_type_of
from musterroll.pipeline.pipeline import Pipeline
from musterroll.registry.guards.guard import Guard, a
from musterroll.registry.plugin_errors import AnswerError
from musterroll.sheet.existing_users import said_in
from musterroll.sheet.values import shown
from musterroll.written.new_sheet import draft_column

_LINES, _WIDEST = 4, 40  # a longer guidance makes its column wider, up to so many characters


class GuidedColumn(NamedTuple):
    """A column of a sheet to be filled in.

    Attributes:
        field: the name of its field.
        column: the column, with its note and checks.
        guidance: what stands below the heading; empty for nothing.
    """

    field: str
    column: DraftColumn
    guidance: str


class ColumnGuide:
    """Makes the columns of a sheet to be filled in, as the pipeline's rules want them.

    Args:
        pipeline: the pipeline.

    Raises:
        PluginError: a rule broke while it was built, or was asked.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._severities = pipeline.severities
        limited = {
            one.label for one in pipeline.validators if one.when is not None
        }  # what they ask is not for every row
        self._rules = [
            (Guard(label, pipeline.watch), rule)
            for label, rule in pipeline.build_validators()
            if isinstance(rule, GuidesPeople) and label not in limited
        ]

    def column(self, field: Field, says: Sequence[str] = ()) -> GuidedColumn:
        """Makes the column of a field.

        Args:
            field: the field.
            says: what the guidance says first of all: sentences of ours about users who exist.
        """
        asked = tuple(self._asked(field))
        guidance = field.guidance_with(" ".join(one.text for one in asked))
        guidance = " ".join([*map(gettext, says), guidance]).strip()
        column = draft_column(field)
        column = replace(
            column,
            width=max(column.width, min(len(guidance) // _LINES, _WIDEST)),
            note=_note(field, asked),
            checks=tuple(one for one in asked if one.has_check),
        )
        return GuidedColumn(field.name, column, guidance)

    def instead_of(self, cell: Cell, field: Field | None) -> str:
        """What stands for a cell of guidance that may not be told, since a user may stand there by mistake: ours.

        Args:
            cell: the cell.
            field: the field of its column; None where that is not known for certain.
        """
        if field is None:
            return ""
        return self.column(field, said_in(shown(cell) or "")).guidance

    def _asked(self, field: Field) -> Iterator[Guidance]:
        type_ = value_type_of(field)
        if type_ is not None and field.role is None and (of_type := type_.guidance()) is not None:
            yield of_type
        for guard, rule in self._rules:
            found = guard.call("saying what it asks of a column", rule.guidance, _look_at, field.name)
            if found is not None and (counts := self._as_it_counts(found)) is not None:
                yield counts

    def _as_it_counts(self, asked: Guidance) -> Guidance | None:
        """What is a warning to this customer stops nobody, and what is ignored is not even said."""
        if asked.problem is None:
            return asked
        problem = self._severities.of(Problem(code=asked.problem, message=""))
        if problem is None:
            return None
        return asked if problem.severity is Severity.ERROR else replace(asked, stops=False)


def _look_at(found: object) -> Guidance | None:
    if found is not None and not isinstance(found, Guidance):
        raise AnswerError(f"guidance() must return a Guidance or None, not {a(found)}")
    return found


def _note(field: Field, asked: Sequence[Guidance]) -> str:
    """What the column means, all that is asked, an example, and what the heading may be instead."""
    # The rules have their say here even where the customer's own guidance leaves no place for them.
    rules = " ".join(one.text for one in asked)
    lines = [field.guidance_with(rules) if "{rules}" in field.guidance else f"{field.guidance}\n{rules}".strip()]
    if field.example:
        lines.append(gettext("Example: {example}", example=field.example))
    if field.aliases:
        lines.append(gettext("The heading may also be: {aliases}", aliases=", ".join(field.aliases)))
    return "\n".join(filter(None, lines))
