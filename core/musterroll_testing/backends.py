"""The contract that every user backend keeps, as tests to inherit.

    from musterroll.testing import BackendContract

    class TestAcme(BackendContract):
        def open_backend(self, folder, *, read_only=False):
            return AcmeBackend(folder / "acme.db", read_only=read_only)

Whatever differs in a portal (which fields it stores, how long it takes until a change is seen, …) is a hook of
`BackendKit`. Tests of what `capabilities()` denies are skipped.
"""

from __future__ import annotations

import pytest

# Before they are imported, so that their failing asserts show the values.
_PARTS = ("_backend_kit", "_backend_basics", "_backend_users", "_backend_groups", "_backend_execution")
pytest.register_assert_rewrite(*(f"{__package__}.{part}" for part in _PARTS))

from musterroll_testing._backend_basics import BasicTests  # noqa: E402 -- see above
from musterroll_testing._backend_execution import ExecutionTests  # noqa: E402
from musterroll_testing._backend_groups import GroupTests  # noqa: E402
from musterroll_testing._backend_users import UserTests  # noqa: E402

__all__ = ["BackendContract"]


class BackendContract(UserTests, GroupTests, ExecutionTests, BasicTests):  # pytest begins with the last
    """Subclass it as `Test…` and override `open_backend`; see `BackendKit` for what else can be overridden."""
