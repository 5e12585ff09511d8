"""Rules that are a function each: `@rule`, `@sheet_rule`, `@group_rule`.

    @rule("acme-staff-number", field="staff_number", code="acme.staff_number")
    def staff_number(text: str) -> str | None:
        '''Staff numbers are A and five digits.'''
        return None if text[:1] == "A" else "{heading} begins with A; look at the badge"

The function stays as it is, so a test can call it. What the pipeline needs of it (a `ValidatorType`, a
`GroupResolverType`) is kept in the module where the function is written, under `FUNCTION_RULES`, where the plugins are
collected: no hook has to be written.

What the function gets is said by its annotations: the row (`Row`) or the text of the field (`str`), and after that, if
it wants them, its options (a subclass of `Options`) and the `Context`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_type_hints, overload

from musterroll.contract.components import GroupResolverType, ValidatorType
from musterroll.contract.context import Context
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.options import Options
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.contract.rows import Origin, Row, Value
from musterroll.contract.translation import gettext
from musterroll.contract.users import GroupPath

FUNCTION_RULES = "__musterroll_rules__"
"""The global name of a module under which its function rules are kept."""

Found: TypeAlias = str | Problem | Iterable[str | Problem] | None
"""What a rule may return: the message of a problem, problems, or nothing."""
FoundGroups: TypeAlias = str | GroupPath | Iterable[str | GroupPath | Problem] | Problem | None
"""What a group rule may return: a group (a text is one at the top), several, problems, or nothing."""

R = TypeVar("R", bound=Callable[..., Found])
G = TypeVar("G", bound=Callable[..., FoundGroups])
_PLACES = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_CODE = late_pattern(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def rule(name: str, *, field: str, code: str, severity: Severity = Severity.ERROR) -> Callable[[R], R]:
    """Makes a validator of a function that looks at one row.

    It is asked about rows where the field is filled in, so that a blank one is not a second fault. It returns (or
    yields) what is wrong: a text, which becomes the problem's message (`{heading}` is what the field is called in the
    sheet), or problems made with `row.problem(…)`; nothing where all is well.

    Args:
        name: what `use = "…"` says. The first line of the function's docstring is the summary.
        field: the field that is looked at, and that a text is about.
        code: the code of a problem that is only a text, e.g. `acme.staff_number`.
        severity: its severity.

    Raises:
        TypeError: the function cannot be a rule; why, in words.
    """
    return partial(_make_rule, name, field, _checked_code(name, code), severity)


def sheet_rule(name: str, *, fields: Sequence[str], code: str, severity: Severity = Severity.ERROR) -> Callable[[R], R]:
    """Makes a validator of a function that looks at all rows of a sheet, after the last one.

    Its first parameter is the rows (`Sequence[Row]`), with the named fields only: their texts stay in memory. A text
    that it returns is a problem of the whole file; `row.problem(…)` is one of a row.

    Args:
        name: what `use = "…"` says. The first line of the function's docstring is the summary.
        fields: the fields that it needs. The text of a secret one is always empty.
        code: the code of a problem that is only a text.
        severity: its severity.

    Raises:
        TypeError: the function cannot be a rule; why, in words.
    """
    if isinstance(fields, str):
        raise TypeError(f'the fields of "{name}" are a list of names: fields=["{fields}"]')
    return partial(_make_sheet_rule, name, tuple(fields), _checked_code(name, code), severity)


def group_rule(name: str, *, field: str) -> Callable[[G], G]:
    """Makes a group resolver of a function.

    It is asked about rows where the field is filled in. It returns (or yields) groups: tuples of the levels' names from
    the top, or a text for a group at the top; problems, made with `row.problem(…)`; or nothing.

    Args:
        name: what `use = "…"` says. The first line of the function's docstring is the summary.
        field: the field that says which groups.

    Raises:
        TypeError: the function cannot be a rule; why, in words.
    """
    return partial(_make_group_rule, name, field)


def _make_rule(name: str, field: str, code: str, severity: Severity, function: R) -> R:
    call = _Call.of(function, name, (Row, str))

    def build(options: Options, context: Context) -> RowValidator:
        return _RowRule(function, call.bound(function, options, context), field, code, severity, call.looks_at is str)

    record = ValidatorType(name=name, summary=_summary(function), options=call.options, build=build, fields=(field,))
    _keep(function, record)
    return function


def _make_sheet_rule(name: str, fields: tuple[str, ...], code: str, severity: Severity, function: R) -> R:
    call = _Call.of(function, name, ())

    def build(options: Options, context: Context) -> SheetValidator:
        return _SheetRule(function, call.bound(function, options, context), fields, code, severity)

    record = ValidatorType(name=name, summary=_summary(function), options=call.options, build=build, fields=fields)
    _keep(function, record)
    return function


def _make_group_rule(name: str, field: str, function: G) -> G:
    call = _Call.of(function, name, (Row, str))

    def build(options: Options, context: Context) -> GroupResolver:
        return _GroupRule(function, call.bound(function, options, context), field, call.looks_at is str)

    summary = _summary(function)
    record = GroupResolverType(name=name, summary=summary, options=call.options, build=build, fields=(field,))
    _keep(function, record)
    return function


class FunctionRule:
    """A rule that is a function.

    Attributes:
        function: as its author wrote it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class _RowRule(FunctionRule):
    def __init__(
        self,
        function: Callable[..., Any],
        ask: Callable[[Row | str], Found],
        field: str,
        code: str,
        severity: Severity,
        takes_text: bool,
    ) -> None:
        super().__init__(function)
        self._ask, self._field, self._code, self._severity = ask, field, code, severity
        self._takes_text = takes_text

    def check(self, row: Row) -> Iterable[Problem]:
        """Returns the problems that the function finds."""
        asked = _asked(row, self._field, takes_text=self._takes_text)
        if asked is None:
            return ()
        found = self._ask(asked)
        if found is None:
            return ()
        return [self._problem(row, one) for one in _listed(found, self.function, (str, Problem))]

    def _problem(self, row: Row, found: str | Problem) -> Problem:
        if isinstance(found, str):
            return row.problem(self._field, self._code, found, severity=self._severity)
        return found


class _SheetRule(FunctionRule):
    def __init__(
        self,
        function: Callable[..., Any],
        ask: Callable[[Sequence[Row]], Found],
        fields: tuple[str, ...],
        code: str,
        severity: Severity,
    ) -> None:
        super().__init__(function)
        self._ask, self._code, self._severity = ask, code, severity
        self._rows = _KeptRows(fields)

    def check(self, row: Row) -> Iterable[Problem]:
        """Keeps what the function needs of the row."""
        self._rows.keep(row)
        return ()

    def finish(self) -> Iterable[Problem]:
        """Returns the problems that the function finds."""
        found = self._ask(self._rows)
        if found is None:
            return []
        return [self._problem(one) for one in _listed(found, self.function, (str, Problem))]

    def _problem(self, found: str | Problem) -> Problem:
        if isinstance(found, str):
            return Problem(code=self._code, message=gettext(found), severity=self._severity)
        return found


class _GroupRule(FunctionRule):
    def __init__(
        self, function: Callable[..., Any], ask: Callable[[Row | str], FoundGroups], field: str, takes_text: bool
    ) -> None:
        super().__init__(function)
        self._ask, self._field, self._takes_text = ask, field, takes_text

    def resolve(self, row: Row) -> Iterable[GroupPath | Problem]:
        """Returns the groups that the function says."""
        asked = _asked(row, self._field, takes_text=self._takes_text)
        found = None if asked is None else self._ask(asked)
        if found is None:
            return ()
        if isinstance(found, tuple) and all(isinstance(level, str) for level in found):
            return (found,)
        several = _listed(found, self.function, (str, tuple, Problem))
        return [(one,) if isinstance(one, str) else one for one in several]


class _KeptRows(Sequence[Row]):
    """The rows of a sheet with some of their fields, as small as they can be: what was typed is kept as a text."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._fields = fields
        self._kept: list[tuple[int, *tuple[str | Value, ...]]] = []
        self._last: Row | None = None

    def keep(self, row: Row) -> None:
        self._last = row
        self._kept.append((row.number, *(_small(row.value(name)) for name in self._fields)))

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self._row(kept) for kept in self._kept[index]]
        return self._row(self._kept[index])

    def _row(self, kept: tuple[int, *tuple[str | Value, ...]]) -> Row:
        assert self._last is not None  # columns and headings are those of the sheet
        number, *values = kept
        texts = zip(self._fields, values, strict=True)
        found = {name: Value(one, Origin.CELL, one) if isinstance(one, str) else one for name, one in texts}
        return Row(number, found, self._last.columns, self._last.headings)


def _small(value: Value) -> str | Value:
    if value.origin is Origin.CELL and value.raw == value.text:
        return value.text
    return value if value.secret is None else value._replace(secret=None)


def _asked(row: Row, field: str, *, takes_text: bool) -> Row | str | None:
    """What a function is asked about; None where there is nothing to ask."""
    value = row.value(field)
    if takes_text:
        return value.text or None
    return row if value.is_filled else None


def _listed(found: Any, function: Callable[..., Any], kinds: tuple[type, ...]) -> Iterator[Any]:
    """What a function returned, one after another.

    Raises:
        TypeError: it is nothing that a rule may return.
    """
    many = [found] if isinstance(found, (*kinds[:1], Problem)) else found
    if not isinstance(many, Iterable) or isinstance(many, bytes):
        raise TypeError(_wrong(function, found, kinds))
    for one in _exhausted(many, function):
        if not isinstance(one, kinds):
            raise TypeError(_wrong(function, one, kinds))
        yield one


def _exhausted(many: Iterable[Any], function: Callable[..., Any]) -> Iterator[Any]:
    if not isinstance(many, Generator):
        yield from many
    elif (yield from many) is not None:
        raise TypeError(f"the rule {_name(function)}() yields and returns; what it returns is lost: yield it as well")


def _wrong(function: Callable[..., Any], found: object, kinds: tuple[type, ...]) -> str:
    may = "groups (tuples of names)" if tuple in kinds else "a text that says what is wrong"
    what = repr(found) if found is None or isinstance(found, bool) else f"something of the type {type(found).__name__}"
    return f"the rule {_name(function)}() gave {what}; it returns {may}, problems made with row.problem(…), or None"


class _Call(NamedTuple):
    """How a function is called.

    Attributes:
        looks_at: what its first parameter is.
        options: the model of its options.
        extra: the names of the parameters for the options and the context.
    """

    looks_at: type
    options: type[Options]
    extra: dict[str, type]

    @classmethod
    def of(cls, function: object, name: str, may_look_at: tuple[type, ...]) -> _Call:
        """Looks at the parameters of a function.

        Args:
            function: what was decorated.
            name: the rule's.
            may_look_at: what its first parameter may be, the first of them where it does not say; empty for anything.
        """
        if not isinstance(function, FunctionType):
            raise TypeError(f'"{name}" must decorate a function, and this is {_name(function)}')
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"the rule {_name(function)}() is asynchronous, and nobody awaits it; write it without async"
            )
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters or parameters[0].kind not in _PLACES:
            raise TypeError(f"the rule {_name(function)}() takes nothing to look at; give it a parameter: row: Row")
        types, (first, *others) = _types(function), parameters
        looks_at = types.get(first.name, Any)
        if looks_at is Any:
            looks_at = next(iter(may_look_at), object)
        if may_look_at and looks_at not in may_look_at:
            may = " or ".join(f"{first.name}: {one.__name__}" for one in may_look_at)
            raise TypeError(f"the rule {_name(function)}() looks at a row or at a text; write {may}")
        extra = {one.name: types.get(one.name, object) for one in others}
        options = [kind for kind in extra.values() if _is_options(kind)]
        for other, kind in extra.items():
            if not (_is_options(kind) or kind is Context) or len(options) > 1:
                raise TypeError(
                    f'nobody knows what the parameter "{other}" of the rule {_name(function)}() is for; after the '
                    "first, one may be for options (a subclass of Options) and one for the Context, by annotation"
                )
        return cls(looks_at, next(iter(options), Options), extra)

    def bound(self, function: Callable[..., Any], options: Options, context: Context) -> Callable[..., Any]:
        """The function of what it looks at alone."""
        if not self.extra:
            return function
        return partial(
            function, **{name: options if _is_options(kind) else context for name, kind in self.extra.items()}
        )


def _types(function: FunctionType) -> dict[str, Any]:
    """The types of the parameters. What it returns is not asked for: that may be a name for type checkers only."""
    written = {name: text for name, text in inspect.get_annotations(function).items() if name != "return"}
    holder = type("_Parameters", (), {"__annotations__": written})
    try:
        return get_type_hints(holder, globalns=function.__globals__)
    except NameError as error:
        raise TypeError(
            f'the rule {_name(function)}() has a parameter of the type "{error.name}", which is not known where it is '
            "written; import or define it at the top of the module, not for type checkers only"
        ) from None


def _is_options(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Options)


def _keep(function: Any, record: ValidatorType[Any] | GroupResolverType[Any]) -> None:
    function.__globals__.setdefault(FUNCTION_RULES, []).append(record)


def _summary(function: Callable[..., Any]) -> str:
    lines = (inspect.getdoc(function) or _name(function).replace("_", " ")).splitlines()
    return lines[0].rstrip(".")


def _name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _checked_code(name: str, code: str) -> str:
    if not _CODE.fullmatch(code):
        raise TypeError(f'the code "{code}" of the rule "{name}" should be subject.rule, e.g. acme.staff_number')
    return code
