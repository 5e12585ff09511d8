from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable

import pytest

from musterroll import Origin, Row, Secret, Value

SECRET = Secret("hunter2")
# Where a password may stand when something is logged or goes wrong.
ROW = Row(3, {"password": Value("", Origin.CELL, None, SECRET)}, {"password": "E"})


@pytest.mark.parametrize("holder", [SECRET, [SECRET], {"password": SECRET}, ROW.value("password"), ROW])
@pytest.mark.parametrize("show", [str, repr, format, ascii, "{}".format, "{!r}".format, "%s {}".__mod__])
def test_it_prints_as_stars(holder: object, show: Callable[[object], str]) -> None:
    shown = show((holder,))
    assert "***" in shown
    assert "hunter2" not in shown


def test_a_width_does_not_tell_its_length() -> None:
    assert {str(SECRET), f"{SECRET:>20}", f"{Secret('x'):>3}", format(Secret(""), "s")} == {"***"}


@pytest.mark.parametrize("serialise", [json.dumps, pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_serialised(serialise: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        serialise(SECRET)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_protocol_pickles_it(protocol: int) -> None:
    with pytest.raises(TypeError, match="a secret cannot be serialised"):
        pickle.dumps({"row": ROW}, protocol)


def test_a_record_with_a_secret_cannot_be_taken_apart_by_accident() -> None:
    with pytest.raises(TypeError, match="a secret cannot be serialised"):
        dataclasses.asdict(ROW)


def test_it_has_no_dictionary_and_takes_no_attributes() -> None:
    assert not hasattr(SECRET, "__dict__")
    with pytest.raises(AttributeError):
        SECRET.text = "x"


def test_it_equals_the_same_secret_and_no_text() -> None:
    assert Secret("hunter2") == SECRET
    assert Secret("hunter3") != SECRET
    assert "hunter2" != SECRET  # noqa: SIM300 -- the other way round it is mypy that objects
    assert len({SECRET, Secret("hunter2"), Secret("hunter3")}) == 2


def test_it_can_be_revealed() -> None:
    assert SECRET.reveal() == "hunter2"
