"""Hashing passwords, several at a time, for backends that carry out many operations in one transaction."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from musterroll import AddMembers, BackendError, CreateUser, Op, RemoveMembers, Secret, UpdateUser

# Operations in one transaction. Each costs a wait for the disk and the index pages it touched, so many are cheaper:
# more than twice as fast as 64. It is what a crash can leave in doubt.
CHUNK = 1000
# Passwords take some 28 ms each: with fewer of them in one transaction, answers come every second or so.
_SLOW_CHUNK = 64
# An operation on memberships has up to a hundred members: so many of them are in memory at once.
_MOST_MEMBERS = 50_000
_OF_MEMBERS, _OF_PASSWORDS = (AddMembers, RemoveMembers), (CreateUser, UpdateUser)


def argon2id(password: bytes) -> str:
    """Makes an argon2id hash, in some 28 ms.

    Raises:
        MemoryError: there is not enough memory.
    """
    import argon2  # noqa: PLC0415 -- only where there are passwords

    # 19 MiB, two passes: what OWASP recommends for argon2id.
    try:
        return argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(password)
    except argon2.exceptions.HashingError as error:
        raise MemoryError(str(error)) from None


class Hasher:
    """Hashes passwords in threads, which it starts when there is something to hash.

    Args:
        hashed: makes a hash of a password's bytes.
    """

    def __init__(self, hashed: Callable[[bytes], str] = argon2id) -> None:
        self._hashed = hashed
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Hasher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def chunks(
        self, ops: Iterator[Op], *, hashes: bool, most: int = CHUNK
    ) -> Iterator[tuple[list[Op], dict[str, str]]]:
        """Pulls operations, so many as go into one transaction at a time.

        Args:
            ops: the operations.
            hashes: whether their passwords are hashed; otherwise they are of no use.
            most: operations in one transaction.

        Yields:
            Operations, and the hashes of their passwords by the operation's id.

        Raises:
            BackendError: there is not enough memory.
        """
        while True:
            passwords: dict[str, Secret] = {}
            chunk: list[Op] = []
            members = 0
            for op in ops:
                chunk.append(op)
                if isinstance(op, _OF_MEMBERS):
                    members += len(op.members)
                elif hashes and isinstance(op, _OF_PASSWORDS) and op.password is not None:
                    passwords[op.id] = op.password
                if len(chunk) == most or members >= _MOST_MEMBERS or len(passwords) == _SLOW_CHUNK:
                    break
            if not chunk:
                return
            yield chunk, self.hash_all(passwords)

    def hash_all(self, passwords: Mapping[str, Secret]) -> dict[str, str]:
        """Hashes passwords by their key, on all processors.

        Raises:
            BackendError: there is not enough memory.
        """
        if not passwords:
            return {}
        if self._pool is None:
            self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="musterroll-passwords")

        def hash_one(password: Secret) -> str:
            # Encoded here, because a UnicodeEncodeError would show the password.
            return self._hashed(password.reveal().encode("utf-8", "surrogatepass"))

        keys: Sequence[str] = list(passwords)
        try:
            return dict(zip(keys, self._pool.map(hash_one, passwords.values()), strict=True))
        except MemoryError as error:
            raise BackendError(f"passwords cannot be hashed: {error}") from None
