"""The options that all plugins have in common which speak HTTP."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from musterroll import FilePath, Options, SecretRef

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def check_url(text: object) -> object:
    """Checks an address; what is no text is somebody else's to check.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str):
        return text
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("this is no web address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not text.isprintable() or " " in text:
        raise ValueError('write the whole address, as "https://portal.example/api"')
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave user and password out of the address; there are options for them")
    return text


def check_header(text: object) -> object:
    """Checks the value of a header; what is no text is somebody else's to check.

    Raises:
        ValueError: it has characters that no header has.
    """
    if isinstance(text, str) and not (text.isascii() and text.isprintable()):
        raise ValueError("this has characters that no header has; write it in one line, in plain letters")
    return text


def _names(headers: dict[str, str | SecretRef]) -> dict[str, str | SecretRef]:
    for name in headers:
        if not _HEADER.fullmatch(name):
            raise ValueError(f'"{name}" cannot be the name of a header')
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("one of them is there twice")
    return headers


Headers = Annotated[dict[str, Annotated[str | SecretRef, BeforeValidator(check_header)]], AfterValidator(_names)]
"""An option for further headers; a value may be a secret."""


class HttpOptions(Options):
    """Options of a plugin that speaks HTTP, to inherit from.

    Attributes:
        url: the address that is asked, or a secret that holds it.
        token: a bearer token.
        username: the user, where the server wants a user and a password.
        password: that user's password.
        token_type: the word before the token in the header `Authorization`.
        client_id: the client, where the server wants OAuth 2 client credentials.
        client_secret: the client's secret.
        token_url: where such a client gets its token.
        scope: the scope to ask for there.
        headers: further headers, an API key for instance; a value may be a secret.
        ca: a file with the certificates of your own certificate authority, in PEM; the usual ones stay trusted.
        concurrency: so many requests at once.
        timeout: so many seconds a request may take, its whole answer included.
        retries: so often a request is repeated that found the server busy or unreachable.
    """

    url: Annotated[str | SecretRef, BeforeValidator(check_url)]
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    token_type: str = Field("Bearer", pattern=r"^[!-~]+$")
    client_id: str | None = None
    client_secret: SecretRef | None = None
    token_url: Annotated[str, BeforeValidator(check_url)] | None = None
    scope: str | None = None
    headers: Headers = Field({})
    ca: FilePath | None = None
    concurrency: int = Field(8, ge=1, le=256)
    timeout: float = Field(30.0, gt=0, le=3600)
    retries: int = Field(4, ge=0, le=20)

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> HttpOptions:
        user, client = self.username is not None, self.client_id is not None
        if (self.token is not None) + user + client > 1:
            raise ValueError("choose one of token, username with password, and client_id with client_secret")
        if user != (self.password is not None):
            raise ValueError("username and password belong together")
        together = (self.client_secret is not None, self.token_url is not None)
        if any(have != client for have in together) or (self.scope is not None and not client):
            raise ValueError("client_id, client_secret and token_url belong together")
        return self
