"""Signing in with an OpenID provider: authorization code with PKCE, by Authlib."""

from __future__ import annotations

import secrets
import time
from collections.abc import MutableMapping
from typing import Any

import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.starlette_client import OAuth
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from musterroll_plugins.web.people import OidcSignIn

_COOKIE = "musterroll-sign-in"
_SECONDS = 10 * 60
_MOST = 1000
_UNREACHABLE = "the provider that signs people in cannot be reached"


class OidcGate:
    """Sends browsers to the provider, and takes them back.

    Args:
        settings: the provider.
        redirect_uri: where it sends browsers back to.
        is_https: whether people come by HTTPS.
    """

    def __init__(self, settings: OidcSignIn, redirect_uri: str, *, is_https: bool) -> None:
        self._settings, self._redirect_uri, self._is_https = settings, redirect_uri, is_https
        # What Authlib remembers of a browser on its way (state, nonce, verifier), by a cookie for nothing else.
        self._on_the_way: dict[str, tuple[float, MutableMapping[str, Any]]] = {}
        self._client: Any = OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret.resolve().reveal(),
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
        )

    async def begin(self, request: Request) -> Response:
        """Sends a browser to the provider."""
        now = time.monotonic()
        self._on_the_way = {key: one for key, one in self._on_the_way.items() if now - one[0] < _SECONDS}
        while len(self._on_the_way) >= _MOST:
            self._on_the_way.pop(next(iter(self._on_the_way)))
        key = secrets.token_urlsafe(32)
        remembered: MutableMapping[str, Any] = {}
        request.scope["session"] = remembered
        try:
            response: RedirectResponse = await self._client.authorize_redirect(request, self._redirect_uri)
        except httpx2.HTTPError:
            raise HTTPException(503, _UNREACHABLE) from None
        self._on_the_way[key] = now, remembered
        # Lax: the browser comes back from another site.
        response.set_cookie(
            _COOKIE, key, max_age=_SECONDS, httponly=True, secure=self._is_https, samesite="lax", path="/sign-in"
        )
        return response

    async def end(self, request: Request) -> str | None:
        """Takes a browser back; returns what the provider calls the person, None where it cannot be trusted."""
        began, remembered = self._on_the_way.pop(request.cookies.get(_COOKIE, ""), (0.0, None))
        if remembered is None or time.monotonic() - began > _SECONDS:
            return None
        request.scope["session"] = remembered
        try:
            token = await self._client.authorize_access_token(request)
        except (OAuthError, ValueError, KeyError):  # refused there, forged here, or an id token that is none
            return None
        except httpx2.HTTPError:
            raise HTTPException(503, _UNREACHABLE) from None
        claims = token.get("userinfo") or {}
        if self._settings.claim == "email" and claims.get("email_verified") is False:
            return None
        name = claims.get(self._settings.claim)
        return name if isinstance(name, str) and name else None
