"""Sign-ins on their way to an OpenID provider. What has to be known of one when it ends, the browser keeps, sealed.

So nothing of it is kept here: however many are begun, nobody's is pushed out, and one goes on though the server was
started anew meanwhile. A cookie each, so that several tabs can sign in at once.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey
from starlette.requests import Request
from starlette.responses import Response

from musterroll_plugins.web.site import port_of

SIGN_IN_SECONDS = 10 * 60
KEY_BYTES = 64
_LEEWAY = 60  # seconds that a clock may be set back
_MOST = 4  # of one browser besides a new one: all of them come with each request, and proxies take 8 KB
# How often it is used strangers decide, so one whose random numbers do not run out; whoever is not us can neither
# read nor change what it seals.
_SEAL = {"alg": "dir", "enc": "A256CBC-HS512"}


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that was sent to the provider.

    Attributes:
        to: the page that it wanted.
        state: tells it from other ones; comes back with it.
        nonce: has to be in the id token.
        verifier: proves that who ends it began it (PKCE).
    """

    to: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class SignIns:
    """Gives sign-ins to browsers, and takes them back.

    Args:
        key: what they are sealed with, of `KEY_BYTES`.
        url: the address by which people come.
        clock: the time, in seconds since 1970: one can outlive the server.
    """

    def __init__(self, key: bytes, url: str, clock: Callable[[], float] = time.time) -> None:
        self._key, self._is_https, self._clock = OctKey.import_key(key), url.startswith("https:"), clock
        self._registry = JWERegistry(algorithms=[*_SEAL.values()])
        # Of this very server, whatever others of the same domain say; that takes the path `/` as well.
        self._cookie = f"{'__Host-' if self._is_https else ''}musterroll-{port_of(url)}-sign-in-"
        self._name = re.compile(rf"{self._cookie}([\w-]{{22}})", re.ASCII)

    def give(self, request: Request, response: Response, sign_in: SignIn) -> None:
        """Gives one to the browser, and takes those away that are of no use any more, or too many."""
        now = int(self._clock())
        found = sorted(self._all_of(request), reverse=True)
        for began, state in found:
            if (began, state) not in found[:_MOST] or began == 0:
                self._set(response, state, "", 0)
        claims = {**asdict(sign_in), "iat": now, "exp": now + SIGN_IN_SECONDS}
        sealed = jwt.encode(_SEAL, claims, self._key, registry=self._registry)
        self._set(response, sign_in.state, sealed, SIGN_IN_SECONDS)

    def find(self, request: Request) -> SignIn | None:
        """The sign-in that a browser comes back from; None where this browser has begun none here, or too long ago."""
        state = request.query_params.get("state", "")
        claims = self._claims(request.cookies.get(self._cookie + state, ""), state)
        return None if claims is None else SignIn(**{one.name: str(claims[one.name]) for one in fields(SignIn)})

    def take_away(self, response: Response, sign_in: SignIn) -> None:
        """Takes one from the browser: it has ended."""
        self._set(response, sign_in.state, "", 0)

    def _all_of(self, request: Request) -> Iterator[tuple[int, str]]:
        """When each of a browser's was begun, and its state; 0 for what is none of ours, or too old."""
        for name, value in request.cookies.items():
            if found := self._name.fullmatch(name):
                claims = self._claims(value, found[1])
                yield (0 if claims is None else claims["iat"]), found[1]

    def _claims(self, sealed: str, state: str) -> jwt.Claims | None:
        must_be = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=_LEEWAY,
            iat={"essential": True},
            exp={"essential": True},
            state={"essential": True, "value": state},
        )
        try:
            claims = jwt.decode(sealed, self._key, registry=self._registry).claims
            must_be.validate(claims)
        except (JoseError, ValueError):  # it is none at all
            return None
        return claims

    def _set(self, response: Response, state: str, value: str, seconds: int) -> None:
        # Lax: the browser comes back from another site.
        response.set_cookie(
            self._cookie + state, value, seconds, httponly=True, secure=self._is_https, samesite="lax", path="/"
        )
