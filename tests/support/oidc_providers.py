"""A small OpenID provider in a thread of this process, which says what no well-behaved one says."""

from __future__ import annotations

import json
import threading
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import authlib.deprecate  # noqa: F401 -- it shows its warnings whatever was said before
import flask
import werkzeug.serving
from joserfc import jwt
from joserfc.jwk import RSAKey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it uses what Authlib has by another name by now
    import oidc_provider_mock

Document = dict[str, Any]


@dataclass
class Lies:
    """What a provider says instead of the truth.

    Attributes:
        claims: changes what is in the id token.
        key: what it is signed with, where that is not the provider's own key.
        unsigned: the id token has no signature.
        documents: changes a document, by the end of its path; None for a page that is no JSON.
        statuses: what is answered instead of a document, likewise.
    """

    claims: Callable[[Document], Document] | None = None
    key: RSAKey | None = None
    unsigned: bool = False
    documents: dict[str, Callable[[Document], Document] | None] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    def no_more(self) -> None:
        """From now on it is the truth."""
        self.__init__()  # type: ignore[misc]  # as it was in the beginning


def _retold(lies: Lies, response: flask.Response) -> flask.Response:
    path = flask.request.path
    for end, status in lies.statuses.items():
        if path.endswith(end):
            return flask.Response("<h1>Bad gateway</h1>", status, mimetype="text/html")
    if response.mimetype != "application/json":
        return response
    told = json.loads(response.get_data())
    for end, change in lies.documents.items():
        if path.endswith(end):
            if change is None:
                return flask.Response("<h1>Welcome</h1>", mimetype="text/html")
            told = change(told)
    if path.endswith("/token") and told.get("id_token"):
        told["id_token"] = _id_token(lies, told["id_token"])
    return flask.Response(json.dumps(told), response.status_code, mimetype="application/json")


def _id_token(lies: Lies, told: str) -> str:
    own = RSAKey.import_key(flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True))
    claims = jwt.decode(told, own).claims
    told_claims = lies.claims(claims) if lies.claims else claims
    if lies.unsigned:
        return ".".join([*(_encoded(part) for part in ({"alg": "none"}, told_claims)), ""])
    key = lies.key or own
    return jwt.encode({"alg": "RS256", "kid": key.kid or own.kid}, told_claims, key)


def _encoded(part: Document) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def lying_provider(people: Mapping[str, Document]) -> Iterator[tuple[str, Lies]]:
    """Serves on a free port; yields its issuer, and what it lies about: nothing, until somebody says so.

    Args:
        people: what it says of people, by their subject.
    """
    lies = Lies()
    users = [oidc_provider_mock.User(sub=sub, claims={**claims}) for sub, claims in people.items()]
    app = oidc_provider_mock.app(user_claims=users)
    app.after_request(lambda response: _retold(lies, response))
    server = werkzeug.serving.make_server("localhost", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}", lies
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()
