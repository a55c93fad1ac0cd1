"""`BcryptHasher`: the port `PasswordHasher` on bcrypt."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import bcrypt

THREADS = 2
"""bcrypt frees the interpreter while it hashes; more at once would only take the processor from everybody else."""


class BcryptHasher:
    """The port `PasswordHasher` with 2^`cost` rounds (OWASP Password Storage: 10 or more), in threads of its own."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bcrypt")

    async def close(self) -> None:
        """End the threads."""
        await asyncio.to_thread(self._threads.shutdown)

    async def hash(self, secret: bytes) -> str:
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self._threads, bcrypt.hashpw, secret, bcrypt.gensalt(self._cost))).decode()

    async def verify(self, secret: bytes, hashed: str) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _verified, secret, hashed)

    def is_current(self, hashed: str) -> bool:
        return hashed.startswith(f"$2b${self._cost:02}$")


def _verified(secret: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(secret, hashed.encode())
    except ValueError:  # no hash at all
        return False
