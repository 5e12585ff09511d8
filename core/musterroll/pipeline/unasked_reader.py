"""Readers of other distributions that no pipeline names, and that `auto` asks about every file all the same."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from musterroll.contract.roles import Confidence, OtherFormat, Reader, Sheet
from musterroll.contract.source import Source


class UnaskedReader:
    """A reader that may break over a file without keeping it from being read by another one.

    Args:
        reader: the reader.
        logger: takes a warning when it breaks.
    """

    def __init__(self, reader: Reader, logger: logging.Logger) -> None:
        self._reader, self._log = reader, logger

    def sniff(self, source: Source) -> Confidence | OtherFormat:
        """Judges as the reader does; where that breaks, the file is none of its format."""
        try:
            return self._reader.sniff(source)
        except (Exception, SystemExit) as error:  # a stranger's; its text may quote the file
            self._log.warning("it broke while looking at the file (%s), and is left out", type(error).__name__)
            return Confidence.NO

    def open(self, source: Source, worksheet: str | None = None) -> AbstractContextManager[Sheet]:
        """Opens as the reader does."""
        return self._reader.open(source, worksheet)
