"""Passwords that are tried first."""

from __future__ import annotations

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
_PERIODS = range(1, _LONGEST_PERIOD + 1)
_ROWS = (
    "01234567890 qwertyuiopasdfghjklzxcvbnm qwertzuiopasdfghjklyxcvbnm azertyuiopqsdfghjklmwxcvbn "
    "1q2w3e4r5t6y7u8i9o0p 1q2w3e4r5t6z7u8i9o0p 1a2z3e4r5t6y7u8i9o0p"
)


class Guessable:
    """Knows the passwords that are tried first: frequent ones, words, repetitions and rows of the keyboard.

    The lists are those of zxcvbn: 30,000 passwords, and 60,000 names and words. They are in lower case already.
    """

    def __init__(self) -> None:
        from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 -- takes its time

        self._words = frozenset(chain.from_iterable(FREQUENCY_LISTS.values()))

    def __contains__(self, password: str) -> bool:
        text = password.casefold()
        if text in self._words or _is_regular(text):
            return True
        stem = text.rstrip(_ENDS)
        if len(text) - len(stem) <= _LONGEST_END and (stem in _FIRST or stem.translate(_LETTERS) in _FIRST):
            return True
        return not text.isalpha() and text.translate(_LETTERS) in self._words


def _is_regular(text: str) -> bool:
    """Whether it repeats a few characters, or follows the alphabet or the keyboard."""
    if len(text) < 3:
        return False
    again = text[0] in text[1 : _LONGEST_PERIOD + 1]
    if again and any(text[size:] == text[:-size] for size in _PERIODS if len(text) >= 2 * size):
        return True
    if text in _ROWS or text[::-1] in _ROWS:
        return True
    step = ord(text[1]) - ord(text[0])
    return abs(step) == 1 and all(ord(two) - ord(one) == step for one, two in pairwise(text))
