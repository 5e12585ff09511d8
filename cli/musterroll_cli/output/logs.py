"""What the engine and plugins log, on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from musterroll_cli.output.console import Stream

_STYLES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}


class _Handler(logging.Handler):
    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            prefix = "" if record.name == "musterroll" else f"{record.name.removeprefix('musterroll.')}: "
            text = f"{record.levelname.lower()}: {prefix}{record.getMessage()}"
            self._stream.lines(text, _STYLES.get(record.levelname, "dim"))
        except Exception:  # a log line must not stop the work
            self.handleError(record)


@contextmanager
def logging_to(stream: Stream, *, verbose: bool, quiet: bool) -> Iterator[None]:
    """Prints what is logged: warnings, with `verbose` everything of musterroll's, with `quiet` errors only.

    Libraries are heard from WARNING on only: what they say below that may hold what was sent to a portal.
    """
    ours, everybody, captured = (logging.getLogger(name) for name in ("musterroll", "", "py.warnings"))
    handler = _Handler(stream)
    before = ours.level, everybody.level, captured.level
    ours.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING)
    everybody.setLevel(logging.ERROR if quiet else logging.WARNING)
    # Warnings of libraries about themselves help nobody who imports users.
    captured.setLevel(logging.WARNING if verbose else logging.CRITICAL)
    logging.captureWarnings(True)
    everybody.addHandler(handler)
    try:
        yield
    finally:
        everybody.removeHandler(handler)
        logging.captureWarnings(False)
        for logger, level in zip((ours, everybody, captured), before, strict=True):
            logger.setLevel(level)
