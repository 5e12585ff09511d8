"""Builds what a plugin brings, as the engine does: announced, options checked, built with a context."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from musterroll.contract.context import Context
from musterroll.contract.fields import Field, FieldSet
from musterroll.contract.roles import (
    GroupResolver,
    Notifier,
    Reader,
    RowValidator,
    SheetValidator,
    Transform,
    UserBackend,
)
from musterroll.contract.rows import ABSENT, BLANK, Origin, Row, Value
from musterroll.contract.secret import Secret
from musterroll.contract.text import clean
from musterroll.registry.collector import Collector, Kind, kind_label
from musterroll.registry.loader import Found, Plugin
from musterroll.registry.strict_options import checked

STANDARD_FIELDS = FieldSet(
    [
        Field(name="email", heading="Email", max_length=255),
        Field(name="username", heading="Username", required=True, max_length=100),
        Field(name="forename", heading="Forename", required=True, max_length=50),
        Field(name="surname", heading="Surname", max_length=50),
        Field(name="password", heading="Password", required=True, secret=True),
        Field(name="calling_code", heading="Calling Code"),
        Field(name="phone", heading="Phone", max_length=50),
        Field(name="groups", heading="Groups"),
    ]
)
"""Those of the standard sheet."""
_HEADINGS = {name: field.heading for name, field in STANDARD_FIELDS.items()}


def make_context(*others: Field, match: tuple[str, ...] = ("username",), read_only: bool = False) -> Context:
    """Makes a context with the standard fields; `others` are added, or take the place of those of their name."""
    fields = FieldSet({spec.name: spec for spec in (*STANDARD_FIELDS.values(), *others)}.values())
    return Context(instance="test", fields=fields, match=match, read_only=read_only)


def build_reader(module: ModuleType, name: str, context: Context | None = None, /, **options: Any) -> Reader:
    """Builds a reader; see `build_backend`."""
    reader: Reader = _build("reader", module, name, context, options)
    return reader


def build_transform(module: ModuleType, name: str, context: Context | None = None, /, **options: Any) -> Transform:
    """Builds a transform; see `build_backend`."""
    transform: Transform = _build("transform", module, name, context, options)
    return transform


def build_validator(
    module: ModuleType, name: str, context: Context | None = None, /, **options: Any
) -> RowValidator | SheetValidator:
    """Builds a validator; see `build_backend`."""
    validator: RowValidator | SheetValidator = _build("validator", module, name, context, options)
    return validator


def build_group_resolver(
    module: ModuleType, name: str, context: Context | None = None, /, **options: Any
) -> GroupResolver:
    """Builds a group resolver; see `build_backend`."""
    resolver: GroupResolver = _build("group_resolver", module, name, context, options)
    return resolver


def build_notifier(module: ModuleType, name: str, context: Context | None = None, /, **options: Any) -> Notifier:
    """Builds a notifier; see `build_backend`."""
    notifier: Notifier = _build("notifier", module, name, context, options)
    return notifier


def build_backend(module: ModuleType, name: str, context: Context | None = None, /, **options: Any) -> UserBackend:
    """Builds a user backend, by a plugin manager that knows this module only.

    Args:
        module: the plugin's module.
        name: the component's name, as `use` in a pipeline file says it.
        context: what it is built with; by default one with the standard fields, for writing.
        options: its options, checked as those in a pipeline file are.

    Raises:
        AssertionError: the module announces no such component, or something about it is wrong.
    """
    backend: UserBackend = _build("user_backend", module, name, context, options)
    return backend


def _build(kind: Kind, module: ModuleType, name: str, context: Context | None, options: dict[str, Any]) -> Any:
    collector = Collector()
    collector.add(Found(Plugin(name=module.__name__, distribution="test", version="0"), lambda: module))
    assert not collector.faults, "; ".join(map(str, collector.faults))
    found = {provider.component.name: provider.component for provider in collector.providers if provider.kind == kind}
    assert name in found, f'the module brings no {kind_label(kind)} "{name}"; it brings: {", ".join(found) or "none"}'
    component: Any = found[name]
    context = replace(context or make_context(), instance=name)
    return component.build(checked(component.options, options), context)


def make_row(number: int = 3, /, **values: str | Value | None) -> Row:
    """Makes a row: texts by field, as they were typed, which are trimmed as those of a sheet are.

    What is not named is blank.

    Args:
        number: the row's number.
        values: by field, own ones as well; that of a password becomes a secret; None is a broken cell.
    """
    names = list(dict.fromkeys([*STANDARD_FIELDS, *values]))
    columns = {name: chr(ord("A") + index) for index, name in enumerate(names)}
    return Row(number, {name: _value(name, values.get(name, "")) for name in names}, columns, _HEADINGS)


def make_absent_row(*fields: str) -> Row:
    """Makes the row of a sheet that has none of the columns, neither standard ones nor these."""
    return Row(3, dict.fromkeys([*STANDARD_FIELDS, *fields], ABSENT), {}, _HEADINGS)


def _value(name: str, text: str | Value | None) -> Value:
    if text is None:
        return ABSENT
    if isinstance(text, Value):
        return text
    if name == "password" and text:
        return Value("", Origin.CELL, None, Secret(text))
    cleaned = clean(text)
    return Value(cleaned, Origin.CELL, text) if cleaned else BLANK
