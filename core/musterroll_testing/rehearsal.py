"""The kit's checks outside of pytest, in words, of what a pipeline uses: `musterroll plugins check NAME`.

They are those that need no example: what an author knows of good and bad values is in the tests of the plugin. That
of a user backend is `musterroll.engine.rehearse`, which needs the portal.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from musterroll.commands.examine import Examined, Finding
from musterroll.contract.cells import SheetRow
from musterroll.contract.messages import Recipient
from musterroll.contract.problems import Problem
from musterroll.contract.roles import AmbiguousWorksheetError, Confidence, Examinable
from musterroll.contract.rows import Row
from musterroll.contract.source import Source
from musterroll.errors import MusterrollError, SourceError
from musterroll.pipeline.pipeline import Instance, Pipeline
from musterroll.registry.guards.post import Post
from musterroll.registry.guards.reader import WatchedReader
from musterroll.registry.plugin_errors import AnswerError
from musterroll_testing._rules import (
    LONG,
    NO_GROUPS,
    PASSWORDS,
    STRANGE,
    found_by,
    refuse_told_passwords,
    resolved_by,
    transformed_by,
)
from musterroll_testing.building import make_absent_row, make_row

_SECONDS = 5.0  # so long a row with a very long value may take
FOREIGN = (b"", b"\0" * 100, b"\x89PNG\r\n\x1a\n" + bytes(64), random.Random(1).randbytes(500))  # noqa: S311
"""What no reader of spreadsheets should take for its own: nothing, zeros, a picture, noise."""
_STANDARD = {"email": "ana@example.com", "forename": "Ana", "calling_code": "44", "phone": "7712345678"}
Step = Callable[[], str]


def check_instance(pipeline: Pipeline, instance: Instance, kind: str) -> Iterator[Examined]:
    """Checks an instance of a pipeline; yields how each step went.

    Args:
        pipeline: the pipeline.
        instance: one of its readers, transforms, validators, group resolvers or notifiers. Nothing is sent.
        kind: the kind of it.
    """
    steps = {
        "transform": _transform,
        "validator": _validator,
        "group_resolver": _resolver,
        "reader": _reader,
        "notifier": _notifier,
    }[kind]
    for name, step in steps(pipeline, instance):
        try:
            yield Examined(f"{instance.label}, {name}", Finding.OK, step())
        except (AnswerError, MusterrollError) as error:
            yield Examined(f"{instance.label}, {name}", Finding.FAILED, str(error))
        except Exception as error:  # a stranger's code may raise anything
            text = " ".join(f"{type(error).__name__}: {error}".split())
            yield Examined(f"{instance.label}, {name}", Finding.FAILED, f"it breaks: {text:.300}")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:  # no assert: this is no test, and counts with `python -O` as well
        raise AnswerError(otherwise)


def _validator(pipeline: Pipeline, instance: Instance) -> Iterator[tuple[str, Step]]:
    names = list(pipeline.fields)

    def problems(*rows: Any) -> list[Problem]:
        made: Any = pipeline.build_to_look(instance)
        return list(found_by(made, rows))

    def blank() -> str:
        problems(make_row(3, **dict.fromkeys(names, "")), make_absent_row(*names))
        return "it bears them"

    def strange() -> str:
        for text in (*STRANGE, LONG):
            begun = time.monotonic()
            problems(make_row(3, **dict.fromkeys(names, text)))
            took = time.monotonic() - begun
            _must(took < _SECONDS, f"a row with {len(text):,} characters in a cell takes {took:.0f} s")
        return f"it bears {len(STRANGE) + 1} of them"

    def passwords() -> str:
        secret = [name for name, field in pipeline.fields.items() if field.secret]
        for password in PASSWORDS if secret else ():
            for text in ("", "x", "ana"):
                row = make_row(3, **{**dict.fromkeys(names, text), **dict.fromkeys(secret, password)})
                for problem in problems(row):
                    refuse_told_passwords(problem, [password])
        return "it tells none"

    def afresh() -> str:
        rows = [make_row(number, **dict.fromkeys(names, "x")) for number in (3, 4)]
        _must(problems(*rows) == problems(*rows), "the same sheet has other problems when it is checked again")
        return "each sheet begins afresh"

    yield "rows without anything", blank
    yield "strange values", strange
    yield "passwords", passwords
    yield "two sheets", afresh


def _transform(pipeline: Pipeline, instance: Instance) -> Iterator[tuple[str, Step]]:
    return _row_by_row(pipeline, instance, transformed_by, (*STRANGE, LONG), "values")


def _resolver(pipeline: Pipeline, instance: Instance) -> Iterator[tuple[str, Step]]:
    def groups(resolver: Any, row: Row) -> object:
        found = resolved_by(resolver, row)
        for one in found:
            if isinstance(one, Problem):
                refuse_told_passwords(one, PASSWORDS[:1])
        return found

    return _row_by_row(pipeline, instance, groups, (*STRANGE, *NO_GROUPS, LONG), "groups")


def _row_by_row(
    pipeline: Pipeline, instance: Instance, ask: Callable[[Any, Row], object], texts: Sequence[str], what: str
) -> Iterator[tuple[str, Step]]:
    """The steps of what says something of each row, whatever it was asked before."""
    names = list(pipeline.fields)

    def said(row: Row) -> None:
        made: Any = pipeline.build_to_look(instance)
        ask(made, row)

    def blank() -> str:
        said(make_row(3, **dict.fromkeys(names, "")))
        said(make_absent_row(*names))
        return "it bears them"

    def strange() -> str:
        for text in texts:
            said(make_row(3, **{**dict.fromkeys(names, text), "password": PASSWORDS[0]}))
        return f"it bears {len(texts)} of them"

    def pure() -> str:
        made: Any = pipeline.build_to_look(instance)
        row = make_row(3, **dict.fromkeys(names, "x"))
        first = ask(made, row)
        ask(made, make_row(4))
        _must(ask(made, row) == first, f"it says other {what} of the same row when it is asked again")
        return f"the same row has the same {what}"

    yield "rows without anything", blank
    yield "strange values", strange
    yield "asked again", pure


def _reader(pipeline: Pipeline, instance: Instance) -> Iterator[tuple[str, Step]]:
    def foreign() -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sheet"
            for content in FOREIGN:
                path.write_bytes(content)
                made: Any = pipeline.build_to_look(instance)
                reader = WatchedReader(made, instance.label, pipeline.watch)
                sure = reader.sniff(Source(path))
                _must(sure is not Confidence.CERTAIN, f"it is certain that {content[:8]!r}… is of its format")
                read_or_refused(reader, path)
        return "it takes none for its own"

    yield "foreign files", foreign


def read_or_refused(reader: Any, path: Path) -> list[SheetRow]:
    """Reads a file: rows, or one clear line. Nothing else may come of it.

    Raises:
        AnswerError: the line is none.
    """
    said = "in one line"
    try:
        with reader.open(Source(path)) as sheet:
            return list(sheet.rows())
    except SourceError as refusal:
        said = refusal.message
    except AmbiguousWorksheetError:
        pass  # the core asks which
    _must(bool(said.strip()), "it refuses a file and does not say why")
    _must("\n" not in said, "it refuses a file in several lines; one is enough")
    return []


def _notifier(pipeline: Pipeline, instance: Instance) -> Iterator[tuple[str, Step]]:
    def post() -> Post:
        made: Any = pipeline.build_to_look(instance)
        return Post(made, instance.label, pipeline.watch)

    def reach() -> str:
        with post() as notifier:
            channel = notifier.channel
            reached = notifier.can_reach(Recipient(username="ana", fields=_STANDARD))
            _must(reached, "it cannot reach a user who has an address and a number")
            for strange in ("@", "\x00", LONG, "é\n"):
                notifier.can_reach(Recipient(username=strange, fields=dict.fromkeys(_STANDARD, strange)))
        return f"by {channel}"

    def examined() -> str:
        with post() as notifier:
            return notifier.inner.examine() if isinstance(notifier.inner, Examinable) else "ready"

    yield "whom it reaches", reach
    yield "what it says of itself", examined
