"""Performing the operations on users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote

from musterroll import CreateUser, Deactivate, DeleteUser, Existing, Reactivate, Secret, Status, UpdateUser, fold
from musterroll_http import HttpAnswer
from musterroll_plugins.backends.scim.answers import id_of
from musterroll_plugins.backends.scim.bulk import Bulk
from musterroll_plugins.backends.scim.capabilities import can_reset_passwords, is_email_unique
from musterroll_plugins.backends.scim.client import ScimClient
from musterroll_plugins.backends.scim.directory import Directory
from musterroll_plugins.backends.scim.discovery import ServiceProvider
from musterroll_plugins.backends.scim.mapping import ScimMapping
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.pages import USERS
from musterroll_plugins.backends.scim.paths import Resource
from musterroll_plugins.backends.scim.references import NobodyError, References
from musterroll_plugins.backends.scim.resolver import Creations

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_GONE = "the user no longer exists; run the sheet again"


class OpOutcome(NamedTuple):
    """What became of an operation; as `Result`."""

    status: Status
    ref: str | None = None
    detail: str | None = None
    refused: Mapping[str, str] | None = None


class UserOperations:
    """Creates and changes users.

    Args:
        client: to send with.
        bulk: to send together with.
        options: of the backend.
        portal: what it can do.
        mapping: makes resources of users.
        directory: to look at what is there.
        creations: finds users that were to be created.
    """

    def __init__(
        self,
        client: ScimClient,
        bulk: Bulk,
        options: ScimOptions,
        portal: ServiceProvider,
        mapping: ScimMapping,
        directory: Directory,
        creations: Creations,
    ) -> None:
        self._client, self._bulk, self._mapping, self._directory = client, bulk, mapping, directory
        self._creations, self._refused = creations, creations.refused
        self._references = References(mapping, directory)
        self._duplicate = frozenset(options.duplicate_status)
        self._unique_email = is_email_unique(options, portal)
        self.patches = options.update == "patch" or (options.update == "auto" and portal.patch)
        self._may_put = options.update != "patch"
        self._resets_passwords = can_reset_passwords(options, portal)
        self.known: set[str] = set()
        """Users that are certain to be there, as they were created here."""

    def begin(self) -> None:
        """To be called before operations are performed."""
        self._references.forget()

    async def create(self, op: CreateUser) -> OpOutcome:
        """Creates a user; the operation's id goes along."""
        try:
            body = self._mapping.new(replace(op, user=await self._references.of_user(op.user)))
        except NobodyError as error:
            return OpOutcome(Status.FAILED, None, str(error))
        outcome = await self._client.once(lambda: self._create(op, body), lambda: self._made(op))
        if outcome.status is Status.DONE and outcome.ref is not None:
            self._references.note(op.user.username, outcome.ref)
        return outcome

    async def _create(self, op: CreateUser, body: Resource) -> OpOutcome:
        answer = await self._bulk.send("POST", USERS, body, _hidden(op.password))
        if answer.ok:
            ref = id_of(answer)
            if ref is None:
                return OpOutcome(Status.UNKNOWN, None, "the portal did not say the new user's id")
            self.known.add(ref)
            return OpOutcome(Status.DONE, ref)
        if answer.status in self._duplicate:
            return await self._exists(op, answer)
        return refusal(answer)

    async def _made(self, op: CreateUser) -> OpOutcome | None:
        """Says whether a user was created after all, by a request whose answer proves nothing."""
        if self._creations.tells_by_itself:
            return None
        found = await self._creations.find_one(op)
        if found.status is Status.NOT_DONE:
            return None
        if found.status is Status.DONE and found.ref is not None:
            self.known.add(found.ref)
        return OpOutcome(found.status, found.ref, found.detail)

    async def _exists(self, op: CreateUser, answer: HttpAnswer) -> OpOutcome:
        """Looks again before a conflict counts: it may be our own user, created by a request without an answer."""
        found = await self.named(op.user.username)
        for user in found:
            if self._creations.is_taken_by_itself(op, user):
                self.known.add(user.ref)
                return OpOutcome(Status.DONE, user.ref)
        if found:
            self._refused[op.id] = f'the username is taken by "{found[0].username}"'
            return OpOutcome(Status.CONFLICT, found[0].ref, self._refused[op.id])
        return await self._taken_otherwise(op.user.fields.get("email"), None, answer, op.id)

    async def _taken_otherwise(self, email: str | None, ref: str | None, answer: HttpAnswer, op: str) -> OpOutcome:
        if self._unique_email and email:
            for user in (await self._directory.find_now("email", [email])).get(fold(email), ()):
                if user.ref != ref:
                    self._refused[op] = f'the e-mail address is in use by "{user.username}"'
                    return OpOutcome(Status.CONFLICT, None, self._refused[op])
        if answer.status >= 500:  # it means more than a duplicate, so it may have meant something else
            return refusal(answer)
        return OpOutcome(Status.FAILED, None, f"the portal says that it exists already: {answer.reason}")

    async def named(self, username: str) -> list[Existing]:
        """Returns the users of a name, as they are now."""
        return list((await self._directory.find_now("username", [username])).get(fold(username), ()))

    async def update(self, op: UpdateUser) -> OpOutcome:
        """Changes a user, and nothing but what is named."""
        if op.password is not None and not self._resets_passwords:
            detail = "the portal does not let the password of an existing user be set; leave it out"
            return OpOutcome(Status.FAILED, None, detail)
        changes = {
            name: text for name, text in op.changes.items() if name == "username" or name in self._mapping.fields
        }
        stored, lacking = await self._references.of_fields(changes)
        if lacking and not (stored or op.password):
            return OpOutcome(Status.FAILED, None, "; ".join(lacking.values()))
        outcome, answer = await self._change(op.user.ref, stored, password=op.password)
        if outcome is not None:
            if outcome.status is Status.DONE:
                self._references.note(changes.get("username"), op.user.ref)
            return outcome._replace(refused=lacking)
        if answer.status not in self._duplicate:
            return refusal(answer)
        if username := changes.get("username"):
            others = [user for user in await self.named(username) if user.ref != op.user.ref]
            if others:
                return OpOutcome(Status.CONFLICT, others[0].ref, f'the username is taken by "{others[0].username}"')
        return await self._taken_otherwise(changes.get("email"), op.user.ref, answer, op.id)

    async def set_active(self, op: Deactivate | Reactivate) -> OpOutcome:
        """Deactivates or reactivates a user."""
        outcome, answer = await self._change(op.user.ref, {}, active=isinstance(op, Reactivate))
        return outcome or refusal(answer)

    async def delete(self, op: DeleteUser) -> OpOutcome:
        """Deletes a user; one that is gone already is no failure."""
        answer = await self._client.ask("DELETE", path_of(USERS, op.user.ref))
        self.known.discard(op.user.ref)
        if answer.status == 404:
            return OpOutcome(Status.NOOP)
        return OpOutcome(Status.DONE) if 200 <= answer.status < 300 else refusal(answer)

    async def _change(
        self, ref: str, changes: Mapping[str, str | None], *, password: Secret | None = None, active: bool | None = None
    ) -> tuple[OpOutcome | None, HttpAnswer]:
        """Changes a user by PATCH or PUT; where somebody else was quicker, once more with what is there then.

        Returns:
            What became of it, or None where the portal's answer has still to be looked into.
        """
        path = path_of(USERS, ref)
        hide = _hidden(password)
        answer = HttpAnswer(412)
        for _ in range(2):
            current: Resource = {}
            headers: dict[str, str] = {}
            if not self.patches or self._mapping.must_read(changes):
                read, answer = await self._directory.user(ref)
                if read is None:
                    return OpOutcome(Status.FAILED, None, _GONE), answer
                current = read
                headers = if_match(answer)
            if self.patches:
                operations = self._mapping.operations(changes, current, password=password, active=active)
                if not operations:
                    return OpOutcome(Status.NOOP, ref), answer
                patch: Resource = {"schemas": [PATCH], "Operations": operations}
                answer = await self._send("PATCH", path, patch, headers, hide)
                if answer.status in (405, 501) and self._may_put:
                    self.patches = False
                    continue
            else:
                body = self._mapping.replacement(changes, current, password=password, active=active)
                answer = await self._send("PUT", path, body, headers, hide)
            if answer.status != 412:
                break
        if answer.ok:
            return OpOutcome(Status.DONE, ref), answer
        if answer.status == 404:
            return OpOutcome(Status.FAILED, None, _GONE), answer
        return None, answer

    async def _send(
        self, method: str, path: str, body: Resource, headers: Mapping[str, str], hide: Sequence[Secret]
    ) -> HttpAnswer:
        if not headers:  # which /Bulk has no place for
            return await self._bulk.send(method, path, body, hide)
        return await self._client.ask(method, path, body=body, headers=headers, hide=hide)


def _hidden(password: Secret | None) -> tuple[Secret, ...]:
    return () if password is None else (password,)


def refusal(answer: HttpAnswer) -> OpOutcome:
    """What an answer means that is none of those that an operation looks into itself."""
    status = answer.status
    if status in (401, 412):
        detail = "somebody else is changing it at the same time" if status == 412 else "the portal no longer lets us in"
        return OpOutcome(Status.NOT_DONE, None, detail)
    if status >= 500 and status != 501:
        return OpOutcome(Status.UNKNOWN, None, f"the portal broke over it: {answer.reason}")
    if answer.unread:
        return OpOutcome(Status.UNKNOWN if status < 300 else Status.FAILED, None, answer.reason)
    if status == 403:
        return OpOutcome(Status.FAILED, None, f"the portal does not allow it: {answer.reason}")
    if status == 413:
        return OpOutcome(Status.FAILED, None, f"it is too much for the portal: {answer.reason}")
    return OpOutcome(Status.FAILED, None, f"the portal refused it: {answer.reason}")


def path_of(endpoint: str, ref: str) -> str:
    """Returns where a user or group is."""
    return f"{endpoint}/{quote(ref, safe='', errors='surrogatepass')}"


def if_match(answer: HttpAnswer) -> dict[str, str]:
    """Returns the header by which a change applies only to what was read."""
    version = answer.headers.get("ETag")
    if version is None and isinstance(answer.body, dict) and isinstance(answer.body.get("meta"), dict):
        version = answer.body["meta"].get("version")
    fits = isinstance(version, str) and version.isascii() and version.isprintable()
    return {"If-Match": str(version)} if fits and version else {}
