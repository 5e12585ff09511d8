"""The three ways to sign in: a bearer token, user and password, OAuth 2 client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import quote_plus, urlencode

from musterroll import BackendError, Context, Secret
from musterroll_plugins.backends.scim.answers import Answer
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.paths import get_key

# A token is fetched anew so long before it ends.
_MARGIN_SECONDS = 30.0
_LONGEST_SECONDS = 1e6

Post = Callable[[str, bytes, dict[str, str]], Awaitable[Answer]]


class SignIn(Protocol):
    """A way to sign in."""

    async def header(self) -> str | None:
        """Returns the Authorization header of the next request."""
        ...

    async def renew(self, refused: str | None) -> bool:
        """Called when a header was refused; returns whether there is another one to try."""
        ...


class Fixed:
    """Always the same header, or none."""

    def __init__(self, header: str | None) -> None:
        self.__header = header

    async def header(self) -> str | None:
        """Returns it."""
        return self.__header

    async def renew(self, refused: str | None) -> bool:
        """There is no other."""
        return False


class ClientCredentials:
    """A token that is fetched, and fetched again before it ends or when it is refused.

    Args:
        url: where.
        client: the client's id.
        secret: the client's secret.
        scope: what to ask for.
        post: sends a form.
    """

    def __init__(self, url: str, client: str, secret: Secret, scope: str | None, post: Post) -> None:
        self._url, self._client, self._secret, self._scope, self._post = url, client, secret, scope, post
        self.__header: str | None = None
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def header(self) -> str | None:
        """Returns the header, with a new token where the old one is about to end.

        Raises:
            BackendError: the client is refused.
        """
        async with self._lock:
            if self.__header is None or time.monotonic() > self._ends:
                await self._fetch()
            return self.__header

    async def renew(self, refused: str | None) -> bool:
        """Forgets the token that was refused."""
        async with self._lock:
            if self.__header == refused:
                self.__header = None
        return True

    async def _fetch(self) -> None:
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        pair = f"{quote_plus(self._client)}:{quote_plus(self._secret.reveal())}"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": _basic(pair)}
        answer = await self._post(self._url, urlencode(form).encode(), headers)
        token = get_key(answer.body, "access_token") if answer.ok and isinstance(answer.body, dict) else None
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            why = answer.reason if not answer.ok else "the answer has no access_token that can be used"
            raise BackendError(
                f"the token service {self._url} gives no token: {why}; check token_url, client_id and client_secret"
            )
        seconds = get_key(answer.body, "expires_in")
        lives = float(min(seconds, _LONGEST_SECONDS)) if isinstance(seconds, int | float) else 300.0
        self.__header, self._ends = f"Bearer {token}", time.monotonic() + max(lives - _MARGIN_SECONDS, lives / 2)


def sign_in(options: ScimOptions, context: Context, post: Post) -> tuple[SignIn, tuple[Secret, ...]]:
    """Returns the way to sign in that the options choose, and the secrets that no message may show.

    Raises:
        PipelineError: a secret cannot be read.
        BackendError: a token has characters that no token can have.
    """
    if options.token is not None:
        token = context.secret(options.token)
        if not (token.reveal().isascii() and token.reveal().isprintable()):
            raise BackendError("the token has characters that no token has; copy it again, in one line")
        return Fixed(f"Bearer {token.reveal().strip()}"), (token,)
    if options.username is not None and options.password is not None:
        password = context.secret(options.password)
        return Fixed(_basic(f"{options.username}:{password.reveal()}")), (password,)
    if options.client_id is not None and options.client_secret is not None and options.token_url is not None:
        secret = context.secret(options.client_secret)
        return ClientCredentials(options.token_url, options.client_id, secret, options.scope, post), (secret,)
    return Fixed(None), ()


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
