"""The portal itself: scim2-server's application with a token, and with what it is told to do badly."""

from __future__ import annotations

import hmac
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    AuthenticationScheme,
    Error,
    InvalidSyntaxException,
    Mutability,
    ResourceType,
    Schema,
    SchemaExtension,
    SCIMException,
    ScimProvider,
    UnauthorizedException,
    UniquenessException,
)
from scim2_server.applications.asgi import ASGIApplication, Receive, Scope, Send
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService
from scim2_server.storage import AsyncScimStorage
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from musterroll import BackendError, Secret, UsageError
from musterroll_plugins.portal.faults import send_page
from musterroll_plugins.portal.mapping import GROUP


def make_provider(*, schemas: tuple[Path, ...] = (), patch: bool = True, bulk: bool = True) -> ScimProvider:
    """Describes the service: what is announced under /ServiceProviderConfig, /Schemas and /ResourceTypes.

    Args:
        schemas: files of schemas that extend users.
        patch: whether PATCH can be used.
        bulk: whether /Bulk can be used.

    Raises:
        UsageError: a schema cannot be read, or is none.
    """
    known, types = load_default_schemas(), load_default_resource_types()
    for path in schemas:
        for schema in _read_schemas(path):
            _extend(types["User"], schema)
            known[str(schema.id)] = schema
    for attribute in known[GROUP].attributes or ():
        for part in attribute.sub_attributes or ():
            if part.name == "display":  # not kept: what the members are called is said by themselves
                part.mutability = Mutability.read_only
    config = load_default_service_provider_config()
    assert config.patch is not None
    assert config.bulk is not None
    config.patch.supported = patch
    config.bulk.supported = bulk
    config.authentication_schemes = [
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="The token that the portal was started with",
            primary=True,
        )
    ]
    try:
        return ScimProvider.from_discovery(known.values(), types.values(), config=config)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the schemas do not fit together: {error}") from None


def _read_schemas(path: Path) -> list[Schema]:
    """Reads one schema, a list of them, or what a portal answers to GET /Schemas."""
    try:
        content: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the schema {path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise UsageError(f"the schema {path} is no JSON") from None
    if isinstance(content, dict):
        content = content.get("Resources", [content])
    try:
        return [Schema.model_validate(entry) for entry in content]
    except (ValidationError, TypeError):
        raise UsageError(f"{path} is no SCIM schema (RFC 7643, section 7)") from None


def _extend(users: ResourceType, schema: Schema) -> None:
    known = [users.schema_, *(extension.schema_ for extension in users.schema_extensions or ())]
    if str(schema.id) not in map(str, known):
        extension = SchemaExtension.model_validate({"schema": schema.id, "required": False})
        users.schema_extensions = [*(users.schema_extensions or ()), extension]


class _Service(ScimService):
    """scim2-server's service, with a status of its own for what is taken.

    Args:
        provider: describes the service.
        duplicate_status: for a username that is taken.
    """

    def __init__(self, provider: ScimProvider, duplicate_status: int) -> None:
        super().__init__(provider)
        self._duplicate_status = duplicate_status

    # Static there; called on the instance everywhere, for the operations of /Bulk as well.
    def error_of(self, exception: Exception) -> Error:  # type: ignore[override]
        """Returns the SCIM error of an exception."""
        if isinstance(exception, UniquenessException) and self._duplicate_status != exception.status:
            return Error(status=self._duplicate_status, detail=exception.detail)
        if isinstance(exception, BackendError):
            return Error(status=503, detail=exception.message)
        return ScimService.error_of(exception)


class PortalApplication(ASGIApplication):
    """The ASGI application.

    Args:
        storage: where users and groups are.
        provider: describes the service.
        token: the bearer token that requests must bring; None for none.
        duplicate_status: the status that says a username is taken.
    """

    def __init__(
        self, storage: AsyncScimStorage, provider: ScimProvider, *, token: Secret | None, duplicate_status: int
    ) -> None:
        super().__init__(storage, provider, _Service(provider, duplicate_status))
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request; one that is no text at all is refused, where the original breaks."""
        try:
            request = await self.read_request(scope, receive)
        except UnicodeDecodeError:
            error = InvalidSyntaxException(detail="the request is not UTF-8")
            await self.send_response(self.service.error_response(error), send)
        else:
            await self.send_response(await self.serve(request), send)

    def check_auth(self, request: ScimRequest) -> None:
        """Raises UnauthorizedException for a request without the token."""
        if self._token is None:
            return
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        expected = self._token.reveal().encode()
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode("utf-8", "replace"), expected):
            raise UnauthorizedException(detail="the bearer token is missing or wrong")

    def handle_exception(self, request: ScimRequest, exception: Exception) -> ScimResponse:
        """Answers with the error. Only its kind is told on standard error: the text may hold what was sent."""
        if isinstance(exception, BackendError):
            print(f"error: {exception.message}", file=sys.stderr, flush=True)
        elif not isinstance(exception, SCIMException):
            print(f"error: {request.method} broke the portal: {type(exception).__name__}", file=sys.stderr, flush=True)
        response = self.service.error_response(exception)
        if isinstance(exception, UniquenessException) and response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _Page(response.status)
        return response

    @staticmethod
    async def send_response(response: ScimResponse, send: Send) -> None:
        """Sends a response."""
        if isinstance(response, _Page):
            await send_page(send, int(response.status))
        else:
            await ASGIApplication.send_response(response, send)


class _Page(ScimResponse):
    """A response that shall be the page of a web server, not SCIM's error."""
