"""Signing in; and no password or token where somebody could read it."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

from musterroll import (
    BackendError,
    Secret,
    Status,
    UpdateUser,
    UserRef,
)
from support.scim_backends import Opened, creation, creations, perform, statuses
from support.scim_servers import Faults, Portal

CANARY = "Canary-7c1f-Sesame"
TOKEN = "Token-3f9a-Sesame"


class TestSecrets:
    def test_the_canary_is_found_nowhere(
        self, portal: Portal, opened: Opened, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        portal.faults.tokens = {f"Bearer {TOKEN}"}
        portal.faults.echo = True  # what is refused is repeated in the error
        backend = opened(portal.url, token=TOKEN, bulk="never")
        ops = creations(3, password=CANARY)
        seen: list[object] = [perform(backend, *ops), perform(backend, *creations(2, password=CANARY))]
        portal.faults.statuses = {("PATCH", "/"): 400, ("POST", "/"): 400}
        user = UserRef("nobody", "nobody")
        reset = UpdateUser(id="op-9", user=user, changes={}, password=Secret(CANARY))
        seen += [perform(backend, reset, *creations(1, 7, password=CANARY)), backend.identity(), backend, caplog.text]
        assert any(CANARY.encode() in body for body in portal.faults.bodies)
        assert "***" in repr(seen)
        assert CANARY not in repr(seen)
        assert TOKEN not in repr(seen)

    @pytest.mark.parametrize("status", [400, 401, 409, 413, 429, 500, 502])
    @pytest.mark.parametrize("bulk", ["auto", "never"])
    def test_whatever_the_portal_repeats(
        self, portal: Portal, opened: Opened, caplog: pytest.LogCaptureFixture, status: int, bulk: str
    ) -> None:
        """Escaped, with white space, cut off in the middle, or somebody else's in the same request."""
        caplog.set_level(logging.DEBUG)
        portal.faults = Faults(echo=True, statuses={("POST", "/"): status})
        sign_in = {"username": "me", "password": TOKEN}
        backend = opened(portal.url, retries=0, bulk=bulk, **sign_in)
        words = ['Canary "1"', "Kanarienvögel \\  9", "Canary" + "x" * 400, "Ca\tnary"]
        ops = [creation(f"user{n}", word) for n, word in enumerate(words)]
        seen: list[object] = []
        try:
            seen.extend(backend.execute(iter(ops)))
        except BackendError as error:
            seen.append(error.message)
        assert seen
        for word in ("Canary", "Kanarien", "nary", TOKEN, base64.b64encode(f"me:{TOKEN}".encode()).decode()):
            assert word not in repr(seen) + caplog.text

    def test_basic(self, portal: Portal, opened: Opened) -> None:
        portal.faults.tokens = {"Basic bWU6cMOkc3N3b3Jk"}  # me:pässword
        assert opened(portal.url, username="me", password="pässword").count_users() == 0

    def test_client_credentials_are_renewed(self, portal: Portal, opened: Opened) -> None:
        portal.faults.token_service = ["first", "second"]
        sign_in: dict[str, Any] = {"client_id": "c", "client_secret": "s", "scope": "scim"}
        sign_in["token_url"] = portal.url + "/token"
        backend = opened(portal.url, **sign_in)
        portal.faults.tokens = {"Bearer first"}
        assert backend.count_users() == 0
        portal.faults.tokens = {"Bearer second"}
        assert statuses(perform(backend, *creations(20))) == {Status.DONE}
        assert portal.faults.seen.count("POST /token") == 2
        form = b"grant_type=client_credentials&scope=scim"
        assert portal.faults.bodies.count(form) == 2
