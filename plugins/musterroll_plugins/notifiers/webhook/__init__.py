"""The notifier `webhook`: a request over HTTP for each message, e.g. to an SMS gateway."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from musterroll import Component, Context, Notifier, NotifierError, NotifierType, hookimpl
from musterroll_plugins.notifiers.webhook.options import WebhookOptions

__all__ = ["WebhookOptions", "build", "musterroll_notifiers"]


def build(options: WebhookOptions, context: Context) -> Notifier:
    """Gets ready; nobody is asked before there is something to send.

    Raises:
        NotifierError: the extra is not installed, or a file or secret cannot be used.
        PipelineError: a secret cannot be read.
    """
    if find_spec("aiohttp") is None:
        raise NotifierError(
            'the notifier "webhook" needs aiohttp: pip install "musterroll[webhook]"', code="extra.missing"
        )
    from musterroll_plugins.notifiers.webhook.notifier import Webhook  # noqa: PLC0415 -- quick start-up

    return Webhook(options, context)


@hookimpl
def musterroll_notifiers() -> Iterator[Component]:
    """Announces the notifier."""
    yield NotifierType(
        name="webhook",
        summary="Sends messages over HTTP: to an SMS gateway, or a program of your own",
        options=WebhookOptions,
        build=build,
    )
