"""Sends one message: repeats what certainly was not done, and what may be repeated; stops where no other will do.

Everything here runs in the event loop of the notifier's pump.
"""

from __future__ import annotations

from musterroll import Context, Message, NotifierError, Sent, SentStatus
from musterroll_http import HttpAnswer, HttpClient, HttpError
from musterroll_plugins.notifiers._texts import printable
from musterroll_plugins.notifiers.webhook.bodies import CONTENT_TYPES, Bodies
from musterroll_plugins.notifiers.webhook.options import WebhookOptions
from musterroll_plugins.notifiers.webhook.signature import HEADER, signature

# A receiver that breaks at every message would make every one of them doubtful.
_MOST_DOUBTFUL = 3
_MOST_READ = 16384


class Sender(HttpClient):
    """Sends the messages of one notifier.

    Args:
        options: of the notifier.
        context: of the notifier.

    Raises:
        NotifierError: the certificate file cannot be read, or a secret is no address or header.
        PipelineError: a secret cannot be read.
    """

    def __init__(self, options: WebhookOptions, context: Context) -> None:
        super().__init__(
            options,
            context,
            NotifierError,
            retry_wait=options.retry_wait,
            # Shorter than any server keeps a silent connection: what is sent on one that has just been closed is held.
            keep_alive=1.0,
            max_answer=_MOST_READ,
            errors_only=True,
        )
        self._options, self._context = options, context
        self._secret = None if options.secret is None else context.secret(options.secret)
        if self._secret is not None:
            self.hide(self._secret)
        named = {name.lower() for name in self.own_headers}
        usual = {"Accept": "*/*", "Content-Type": CONTENT_TYPES[options.encoding]}
        self._headers = {name: value for name, value in usual.items() if name.lower() not in named}
        self._bodies = Bodies(options)
        self._doubtful = 0

    async def send(self, message: Message) -> Sent:
        """Sends one message and says what became of it."""
        options, body = self._options, self._bodies.write(message)
        headers = {**self._headers, "Idempotency-Key": message.id}
        if self._secret is not None:
            headers[HEADER] = signature(self._secret, body, self._context.clock())
        try:
            answer = await self.request(options.method, content=body, headers=headers, repeatable=options.repeatable)
        except HttpError as error:
            return self._given_up(message, error.text, doubt=not error.certain)
        if 200 <= answer.status < 300:
            self._doubtful = 0
            return Sent(message.id, SentStatus.SENT)
        return self._given_up(message, self._explained(answer), doubt=answer.doubtful)

    def gave_up(self, error: HttpError, *, alone: bool) -> None:
        """Stops where it is not this message's fault; one that the receiver breaks over is held by itself."""
        if error.certain:
            self.stop(self.failed(error))

    def _explained(self, answer: HttpAnswer) -> str:
        """Says what an answer means; stops where it means the same for every other message."""
        status = answer.status
        says = f" ({status}: {printable(answer.detail)})" if answer.detail else f" ({status})"
        text = f"{self.host} {'refused' if status < 500 else 'broke over'} it{says}"
        if 300 <= status < 400:
            text = f"{self.host} answers with a redirect ({status}); set url to the address that it leads to"
        elif status == 401:
            text = f"{self.host} does not accept the token or password{says}; check it"
        if 300 <= status < 400 or status == 401:
            self.stop(NotifierError(text))
        return text

    def _given_up(self, message: Message, text: str, *, doubt: bool) -> Sent:
        if not doubt:
            return Sent(message.id, SentStatus.FAILED, text)
        self._doubtful += 1
        if self._doubtful >= _MOST_DOUBTFUL:
            self.stop(NotifierError(f"{text}, {self._doubtful} times without a success; see whether it is well"))
        return Sent(message.id, SentStatus.UNKNOWN, f"{text}: it may or may not have gone out")
