"""Passwords that are made, as far as the plan has to do with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from musterroll import Capabilities
from musterroll.testing import PipelineTrial
from musterroll_plugins.backends.memory.backend import MemoryBackend
from musterroll_plugins.backends.memory.store import MemoryStore

PIPELINE = 'invites.send_to = "new"\nsheet.make.password = { generate = "words" }\n'


class _WithoutPasswords(MemoryBackend):
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), passwords=False)


def test_a_portal_that_takes_no_passwords_says_so_before_anything_is_written(tmp_path: Path) -> None:
    store = MemoryStore()
    trial = PipelineTrial(tmp_path, PIPELINE, backend=lambda _: _WithoutPasswords(store))
    result = trial.plan([{"username": "ana", "forename": "Ana"}, {"username": "bo", "forename": "Bo"}])
    assert [one.code for one in result.problems] == ["backend.unsupported"] * 2


def test_only_new_users_get_one(tmp_path: Path) -> None:
    trial = PipelineTrial(tmp_path, PIPELINE)
    ana = {"username": "ana", "forename": "Ana", "email": "ana@example.com"}
    assert trial.run([ana]).counts["created"] == 1
    (message,) = trial.messages
    assert len(message.message.values["password"].split("-")) == 6
    planned = trial.plan([{**ana, "forename": "Anna"}, {"username": "bo", "forename": "Bo"}])
    assert [(change.password.value, change.made.fields) for change in planned.changes] == [
        ("keep", ()),
        ("set", ("password",)),
    ]


def test_every_password_of_words_has_what_rules_ask_for(tmp_path: Path) -> None:
    rules = 'validators = [{ name = "password", options = { min_length = 16, min_classes = 4 } }]\n'
    trial = PipelineTrial(tmp_path, PIPELINE + rules)
    people = [{"username": f"u{n}", "forename": "Una", "email": f"u{n}@example.com"} for n in range(50)]
    assert trial.run(people).counts["created"] == 50
    assert len({one.message.values["password"] for one in trial.messages}) == 50
