"""What a code means: `explain`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from musterroll import engine
from musterroll.engine import documents
from musterroll_cli.output.console import Styled
from musterroll_cli.output.tables import Column, show_table
from musterroll_cli.session import Session

_STYLES = {"error": "bold red", "warning": "yellow"}
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def _codes(context: typer.Context, incomplete: str) -> list[str]:
    return [name for one in engine.explanations() if (name := one.code).startswith(incomplete)]


def explain(
    session: Session,
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            show_default=False,
            autocompletion=_codes,
            help="The code that stands beside a problem, e.g. phone.trunk_prefix, or that of an error.",
        ),
    ],
) -> int:
    """Says what the code of a problem or an error means.

    It says when it comes up, gives an example, and says what to do. Nothing is asked for over the network.
    """
    found = engine.explain(code)
    if session.as_json:
        return session.finish(documents.of_explanations(found))
    for number, one in enumerate(found):
        if number:
            session.out.gap()
        kind = one.severity or f"error, exit status {' or '.join(map(str, one.exit_statuses))}"
        session.out.line(Styled(one.code, "bold"), ": ", Styled(kind, _STYLES.get(kind, "bold red")))
        said = (("When", one.when), ("Example", one.example), ("What to do", one.advice))
        rows = [(label, _LINK.sub(r"\1", text)) for label, text in said if text]
        show_table(session.out, (Column(), Column(wraps=True)), rows, indent=2)
    return session.finish()
