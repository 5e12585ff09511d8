"""The options of the notifier `webhook`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from musterroll import Purpose, SecretRef
from musterroll_http import HttpOptions
from musterroll_plugins.notifiers._reach import Needs
from musterroll_plugins.notifiers._text_options import check_structure


def _body(purpose: Purpose) -> AfterValidator:
    def check(body: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        _check_types(body, "")
        check_structure(body, purpose, info)
        return body

    return AfterValidator(check)


def _check_types(value: Any, path: str) -> None:
    match value:
        case dict():
            for key, child in value.items():
                _check_types(child, f"{path}.{key}".lstrip("."))
        case list():
            for i, child in enumerate(value):
                _check_types(child, f"{path}[{i}]")
        case str() | bool() | int() | float():
            pass
        case _:
            raise ValueError(f"{path}: write dates and times as text, in quotation marks")


class WebhookOptions(HttpOptions):
    """Options of the notifier `webhook`.

    Attributes:
        method: of HTTP.
        secret: what requests are signed with: HMAC with SHA-256, in the header `Musterroll-Signature`.
        encoding: how the body is written: as `json`, or as a web page sends a form (`form`).
        body: the body of invites; texts in it may have placeholders as `{forename}`. By default a document of our own.
        finished_body: the body of messages about jobs that have ended, likewise.
        needs: whom it reaches: users with an address (`email`), with a phone number (`phone`), with either (`any`), or
            everybody (`nothing`).
        channel: what lists of invites call this way, e.g. `sms`.
        idempotent: the receiver does nothing twice for the same `Idempotency-Key`, so that what may have been lost is
            sent again. Without it such a message is held. `PUT` counts as idempotent.
        retry_wait: so many seconds are waited before a request is repeated where the receiver does not say, and twice
            as long each further time.
    """

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    secret: SecretRef | None = None
    encoding: Literal["json", "form"] = "json"
    body: Annotated[dict[str, Any], _body(Purpose.INVITE)] | None = None
    finished_body: Annotated[dict[str, Any], _body(Purpose.FINISHED)] | None = None
    needs: Needs = "any"
    channel: str = Field("webhook", min_length=1)
    idempotent: bool = False
    retry_wait: float = Field(1.0, ge=0, le=3600)

    @property
    def repeatable(self) -> bool:
        """Whether a request that may have been done already can be sent again."""
        return self.idempotent or self.method == "PUT"

    @model_validator(mode="after")
    def _as_a_whole(self) -> WebhookOptions:
        if self.encoding == "form":
            for name, body in (("body", self.body), ("finished_body", self.finished_body)):
                if body is not None and any(isinstance(value, dict | list) for value in body.values()):
                    raise ValueError(f"{name}: a form has no tables and lists in it")
        return self
