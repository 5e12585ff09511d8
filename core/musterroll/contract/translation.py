"""Messages that can be translated, as gettext does it: the English text is the key, values are filled in afterwards.

The names are those of the standard library, so that programs which collect the texts of a source find these, too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from gettext import NullTranslations

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ENGLISH = NullTranslations()


def catalogue() -> NullTranslations:
    """Where translations come from. There is English alone for now, which needs none.

    A distribution of plugins will bring a catalogue of its own, in the domain of its name. They are asked one after
    another (`add_fallback`), in the pipeline's language, so whoever makes a message need not say whose it is.
    """
    return _ENGLISH


def gettext(message: str, /, **values: object) -> str:
    """Returns a message in the person's language.

    Args:
        message: the English text, written out: never an f-string, or nobody finds its translation.
        values: what stands for `{name}` in it. Other braces stay as they are, and so do those in values.
    """
    return _filled(catalogue().gettext(message), values)


def ngettext(one: str, several: str, count: int, /, **values: object) -> str:
    """Returns a message that counts, in the person's language. `{count}` is the number.

    Args:
        one: the English text for 1.
        several: for every other number.
        count: the number.
        values: see `gettext`.
    """
    return _filled(catalogue().ngettext(one, several, count), {"count": count, **values})


def _filled(text: str, values: dict[str, object]) -> str:
    # Not `str.format`: a mistake in a template must not cost a rule its problem, nor reach into what a value is.
    if "{" not in text:
        return text
    parts = list(_parts(text))
    for place in range(1, len(parts), 2):
        name = parts[place]
        parts[place] = str(values[name]) if name in values else f"{{{name}}}"
    return "".join(parts)


@lru_cache(maxsize=1024)  # many problems have the same text
def _parts(text: str) -> tuple[str, ...]:
    """The text before each placeholder, its name, …, and the text after the last one."""
    return tuple(_PLACEHOLDER.split(text))
