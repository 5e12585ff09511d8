from __future__ import annotations

import pytest

from musterroll import Origin, Secret, Value
from musterroll.sheet.reader import looks_like_a_user
from support.rows import row


@pytest.mark.parametrize(
    "cells",
    [
        {"email": "ana@example.com", "username": "ana"},
        {"username": "ana@example.com", "forename": "Ana"},
        {"username": "ana", "phone": "7712345678"},
        {"username": "ana", "forename": "Ana", "password": "Secret99"},
        {"username": "ana", "forename": "Ana", "password": "correct-horse"},
    ],
)
def test_a_user(cells: dict[str, str]) -> None:
    assert looks_like_a_user(row(2, **cells))


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"email": "name@company.com"},
        {"email": "name@company.com", "username": "The name to sign in with"},
        {"email": "e.g. name@company.com", "username": "Required", "forename": "Required", "password": "Required"},
        {"username": "Required*", "forename": "Required*", "password": "Required*"},
        {"username": "Required", "forename": "Required", "password": "Required, at least 8 characters"},
        {"username": "Text", "forename": "Text", "phone": "Digits", "password": None},
        {"username": "x" * 101, "email": "ana@example.com"},
        {"username": None, "email": "ana@example.com"},
    ],
)
def test_guidance(cells: dict[str, str | None]) -> None:
    assert not looks_like_a_user(row(2, **cells))


@pytest.mark.parametrize(
    "default",
    [
        {"password": Value("", Origin.DEFAULT, None, Secret("Start123!"))},
        {"email": Value("it@acme.example", Origin.DEFAULT)},
        {"phone": Value("7712345678", Origin.DEFAULT)},
    ],
)
def test_a_default_does_not_make_guidance_a_user(default: dict[str, Value]) -> None:
    assert not looks_like_a_user(row(2, username="Required", forename="Required", **default))
