"""The three ways to sign in: a bearer token, user and password, OAuth 2 client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import quote_plus, urlencode

from musterroll import Context, MusterrollError, Secret
from musterroll_http.answer import HttpAnswer
from musterroll_http.errors import HttpError
from musterroll_http.options import HttpOptions

# A token is fetched anew so long before it ends.
_MARGIN_SECONDS = 30.0
_LONGEST_SECONDS = 1e6

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[HttpAnswer]]


class SignIn(Protocol):
    """A way to sign in.

    Attributes:
        secrets: what no message may show.
    """

    secrets: tuple[Secret, ...]

    async def header(self, post: Post) -> str | None:
        """Returns the Authorization header of the next request.

        Args:
            post: sends a form to an address.

        Raises:
            HttpError: there is none to be had.
        """
        ...

    async def renew(self, refused: str | None) -> bool:
        """Called when a header was refused; returns whether there is another one to try."""
        ...


class FixedSignIn:
    """Always the same header, or none.

    Args:
        header: the header.
        secrets: what no message may show.
    """

    def __init__(self, header: str | None = None, *secrets: Secret) -> None:
        self.__header, self.secrets = header, secrets

    async def header(self, post: Post) -> str | None:
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
    """

    def __init__(self, url: str, client: str, secret: Secret, scope: str | None = None) -> None:
        self._url, self._client, self._secret, self._scope = url, client, secret, scope
        self.secrets: tuple[Secret, ...] = (secret,)
        self.__header: str | None = None
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def header(self, post: Post) -> str | None:
        """Returns the header, with a new token where the old one is about to end."""
        async with self._lock:
            if self.__header is None or time.monotonic() > self._ends:
                await self._fetch(post)
            return self.__header

    async def renew(self, refused: str | None) -> bool:
        """Forgets the token that was refused."""
        async with self._lock:
            if self.__header == refused:
                self.__header = None
        return True

    async def _fetch(self, post: Post) -> None:
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        pair = f"{quote_plus(self._client)}:{quote_plus(self._secret.reveal())}"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": _basic(pair)}
        try:
            answer = await post(self._url, urlencode(form).encode(), headers)
        except HttpError as error:
            text = f"the token service cannot be used: {error.text}"
            raise HttpError(text, unusable=error.unusable) from None
        given = answer.body if answer.ok and isinstance(answer.body, dict) else {}
        token, seconds = given.get("access_token"), given.get("expires_in")
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            why = answer.reason if not answer.ok else "the answer has no access_token that can be used"
            raise HttpError(
                f"the token service {self._url} gives no token: {why}; check token_url, client_id and client_secret",
                unusable=True,
            )
        lives = float(min(seconds, _LONGEST_SECONDS)) if isinstance(seconds, int | float) else 300.0
        self.__header, self._ends = f"Bearer {token}", time.monotonic() + max(lives - _MARGIN_SECONDS, lives / 2)


def sign_in(options: HttpOptions, context: Context, failure: type[MusterrollError]) -> SignIn:
    """Returns the way to sign in that the options choose.

    Raises:
        PipelineError: a secret cannot be read.
        MusterrollError: a token has characters that no token can have.
    """
    if options.token is not None:
        token = context.secret(options.token)
        text = token.reveal().strip()
        if not (text.isascii() and text.isprintable()):
            raise failure("the token has characters that no token has; copy it again, in one line")
        return FixedSignIn(f"{options.token_type} {text}", token)
    if options.username is not None and options.password is not None:
        password = context.secret(options.password)
        pair = Secret(f"{options.username}:{password.reveal()}")
        return FixedSignIn(_basic(pair.reveal()), password, pair)
    if options.client_id is not None and options.client_secret is not None and options.token_url is not None:
        secret = context.secret(options.client_secret)
        return ClientCredentials(options.token_url, options.client_id, secret, options.scope)
    return FixedSignIn()


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
