"""The list of plugins, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from musterroll import CommandType, Component, gettext, gettext_noop
from musterroll.engine import Listing, Provider, described, example
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import option_text

_COLUMNS = (
    Column(gettext_noop("Kind")),
    Column(gettext_noop("Name")),
    Column(gettext_noop("Status")),
    Column(gettext_noop("From"), wraps=True),
    Column(gettext_noop("Summary"), wraps=True),
)
_OPTIONS = (
    Column(gettext_noop("Option")),
    Column(gettext_noop("Type"), wraps=True),
    Column(gettext_noop("Default"), wraps=True),
    Column(gettext_noop("Meaning"), wraps=True),
)


def show_plugins(stream: Stream, listing: Iterable[Listing]) -> None:
    """Prints what is installed and from where; what is broken, with the reason."""
    show_table(stream, _COLUMNS, _rows(listing))


def _rows(listing: Iterable[Listing]) -> Iterator[Cells]:
    for entry in listing:
        source = " ".join(filter(None, (entry.distribution, entry.version)))
        yield (
            (entry.kind or "").replace("_", " "),
            Styled(entry.name or entry.plugin, "bold"),
            Styled(entry.status, "green" if entry.status == "ok" else "red"),
            source,
            entry.detail or entry.summary or "",
        )


def show_plugin_in_full(stream: Stream, provider: Provider) -> None:
    """Prints what one thing does that a plugin brings, where it is from, its options, and how to use it."""
    component, plugin = provider.component, provider.plugin
    kind = provider.kind.replace("_", " ")
    source = " ".join(filter(None, (plugin.distribution, plugin.version, f"({plugin.module})")))
    stream.line(
        Styled(component.name, "bold"), gettext(", a {kind} from {source}", kind=kind, source=plugin.path or source)
    )
    stream.line(component.summary)
    if isinstance(component, CommandType) and component.help:
        stream.line(component.help)
    stream.gap()
    options = getattr(component, "options", None)
    if options is not None and options.model_fields:
        rows = ((Styled(_label(o.name, component), "bold"), o.type, o.default, o.meaning) for o in described(options))
        show_table(stream, _OPTIONS, rows)
    elif options is not None:
        stream.line(gettext("It has no options."))
    stream.gap()
    stream.line(gettext("On the command line:") if provider.kind == "command" else gettext("In a pipeline file:"))
    for line in example(provider.kind, component).splitlines():
        stream.line(f"  {line}")


def _label(option: str, component: Component) -> str:
    return option_text(option, component.arguments) if isinstance(component, CommandType) else option
