"""`explain`: what a code means, without the documentation at hand."""

from __future__ import annotations

import json

import pytest

from musterroll.engine import explanations
from musterroll_cli.main import main


@pytest.mark.parametrize("code", sorted({one.code for one in explanations()}))
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{code}: ")
    assert "  When" in out
    assert "](" not in out  # a terminal follows no links
    (first, *_) = [one for one in explanations() if one.code == code]
    assert ("What to do" in out) is (first.severity is not None)


def test_a_field_of_the_customers_own_is_explained_as_any_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "department.too_long"]) == 0
    assert capsys.readouterr().out.startswith("department.too_long: error\n  When")


def test_a_code_that_means_different_things_is_explained_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "groups.near_match", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["place"] for one in document["explanations"]] == ["values", "portal"]
    assert {one["severity"] for one in document["explanations"]} == {"warning"}


def test_a_misspelt_code_is_an_error_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "phone.trunkprefix", "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["explanations"] == []
    assert document["error"] == {
        "code": "code.unknown",
        "message": 'there is no code "phone.trunkprefix", did you mean "phone.trunk_prefix"?',
    }


def test_a_code_of_a_plugin_is_not_guessed_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "acme.staff_number"]) == 2
    assert capsys.readouterr().err == 'error: there is no code "acme.staff_number"; see the message of the problem\n'


def test_a_slip_in_the_code_of_an_own_field_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "department.requird"]) == 2
    assert 'did you mean "department.required"?' in capsys.readouterr().err
