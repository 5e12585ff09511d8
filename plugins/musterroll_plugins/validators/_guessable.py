"""Passwords that are tried first: frequent ones, words, repetitions and rows of the keyboard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from itertools import chain, pairwise

# Figures and signs that stand for letters.
_LETTERS = str.maketrans("013457@$", "oieastas")
# What accounts are given at first, in several languages; people put a year or a sign after it.
_FIRST = frozenset(
    [
        *("admin", "administrator", "changeme", "company", "default", "guest", "letmein", "login", "password", "root"),
        *("autumn", "spring", "summer", "winter", "test", "user", "welcome", "azerty", "qwerty", "qwertz"),
        *("contraseña", "heslo", "haslo", "hasło", "lozinka", "motdepasse", "parola", "parool", "passwort"),
        *("salasana", "senha", "wachtwoord", "willkommen"),
    ]
)
_ENDS = "0123456789!?.,:;-_+*/@#$%&=()"
_LONGEST_END = 5
_LONGEST_PERIOD = 8
_TWICE = re.compile(rf"(.{{1,{_LONGEST_PERIOD}}})\1", re.DOTALL)
_PERIOD_END = _LONGEST_PERIOD + 1
_ROWS = (
    "01234567890 qwertyuiopasdfghjklzxcvbnm qwertzuiopasdfghjklyxcvbnm azertyuiopqsdfghjklmwxcvbn "
    "1q2w3e4r5t6y7u8i9o0p 1q2w3e4r5t6z7u8i9o0p 1a2z3e4r5t6y7u8i9o0p"
)


class Guessable:
    """Knows the passwords that are tried first: frequent ones, words, repetitions and rows of the keyboard.

    The lists are those of zxcvbn: 30,000 passwords, and 60,000 names and words. They are in lower case already. A sheet
    without a password does not load them.
    """

    def __contains__(self, password: str) -> bool:
        text = password.casefold()
        words = _words()
        if text in words or _is_regular(text):
            return True
        stem = text.rstrip(_ENDS)
        if len(text) - len(stem) <= _LONGEST_END and (stem in _FIRST or stem.translate(_LETTERS) in _FIRST):
            return True
        return not text.isalpha() and text.translate(_LETTERS) in words

    def suspects(self, texts: Sequence[str]) -> set[int]:
        """The places of case-folded passwords that may be in it: of all that are, and few others."""
        if not any(texts):
            return set()
        found, spelt, words = set[int](), _spelt(texts), _words()
        for some in (texts, spelt):
            if not words.isdisjoint(some):
                found.update(place for place, text in enumerate(some) if text in words)
        if _first().search("\n" + "\n".join(spelt)):
            found.update(place for place, text in enumerate(spelt) if _first().match("\n" + text))
        regular = [
            place
            for place, text in enumerate(texts)
            if text[:3] in _STARTS or (text[:1] in text[1:_PERIOD_END] and _TWICE.match(text))
        ]
        if not "".join(texts).isascii():
            regular += [place for place, text in enumerate(texts) if not text.isascii()]
        return found.union(regular)


def _spelt(texts: Sequence[str]) -> list[str]:
    """The texts with letters for the figures and signs that stand for them."""
    spelt = "\n".join(texts).translate(_LETTERS).split("\n")
    return spelt if len(spelt) == len(texts) else [text.translate(_LETTERS) for text in texts]


# How ASCII texts begin that follow the alphabet or the keyboard.
_STARTS = frozenset(
    text[place : place + 3]
    for text in (_ROWS, _ROWS[::-1], "".join(map(chr, range(128))), "".join(map(chr, reversed(range(128)))))
    for place in range(len(text) - 2)
)


@cache  # a sheet without passwords needs none of it
def _first() -> re.Pattern[str]:
    """Lines that begin with what accounts are given at first."""
    return re.compile(rf"\n(?:{'|'.join(sorted(_FIRST))})")


@cache
def _words() -> frozenset[str]:
    """Zxcvbn's lists alone: importing the package makes ready to judge passwords, which takes longer than all else."""
    package = find_spec("zxcvbn")
    assert package is not None
    spec = PathFinder.find_spec("frequency_lists", package.submodule_search_locations)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    lists: dict[str, list[str]] = module.FREQUENCY_LISTS
    return frozenset(chain.from_iterable(lists.values()))


def _is_regular(text: str) -> bool:
    """Whether it repeats a few characters, or follows the alphabet or the keyboard."""
    if len(text) < 3:
        return False
    if (first := text[0]) in text[1:_PERIOD_END]:
        for size in range(1, min(_LONGEST_PERIOD, len(text) // 2) + 1):
            if text[size] == first and text[size:] == text[:-size]:
                return True
    if text in _ROWS or text[::-1] in _ROWS:
        return True
    step = ord(text[1]) - ord(text[0])
    return abs(step) == 1 and all(ord(two) - ord(one) == step for one, two in pairwise(text))
