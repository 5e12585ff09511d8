"""Programs that speak to the API: every answer is held to the OpenAPI document."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx2 as httpx
from jsonschema import Draft202012Validator

from musterroll_plugins.web.programs.openapi import openapi
from musterroll_plugins.web.programs.operations import OPERATIONS

_SECONDS = 60.0

ACCESS = """
[[programs]]
name = "hr"
role = "importer"
token = "hr-token-of-twenty-characters"

[[programs]]
name = "auditor"
role = "viewer"
token = "auditor-token-of-twenty-characters"

[[programs]]
name = "boss"
role = "approver"
customers = ["test"]
token = "boss-token-of-twenty-characters"
"""


def as_described(answer: httpx.Response) -> None:
    """Every answer is one that the OpenAPI document describes."""
    answer.read()
    described, path = openapi(OPERATIONS), answer.request.url.path
    (found,) = (methods for known, methods in described["paths"].items() if re.fullmatch(_pattern(known), path))
    content = found[answer.request.method.lower()]["responses"][str(answer.status_code)]["content"]
    ((kind, schema),) = content.items()
    assert answer.headers["content-type"].partition(";")[0] == kind
    if kind == "application/json":
        Draft202012Validator({**schema["schema"], "components": described["components"]}).validate(answer.json())


def _pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", path)


class Program:
    """A program that speaks to the API."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self.client = client
        client.event_hooks["response"] = [as_described]
        client.headers["authorization"] = f"Bearer {name}-token-of-twenty-characters"

    def begin(self, path: str, **said: Any) -> str:
        """Begins something, waits for it, and returns its address."""
        answer = self.client.post(path, **said)
        self.document(answer)
        place: str = answer.json()["location"]
        return place

    def document(self, answer: httpx.Response) -> dict[str, Any]:
        """Waits for what an answer has begun."""
        assert answer.status_code == 202, answer.text
        return self.get(answer.json()["location"])

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What is at an address, once it is there."""
        answer = self._wait(path, query)
        found: dict[str, Any] = answer.json()
        return found

    def _wait(self, path: str, query: dict[str, Any]) -> httpx.Response:
        deadline = time.monotonic() + _SECONDS
        while (answer := self.client.get(path, params=query)).status_code == 202:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.05)
        assert answer.status_code == 200, answer.text
        return answer
