"""A loaded pipeline builds its plugin instances."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from musterroll import BackendError, Context
from musterroll.errors import PluginError

from .conftest import Load


def context(built: object) -> Context:
    return cast("Context", cast("Any", getattr(built, "inner", built)).context)


def test_everything_is_built_with_its_name_and_context(load: Load, folder: Path) -> None:
    now = dt.datetime(2024, 2, 29, tzinfo=dt.UTC)
    pipeline = replace(load("match = ['email', 'username']"), clock=lambda: now)
    label, validator = pipeline.build_validators()[0]
    given = context(validator)
    assert label == given.instance == "validators[required]"
    assert (given.folder, given.read_only, given.match) == (folder, True, ("email", "username"))
    assert given.fields is pipeline.fields
    assert given.clock() == now
    assert given.cancelled is pipeline.cancelled
    assert given.logger.name == "musterroll.validators[required]"
    assert [label for label, _ in pipeline.build_resolvers()] == ["groups[groups-column]"]
    ((instance, _),) = pipeline.build_notifiers(read_only=True)
    assert instance.label == "notifiers[outbox]"


def test_validators_are_new_for_every_sheet(load: Load) -> None:
    pipeline = load()
    assert pipeline.build_validators()[0][1] is not pipeline.build_validators()[0][1]


def test_a_backend_is_told_whether_it_may_write(load: Load) -> None:
    pipeline = load()
    assert context(pipeline.build_backend(read_only=True)).read_only
    assert not context(pipeline.build_backend(read_only=False)).read_only


def test_a_plugin_that_breaks_while_it_is_built_is_named(load: Load) -> None:
    pipeline = load("[[validators]]\nname = 'mine'\nuse = 'faulty'")
    with pytest.raises(
        PluginError,
        match=r"^validators\[mine\] \(plugin musterroll 0\) broke while starting: ZeroDivisionError: no luck$",
    ):
        pipeline.build_validators()


def test_what_a_plugin_says_on_purpose_is_left_as_it_is(load: Load) -> None:
    pipeline = load("[[validators]]\nname = 'mine'\nuse = 'unwilling'")
    with pytest.raises(BackendError, match=r"^the word list is empty$"):
        pipeline.build_validators()
