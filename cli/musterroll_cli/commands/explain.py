"""What a code means: `explain`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from musterroll import engine, gettext, gettext_noop, term
from musterroll.engine import documents
from musterroll_cli.output.console import Styled
from musterroll_cli.output.tables import Column, show_table
from musterroll_cli.session import Session

_STYLES = {"error": "bold red", "warning": "yellow"}
_WHEN, _EXAMPLE, _ADVICE = gettext_noop("When"), gettext_noop("Example"), gettext_noop("What to do")
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
    common = session.common
    asked = engine.pipeline_language(common.pipeline, profile=common.profile, sets=common.sets)
    if asked is not None:
        engine.set_language(asked)
    found = engine.explain(code)
    if session.as_json:
        return session.finish(documents.of_explanations(found))
    for number, one in enumerate(found):
        if number:
            session.out.gap()
        statuses = gettext(" or ").join(map(str, one.exit_statuses))
        kind = term(one.severity) if one.severity else gettext("error, exit status {status}", status=statuses)
        session.out.line(Styled(one.code, "bold"), ": ", Styled(kind, _STYLES.get(one.severity or "", "bold red")))
        said = ((_WHEN, one.when), (_EXAMPLE, one.example), (_ADVICE, one.advice))
        rows = [(gettext(label), _LINK.sub(r"\1", text)) for label, text in said if text]
        show_table(session.out, (Column(), Column(wraps=True)), rows, indent=2)
    return session.finish()
