"""What a plugin instance is given when it is built."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from musterroll.contract.fields import FieldSet
from musterroll.contract.options import SecretRef
from musterroll.contract.secret import Secret


def utc_now() -> dt.datetime:
    """The time, in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a plugin instance is given when it is built.

    Attributes:
        instance: the instance as the person knows it, e.g. `validators[corporate-mail]`.
        fields: the fields of the pipeline.
        match: the fields that recognise a user, first choice first.
        folder: the folder of the pipeline file.
        read_only: nothing may be written, and no file created.
        clock: the time in UTC.
        cancelled: set when the person interrupts; long work should look at it.
        logger: for this instance.
    """

    instance: str
    fields: FieldSet
    match: tuple[str, ...] = ("username",)
    folder: Path = field(default_factory=Path.cwd)
    read_only: bool = True
    clock: Callable[[], dt.datetime] = utc_now
    cancelled: threading.Event = field(default_factory=threading.Event)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("musterroll"))

    def secret(self, ref: SecretRef) -> Secret:
        """Reads a secret that the options refer to.

        Raises:
            PipelineError: the variable is not set or the file cannot be read.
        """
        return ref.resolve()
