"""A mapping that is handed to plugins and cannot be changed by them."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that says no to every change; copies of it are plain ones.

    Not a `MappingProxyType`: what holds one could not be made JSON of, copied, or taken by `dataclasses.asdict`.
    """

    __slots__ = ()

    def _refuse(self, *args: Any, **values: Any) -> NoReturn:
        raise TypeError("this mapping cannot be changed; make a copy with dict(…)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[K, V]], tuple[dict[K, V]]]:
        return dict, (dict(self),)
