"""Whether a plugin keeps the contract of its role: `plugins check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from musterroll import engine, gettext
from musterroll.engine import Examined, Finding, Instance, Pipeline, documents
from musterroll.errors import MusterrollError, UsageError
from musterroll_cli.commands.doctor import show_examined
from musterroll_cli.commands.plugins import complete_component
from musterroll_cli.output.progress import StageKeeper
from musterroll_cli.session import Session
from musterroll_testing.rehearsal import check_instance


def check_plugin(
    session: Session,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=complete_component,
            help="The name, as `use` in the pipeline file says it.",
        ),
    ],
) -> int:
    """Checks that a plugin of the pipeline keeps the contract of its role, in words.

    It is checked as the pipeline uses it, with its options. Of a user backend, made-up users are created in the
    portal, changed, and taken back: only where the pipeline or its profile says `rehearsal = true`. Of anything else,
    nothing is written and nothing is sent.
    """
    pipeline = session.load()
    found = []
    with session.working(pipeline) as progress:
        for one in _checked(pipeline, name, progress):
            found.append(one)
            show_examined(session, one)
    if session.as_json:
        session.add(documents.of_examined(found))
    failed = [one for one in found if one.status is Finding.FAILED]
    if failed:
        raise MusterrollError(
            gettext('"{name}" does not keep its contract: {failed}', name=name, failed=failed[0].name),
            code="plugin.check_failed",
        )
    return session.finish()


def _checked(pipeline: Pipeline, name: str, progress: StageKeeper) -> Iterator[Examined]:
    components = {id(provider.component): provider.kind for provider in pipeline.registry.named(name)}
    used = [instance for instance in _instances(pipeline) if id(instance.component) in components]
    if not used:
        kinds = gettext(" or ").join(dict.fromkeys(kind.replace("_", " ") for kind in components.values()))
        raise UsageError(
            gettext(
                'the pipeline does not use the {kinds} "{name}"; name it there, with its options',
                kinds=kinds,
                name=name,
            )
        )
    for instance in used:
        kind = components[id(instance.component)]
        yield from (
            engine.rehearse(pipeline, progress) if kind == "user_backend" else check_instance(pipeline, instance, kind)
        )


def _instances(pipeline: Pipeline) -> Sequence[Instance]:
    rules = (*pipeline.readers, *pipeline.rules)
    return (*rules, pipeline.backend, *pipeline.notifiers)
