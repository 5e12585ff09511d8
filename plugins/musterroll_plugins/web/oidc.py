"""Signing in with an OpenID provider: authorization code with PKCE, by Authlib."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from musterroll import gettext
from musterroll_plugins.web.people import Arrival, OidcSignIn, SignInRefusedError
from musterroll_plugins.web.sign_ins import SignIn, SignIns

_FRESH_SECONDS = 60  # so long what the provider says of itself is not asked for again
_ALGORITHMS = "id_token_signing_alg_values_supported"


class OidcGate:
    """Sends browsers to the provider, and takes them back.

    Args:
        settings: the provider.
        url: the address by which people come.
        sign_ins: those on their way.
        asks_groups: whether roles go by groups.
    """

    def __init__(self, settings: OidcSignIn, url: str, sign_ins: SignIns, *, asks_groups: bool) -> None:
        self._settings, self._sign_ins = settings, sign_ins
        self._redirect_uri = f"{url}/sign-in/back"
        self._wanted = {settings.claim, *([settings.groups_claim] if asks_groups else [])}
        self._client = self._new_client()

    async def begin(self, request: Request, to: str, *, as_another: bool) -> Response:
        """Sends a browser to the provider.

        Args:
            request: what the browser asks for.
            to: the page that it wants to see then.
            as_another: whether the provider is to ask who it is, though it may know somebody already.

        Raises:
            HTTPException: the provider is away, or is none (503).
        """
        sign_in = SignIn(to)
        request.scope["session"] = {}  # Authlib notes there what the sign-in has
        with _reaching_the_provider():
            client = await self._fresh_client()
            more = {"prompt": _asking_who(client.server_metadata)} if as_another else {}
            response: RedirectResponse = await client.authorize_redirect(
                request,
                self._redirect_uri,
                state=sign_in.state,
                nonce=sign_in.nonce,
                code_verifier=sign_in.verifier,
                **more,
            )
        self._sign_ins.give(request, response, sign_in)
        return response

    async def end(self, request: Request) -> Arrival:
        """Takes a browser back.

        Raises:
            SignInRefusedError: nobody is let in, and why.
            HTTPException: the provider is away, or is none (503).
        """
        sign_in = self._sign_ins.find(request)
        if request.query_params.get("error"):
            # Anybody can say so who was not sent there by us: that is not noted.
            text = gettext("The provider that signs people in did not let you in.")
            raise SignInRefusedError(text, note="by the provider" if sign_in else "")
        if sign_in is None:
            raise SignInRefusedError(gettext("This sign-in was not begun here, or it took too long. Sign in again."))
        with _reaching_the_provider():
            claims = await self._claims(request, sign_in)
        return self._arrival(claims, sign_in.to)

    def over(self, request: Request, response: Response) -> None:
        """Takes the sign-in away from which a browser has come back, with the answer to that."""
        if (sign_in := self._sign_ins.find(request)) is not None:
            self._sign_ins.take_away(response, sign_in)

    def sign_out_url(self) -> str | None:
        """Where one signs out at the provider; None where it does not say."""
        place = self._client.server_metadata.get("end_session_endpoint")
        if not isinstance(place, str) or not place.startswith(("http:", "https:")):
            return None
        return f"{place}{'&' if '?' in place else '?'}{urlencode({'client_id': self._settings.client_id})}"

    def _new_client(self) -> Any:  # Authlib has no types
        settings = self._settings
        return OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret.resolve().reveal(),
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": " ".join(settings.scopes), "code_challenge_method": "S256"},
        )

    async def _fresh_client(self) -> Any:
        """One that knows what the provider says of itself now: whether it is there is not for the browser to find out.

        A new one in place of the former, which may be taking somebody back just now.
        """
        if time.time() - self._client.server_metadata.get("_loaded_at", 0) > _FRESH_SECONDS:
            client = self._new_client()
            await self._load_metadata(client)
            self._client = client
        return self._client

    async def _load_metadata(self, client: Any) -> None:
        """Asks what the provider says of itself.

        Raises:
            ValueError: it says that it is another one, or not where it does what.
        """
        found: Mapping[str, Any] = await client.load_server_metadata()
        if str(found["issuer"]).rstrip("/") != self._settings.issuer.rstrip("/"):
            raise ValueError(f"the provider says that it is {found['issuer']}, not {self._settings.issuer}")
        for place in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            found[place]
        # Some providers can leave tokens unsigned as well; those for us are signed.
        signed = [one for one in found.get(_ALGORITHMS) or () if one != "none"]
        client.server_metadata[_ALGORITHMS] = signed or ["RS256"]

    async def _claims(self, request: Request, sign_in: SignIn) -> Mapping[str, Any]:
        """What the provider says of the person: in the id token, and where asked what is missing there.

        Raises:
            SignInRefusedError: what it says cannot be believed.
        """
        client = self._client
        if "_loaded_at" not in client.server_metadata:  # another server had sent the browser on its way
            client = await self._fresh_client()
        metadata: Mapping[str, Any] = client.server_metadata
        request.scope["session"] = {}
        noted = {"redirect_uri": self._redirect_uri, "nonce": sign_in.nonce, "code_verifier": sign_in.verifier}
        await client.framework.set_state_data(request.session, sign_in.state, noted)
        try:
            if request.query_params.get("iss", metadata["issuer"]) != metadata["issuer"]:
                raise _Unbelievable("iss")
            must_be = {"iss": metadata["issuer"], "aud": self._settings.client_id}
            token = await client.authorize_access_token(
                request,
                claims_options={name: {"essential": True, "values": [value]} for name, value in must_be.items()},
            )
            claims: Mapping[str, Any] = token.get("userinfo") or {}
            if not claims.get("sub"):
                raise _Unbelievable("no id token")
            if self._wanted <= claims.keys() or "userinfo_endpoint" not in metadata:
                return claims
            more = await client.userinfo(token=token)
            if more.get("sub") != claims["sub"]:
                raise _Unbelievable("sub of the userinfo")
        except (AuthlibBaseError, JoseError, _Unbelievable) as error:
            # Refused there, or no token of this provider for this sign-in. The reason is for whoever runs the server.
            client.server_metadata.pop("jwks", None)  # its keys may have changed: they are asked for next time
            reason = getattr(error, "error", None) or str(error)
            raise SignInRefusedError(
                gettext("What the provider that signs people in answered cannot be believed. Sign in again."),
                note=f"{reason} {getattr(error, 'claim', '') or ''}".strip()[:100],
            ) from None
        return {**more, **claims}

    def _arrival(self, claims: Mapping[str, Any], to: str) -> Arrival:
        settings = self._settings
        name = claims.get(settings.claim)
        if not isinstance(name, str) or not name:
            raise SignInRefusedError(
                gettext("The provider that signs people in does not say your “{claim}”.", claim=settings.claim),
                note=f"the provider does not say {settings.claim}",
            )
        # Some providers say it as a text.
        if settings.claim == "email" and str(claims.get("email_verified", "")).lower() == "false":
            raise SignInRefusedError(
                gettext("The provider that signs people in does not vouch for the address {name}.", name=name[:200]),
                note="the address is not verified",
                name=name[:200],
            )
        groups = claims.get(settings.groups_claim)
        if isinstance(groups, str):
            groups = [groups]
        named = groups if isinstance(groups, Collection) and not isinstance(groups, Mapping) else ()
        return Arrival(name, frozenset(one for one in named if isinstance(one, str)), to)


class _Unbelievable(Exception):  # noqa: N818 -- it never leaves this file
    """An answer of the provider that does not fit; its text is a word for it."""


def _asking_who(metadata: Mapping[str, Any]) -> str:
    """How the provider is told to ask who somebody is."""
    return "select_account" if "select_account" in (metadata.get("prompt_values_supported") or ()) else "login"


@contextmanager
def _reaching_the_provider() -> Iterator[None]:
    """Says in words that the provider is away, or is none.

    Raises:
        HTTPException: that is so (503).
    """
    try:
        yield
    except httpx2.HTTPStatusError as error:
        _tell_the_log(error)
        raise HTTPException(503, gettext("the provider that signs people in has failed; try it again")) from None
    except httpx2.HTTPError as error:
        _tell_the_log(error)
        raise HTTPException(503, gettext("the provider that signs people in cannot be reached")) from None
    except (ValueError, KeyError, TypeError, RuntimeError) as error:  # no JSON, or not that of an OpenID provider
        _tell_the_log(error)
        text = gettext("the provider that signs people in is not set up as it should be")
        raise HTTPException(503, text) from None


def _tell_the_log(error: Exception) -> None:
    print(f"sign-in: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
