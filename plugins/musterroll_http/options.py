"""The options that all plugins have in common which speak HTTP."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from musterroll import FilePath, Options, SecretRef


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


class HttpOptions(Options):
    """Options of a plugin that speaks HTTP, to inherit from.

    Attributes:
        url: the address that is asked, or a secret that holds it.
        token: a bearer token.
        username: the user, where the server wants a user and a password.
        password: that user's password.
        ca: a file with the certificates of your own certificate authority, in PEM; the usual ones stay trusted.
        concurrency: so many requests at once.
        timeout: so many seconds a request may take, its whole answer included.
        retries: so often a request is repeated that found the server busy or unreachable.
    """

    url: Annotated[str | SecretRef, BeforeValidator(check_url)]
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    ca: FilePath | None = None
    concurrency: int = Field(8, ge=1, le=256)
    timeout: float = Field(30.0, gt=0, le=3600)
    retries: int = Field(4, ge=0, le=20)

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> HttpOptions:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        if self.token is not None and self.username is not None:
            raise ValueError("choose one of token, and username with password")
        return self
