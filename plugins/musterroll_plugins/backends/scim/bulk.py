"""Several requests in one (RFC 7644, 3.7), where the portal offers it: each keeps an answer of its own."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from musterroll import Secret
from musterroll_http import HttpAnswer, HttpError
from musterroll_plugins.backends.scim.client import BUSY, ScimClient
from musterroll_plugins.backends.scim.discovery import BulkLimits
from musterroll_plugins.backends.scim.paths import Json, Resource, get_key, objects

_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
# So many bulk requests at once: a portal works one off in a row, so one being worked on and one waiting keep it busy.
AT_ONCE = 4
# Requests that come so soon after another go together.
_GATHERING_SECONDS = 0.002
_OVERHEAD_BYTES = 200
_DIGITS = 3  # of a status
# What a portal says that announces /Bulk and does not have it, or not for this.
_NOT_LIKE_THIS = (400, 403, 404, 405, 501)


@dataclass(slots=True)
class _Waiting:
    method: str
    path: str
    body: Resource
    size: int
    hide: Sequence[Secret]
    answer: asyncio.Future[HttpAnswer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Bulk:
    """Sends changes, together where that can be.

    Args:
        client: to send with.
        limits: of the portal; None where each request goes by itself.
        size: so many together, at the most.
    """

    def __init__(self, client: ScimClient, limits: BulkLimits | None, size: int) -> None:
        self._client = client
        self._most = min(size, limits.operations) if limits is not None else 1
        self._bytes = limits.bytes if limits is not None else 0
        self._waiting: deque[_Waiting] = deque()
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def together(self) -> int:
        """So many requests go together."""
        return self._most

    async def send(self, method: str, path: str, body: Resource, hide: Sequence[Secret] = ()) -> HttpAnswer:
        """Sends one request; as `ScimClient.ask`.

        Args:
            method: of HTTP.
            path: after the address of the service.
            body: sent as JSON.
            hide: the passwords in it.

        Raises:
            HttpError: there was no answer that settles it; a POST is for `ScimClient.once` to repeat.
            BackendError: the portal cannot be used at all.
        """
        if method == "POST":
            return await self._send(method, path, body, hide)
        return await self._client.once(lambda: self._send(method, path, body, hide), _nothing)

    async def _send(self, method: str, path: str, body: Resource, hide: Sequence[Secret]) -> HttpAnswer:
        size = len(json.dumps(body, separators=(",", ":"))) + len(path) + _OVERHEAD_BYTES
        if self._most < 2 or size > self._bytes // 2:
            return await self._client.ask(method, path, body=body, hide=hide)
        waiting = _Waiting(method, path, body, size, hide)
        self._waiting.append(waiting)
        if len(self._workers) < AT_ONCE:
            self._workers.add(asyncio.ensure_future(self._work()))
        answer = await waiting.answer
        if answer.status in BUSY:  # for this one alone
            raise HttpError(f"the portal is too busy: {answer.reason}", certain=False, answer=answer)
        return answer

    async def _work(self) -> None:
        try:
            await asyncio.sleep(_GATHERING_SECONDS)
            while batch := list(self._batch()):
                await self._answer(batch)
        finally:  # at once: who comes now must not rely on it
            self._workers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            await self._post(batch)
        except Exception as error:
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
        except BaseException:
            for one in batch:
                one.answer.cancel()
            raise

    def _batch(self) -> Iterator[_Waiting]:
        count, size = 0, _OVERHEAD_BYTES
        # One goes in any case, by itself: the portal may take less by now than when it was put there.
        while self._waiting and count < self._most and (not count or size + self._waiting[0].size <= self._bytes):
            one = self._waiting.popleft()
            if not one.answer.done():  # nobody waits any more: it must not be sent
                count, size = count + 1, size + one.size
                yield one

    async def _post(self, batch: list[_Waiting]) -> None:
        if len(batch) == 1:
            await self._alone(batch[0])
            return
        operations = [
            {"method": one.method, "path": one.path, "bulkId": f"b{number}", "data": one.body}
            for number, one in enumerate(batch)
        ]
        body = {"schemas": [_REQUEST], "Operations": operations}
        hide = [secret for one in batch for secret in one.hide]
        answer = await self._client.ask("POST", "/Bulk", body=body, hide=hide)
        if answer.status == 413:
            self._bytes = min(self._bytes, sum(one.size for one in batch) // 2)
            await self._post(batch[: len(batch) // 2])
            await self._post(batch[len(batch) // 2 :])
        elif answer.status in _NOT_LIKE_THIS:
            self._most = 1
            await asyncio.gather(*map(self._alone, batch))
        elif answer.ok and isinstance(answer.body, Mapping):
            self._hand_out(batch, objects(answer.body, "Operations"))
        else:
            text = f'the portal broke over several operations at once: {answer.reason}; perhaps bulk = "never" helps'
            raise HttpError(text, certain=False)

    async def _alone(self, one: _Waiting) -> None:
        try:
            answer = await self._client.ask(one.method, one.path, body=one.body, hide=one.hide)
        except Exception as error:
            if not one.answer.done():
                one.answer.set_exception(error)
        else:
            if not one.answer.done():
                one.answer.set_result(answer)

    def _hand_out(self, batch: list[_Waiting], listed: Sequence[Resource]) -> None:
        by_id = {str(get_key(one, "bulkId")): one for one in listed}
        in_order = len(listed) == len(batch)
        for number, one in enumerate(batch):
            found = by_id.get(f"b{number}")
            if found is None and in_order and get_key(listed[number], "bulkId") is None:
                found = listed[number]
            status = _status(found)
            if one.answer.done():
                continue
            if found is None or status is None:
                error = HttpError("the portal did not say what became of it", certain=False)
                one.answer.set_exception(error)
            else:
                shown = get_key(found, "response")
                location, version = get_key(found, "location"), get_key(found, "version")
                said = {"Location": location, "ETag": version}
                headers = {name: value for name, value in said.items() if isinstance(value, str)}
                answer = HttpAnswer.of(status, shown if isinstance(shown, dict) else None, headers)
                one.answer.set_result(self._client.discreet(answer, one.hide))


async def _nothing() -> None:
    """What may be done twice needs no looking for."""


def _status(operation: Json) -> int | None:
    status = get_key(operation, "status")
    if isinstance(status, Mapping):  # as SCIM 1.1 had it
        status = get_key(status, "code")
    text = str(status)
    return int(text) if text.isascii() and text.isdigit() and len(text) == _DIGITS else None
