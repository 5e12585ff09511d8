"""HTTP for plugins: one client with retries, limits, and words for what can go wrong, and the loop that it runs in.

See docs/plugins/http.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from musterroll_http.errors import HttpError
from musterroll_http.options import HttpOptions, check_url
from musterroll_http.secrets import masked

if TYPE_CHECKING:
    from musterroll_http.answer import HttpAnswer, Meaning, meaning
    from musterroll_http.client import HttpClient
    from musterroll_http.documents import put_at, value_at
    from musterroll_http.paging import Paging
    from musterroll_http.rest import RestBackend, RestOptions, id_in, identity_of, quoted, text_of_id
    from musterroll_http.sign_in import ClientCredentials, SignIn
    from musterroll_http.tls import refused_handshake, tls_context, untrusted
    from musterroll_simple import Pump

__all__ = [
    "ClientCredentials",
    "HttpAnswer",
    "HttpClient",
    "HttpError",
    "HttpOptions",
    "Meaning",
    "Paging",
    "Pump",
    "RestBackend",
    "RestOptions",
    "SignIn",
    "check_url",
    "id_in",
    "identity_of",
    "masked",
    "meaning",
    "put_at",
    "quoted",
    "refused_handshake",
    "text_of_id",
    "tls_context",
    "untrusted",
    "value_at",
]

# Options are read whenever a plugin is looked at; event loop and TLS only by those who send something.
_LATER = {
    "answer": ("HttpAnswer", "Meaning", "meaning"),
    "client": ("HttpClient",),
    "documents": ("put_at", "value_at"),
    "paging": ("Paging",),
    "rest": ("RestBackend", "RestOptions", "id_in", "identity_of", "quoted", "text_of_id"),
    "sign_in": ("ClientCredentials", "SignIn"),
    "tls": ("refused_handshake", "tls_context", "untrusted"),
}


def __getattr__(name: str) -> Any:
    if name == "Pump":  # for those who speak HTTP and build on no simple backend
        return import_module("musterroll_simple").Pump
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"musterroll_http.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
