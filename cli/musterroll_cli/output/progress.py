"""The engine's progress: remembered for error messages, drawn on terminals once it takes a while."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Self

from musterroll import counted, gettext
from musterroll_cli.output.console import Stream

if TYPE_CHECKING:
    from rich import progress as bars

_PATIENCE = 1.0  # seconds before a bar appears: quick work needs none
_PACE = 0.1  # seconds between updates


class StageKeeper:
    """Remembers the stage, so that an unexpected failure can name it; draws nothing."""

    def __init__(self) -> None:
        self.name: str | None = None

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins."""
        self.name = name

    def advance(self, steps: int = 1) -> None:
        """Steps are not counted here."""

    def pause(self) -> None:
        """Makes room for a question."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()


class Bar(StageKeeper):
    """Draws a bar on a terminal.

    The bar appears by a timer, since the engine may be silent for long; the lock is between that timer's
    thread and the engine's.
    """

    def __init__(self, stream: Stream, *, patience: float = _PATIENCE) -> None:
        super().__init__()
        self._stream = stream
        self._patience = patience
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._bar: bars.Progress | None = None
        self._task: bars.TaskID | None = None
        self._total: int | None = None
        self._done = 0
        self._updated = 0.0

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins: the bar changes its name and starts again."""
        with self._lock:
            self.name, self._total, self._done = name, total, 0
            if self._bar is not None:
                self._start_task()
            elif self._timer is None:
                # The language is the context's, which a thread does not have by itself.
                self._timer = threading.Timer(self._patience, copy_context().run, (self._appear,))
                self._timer.daemon = True
                self._timer.start()

    def advance(self, steps: int = 1) -> None:
        """So many steps are done."""
        self._done += steps
        if self._bar is None:
            return
        now = time.monotonic()
        if now - self._updated >= _PACE:
            self._updated = now
            self._update()

    def pause(self) -> None:
        """Takes the bar away; the next stage brings it back."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._bar is not None:
                self._bar.stop()
                self._bar = self._task = None

    def _appear(self) -> None:
        from rich import progress as bars  # noqa: PLC0415 -- quick work does not pay for it

        with self._lock:
            if self._timer is None:  # paused in the meantime
                return
            self._timer = None
            self._bar = bars.Progress(
                bars.TextColumn("{task.description}", markup=False),
                bars.BarColumn(),
                bars.TextColumn("{task.fields[steps]}", markup=False),
                bars.TimeElapsedColumn(),
                console=self._stream.rich,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._start_task()
            self._bar.start()

    def _update(self) -> None:
        with self._lock:
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._done, steps=self._steps())

    def _steps(self) -> str:
        if self._total is None:
            return counted(self._done)
        return gettext("{done} of {total}", done=counted(self._done), total=counted(self._total))

    def _start_task(self) -> None:
        if self._bar is None:
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(
            self._stream.seen(gettext(self.name or "")), total=self._total, completed=self._done, steps=self._steps()
        )
