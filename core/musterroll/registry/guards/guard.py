"""What the guards of all roles share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from musterroll.contract.late_patterns import late_pattern
from musterroll.errors import MusterrollError
from musterroll.registry.plugin_errors import AnswerError, broken
from musterroll.registry.watch import Watch

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_HALF = late_pattern("[\ud800-\udfff]")


class Guard:
    """Calls one instance.

    Args:
        label: the instance as the person knows it, with the plugin it belongs to.
        watch: notes every call.
    """

    def __init__(self, label: str, watch: Watch) -> None:
        self.label, self.watch = label, watch

    def call(self, stage: str, method: Callable[..., Any], look: Callable[[Any], T], *args: object) -> T:
        """Calls a method and looks at what it answers.

        Raises:
            PluginError: it broke, or the answer cannot be used.
        """
        call = self.watch.begin(self.label, stage)
        try:
            return look(method(*args))
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken(self.label, stage, error) from error
        finally:
            self.watch.end(call)

    def stream(
        self,
        stage: str,
        method: Callable[..., Any],
        look: Callable[[Any], T],
        *args: object,
        name: str,
        unit: tuple[str, str],
    ) -> Iterator[T]:
        """Calls a method that streams its answers, and looks at each. It is called when the first one is wanted.

        Args:
            stage: what is being done.
            method: the method.
            look: looks at an answer, and returns it.
            args: of the method.
            name: the method's name, as the role has it.
            unit: what an answer is, one and several, for the watch.

        Raises:
            PluginError: it broke, or an answer cannot be used.
        """
        watch, call = self.watch, self.watch.begin(self.label, stage, unit)
        answers: Iterator[Any] | None = None
        try:
            answers = iterator(method(*args), name)
            for answer in answers:
                looked_at = look(answer)
                call.done += 1
                watch.current = call.outer  # as `end` does
                yield looked_at
                call.outer, watch.current = watch.current, call
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken(self.label, stage, error) from error
        finally:
            self._stop(answers, stage)
            if self.watch.current is call:
                self.watch.end(call)

    def _stop(self, answers: Iterator[Any] | None, stage: str) -> None:
        """Lets a generator that is not wanted any more tidy up."""
        close = getattr(answers, "close", None)
        if close is not None:
            try:
                close()
            except MusterrollError:
                raise
            except (Exception, SystemExit) as error:
                raise broken(self.label, f"{stage}, at its end", error) from error


class Closable(Protocol):
    """What has to be closed."""

    def close(self) -> None:
        """Closes it."""
        ...


class ClosingGuard(Guard):
    """Calls an instance that has to be closed, which a `with` does.

    Args:
        inner: the instance.
        label: the instance as the person knows it, with the plugin it belongs to.
        watch: told of every call.
    """

    def __init__(self, inner: Closable, label: str, watch: Watch) -> None:
        super().__init__(label, watch)
        self.inner = inner

    def close(self) -> None:
        """Closes the instance."""
        self.call("closing", self.inner.close, lambda answer: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            with suppress(MusterrollError):  # what went wrong first is what the person must hear of
                self.close()


def iterator(answers: object, name: str) -> Iterator[Any]:
    """Begins to go through what a method answered.

    Raises:
        AnswerError: that cannot be gone through.
    """
    if not isinstance(answers, Iterable) or isinstance(answers, str | bytes):
        raise AnswerError(f"{name}() must yield its answers or return an iterable of them, not {a(answers)}")
    return iter(answers)


def status_of(kind: type[E], value: Any, what: str) -> E:
    """Returns a status; a text that names one counts, too.

    Raises:
        AnswerError: there is no such status.
    """
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(f"{kind.__name__}.{one.name}" for one in kind)
        word = kind.__name__.removeprefix("Sent").lower()
        raise AnswerError(f"an unknown {word} {value!r:.40} of {what}; there are {known}") from None


def a(value: object) -> str:
    """What something is, for messages that must not show what is in it."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    return f"a {type(value).__name__}" if type(value).__name__[0] not in "AEIOaeiou" else f"an {type(value).__name__}"


def is_text(value: object) -> bool:
    """Whether it is a text with something to see in it."""
    return isinstance(value, str) and bool(value.strip())


def whole(text: str, what: str) -> str:
    """Returns a text that can be written.

    Raises:
        AnswerError: it holds half a character.
    """
    if _HALF.search(text):
        raise AnswerError(f"{what} holds half a character, which cannot be written")
    return text
