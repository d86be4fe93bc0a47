"""The keys of phones that encrypt what they send: read when such a message comes, not before."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from tracking.ingest.outcomes import DatabaseAway

TIMEOUT_S: Final = 5.0

KEY: Final = """
SELECT d.payload_key
  FROM accounts_devicetoken t
  JOIN accounts_device d ON d.id = t.device_id
 WHERE t.token_hash = %s AND t.scope = 'ingest' AND d.revoked_at IS NULL
   AND (t.expires_at IS NULL OR t.expires_at > statement_timestamp())
"""


class DeviceKeys:
    """Looks keys up over one connection of its own, made when first needed."""

    def __init__(self, conninfo: str, unseal: Callable[[bytes], str | None]) -> None:
        self._conninfo = conninfo
        self._unseal = unseal
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
        self._turn = asyncio.Lock()

    async def passphrase_of(self, token_hash: bytes) -> str | None:
        """The passphrase of the phone with this token; None when it has none.

        Raises DatabaseAway.
        """
        try:
            async with self._turn, asyncio.timeout(TIMEOUT_S):
                sealed = await self._sealed(token_hash)
        except (psycopg.Error, OSError, TimeoutError):
            await self.close()
            raise DatabaseAway from None
        return None if sealed is None else self._unseal(sealed)

    async def _sealed(self, token_hash: bytes) -> bytes | None:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._conninfo, autocommit=True, application_name="milepost keys"
            )
        cursor = await self._connection.execute(KEY, [token_hash])
        row = await cursor.fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    async def close(self) -> None:
        """Give the connection back; the next look-up makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
