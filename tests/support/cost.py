"""What a piece of work costs, told in what does not depend on the machine."""

from __future__ import annotations

import cProfile
import gc
import tracemalloc
from collections.abc import Callable


def python_calls(work: Callable[[], object]) -> int:
    """Does something, and returns how many Python functions were called in this thread for it.

    Generators count each time that they go on. What is written in C is not counted, nor what others in this process
    have done whenever garbage is collected.
    """
    profiler = cProfile.Profile(builtins=False)
    gc.disable()
    profiler.enable()
    try:
        work()
    finally:
        profiler.disable()
        gc.enable()
    return sum(entry.callcount for entry in profiler.getstats())


def most_bytes_held(work: Callable[[], object]) -> int:
    """Does something, and returns the most bytes that Python objects made for it took at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
