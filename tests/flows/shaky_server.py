"""Milepost as real processes that fail now and then, for phones in virtual time.

Troubles begin and end at virtual moments, but are real: PostgreSQL killed or frozen, the web
process killed with a request under way, a token that is good for nothing for a while. When
one ends the server is waited for in real time, so that a phone never meets its recovery.
Besides, some requests lose their answer: the connection is closed before it is read.
"""

import http.client
import json
import select
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from random import Random
from typing import Final

from tests.flows.phone_queues import HttpAnswer
from tests.flows.phone_requests import Wire
from tests.real_system import PhoneOf, RealSystem

CLIENT_TIMEOUT_S: Final = 15.0
RECOVERY_S: Final = 60.0
LONGEST_BEFORE_KILL_S: Final = 0.004


class Failure(Enum):
    """What goes wrong."""

    DATABASE_KILLED = "PostgreSQL killed"
    DATABASE_FROZEN = "PostgreSQL frozen"
    SERVER_KILLED = "server killed with a request under way"
    TOKEN_REFUSED = "token refused"
    TOKEN_ROTATED = "token rotated"  # the phone goes on with the old one until the end


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure from one virtual second to another; of one phone or of all."""

    failure: Failure
    begin_s: float
    end_s: float
    phone: int | None = None


class NotRecovered(Exception):
    """The server did not take a fix again after a trouble."""


@dataclass(slots=True)
class ShakyServer:
    """Sends requests to the real server, unless a failure or chance is in the way.

    `loss` is the share of requests whose answer is lost: half of them the client leaves at
    once, half of them it leaves when the answer is there, so that the fix is committed.
    """

    system: RealSystem
    chance: Random
    phones: list[PhoneOf]
    api_key: str
    loss: float
    met: Counter[str]
    answers: Counter[str]
    is_kill_due: bool = False

    def send(self, wire: Wire) -> HttpAnswer | None:
        try:
            answer = self._sent(wire)
        except (OSError, http.client.HTTPException):
            answer = None
        self.answers["none" if answer is None else str(answer.status)] += 1
        return answer

    def _sent(self, wire: Wire) -> HttpAnswer | None:
        lost = self.chance.random()
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.system.port, timeout=CLIENT_TIMEOUT_S)
        ) as connection:
            connection.request(wire.method, wire.path, wire.body or None, wire.headers)
            if self.is_kill_due:
                self.is_kill_due = False
                time.sleep(self.chance.uniform(0, LONGEST_BEFORE_KILL_S))
                self.system.kill_web()
                return None
            if lost < self.loss / 2:
                self.met["answer not waited for"] += 1
                return None
            if lost < self.loss:
                select.select([connection.sock], [], [], CLIENT_TIMEOUT_S)
                self.met["answer lost after it was sent"] += 1
                return None
            response = connection.getresponse()
            cookie = response.headers["Set-Cookie"]
            return HttpAnswer(
                response.status,
                response.read(),
                response.headers["Content-Type"] or "",
                cookie.split(";")[0] if cookie else None,
            )

    def begin(self, trouble: Trouble) -> None:
        self.met[trouble.failure.value] += 1
        match trouble.failure:
            case Failure.DATABASE_KILLED:
                self.system.kill_postgres()
            case Failure.DATABASE_FROZEN:
                self.system.freeze_postgres()
            case Failure.SERVER_KILLED:
                self.is_kill_due = True
            case Failure.TOKEN_REFUSED:
                self._end_tokens(self._of(trouble), datetime.now(UTC))
            case Failure.TOKEN_ROTATED:
                pass  # the phone learns of it when it ends

    def end(self, trouble: Trouble) -> str | None:
        """The phone's new token, if it has one now."""
        match trouble.failure:
            case Failure.DATABASE_KILLED:
                self.system.postgres_child.start()
                self.system.postgres.wait_until_up(self.system.postgres_child)
            case Failure.DATABASE_FROZEN:
                self.system.thaw_postgres()
            case Failure.SERVER_KILLED:
                self.is_kill_due = False
                self.system.kill_web()  # unless no request came along
                self.system.start_web()
            case Failure.TOKEN_REFUSED:
                self._end_tokens(self._of(trouble), None)
            case Failure.TOKEN_ROTATED:
                return self._rotated(self._of(trouble))
        if trouble.phone is None:
            self.wait_until_it_takes_fixes()
        return None

    def _of(self, trouble: Trouble) -> PhoneOf:
        assert trouble.phone is not None
        return self.phones[trouble.phone]

    def _end_tokens(self, phone: PhoneOf, at: datetime | None) -> None:
        with self.system.connect() as connection:
            connection.execute(
                "UPDATE accounts_devicetoken SET expires_at = %s WHERE device_id = %s",
                [at, phone.device_id],
            )

    def _rotated(self, phone: PhoneOf) -> str:
        """By the dispatcher, through the API; the old one stays good for a while."""
        with self.system.connect() as connection:
            row = connection.execute(
                "SELECT uuid FROM accounts_device WHERE id = %s", [phone.device_id]
            ).fetchone()
        assert row is not None
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.system.port, timeout=CLIENT_TIMEOUT_S)
        ) as connection_:
            path, headers = f"/api/v1/devices/{row[0]}/token", {"Authorization": self._bearer}
            connection_.request("POST", path, None, headers)
            response = connection_.getresponse()
            said = json.loads(response.read())
        token: str = said["token"]
        return token

    @property
    def _bearer(self) -> str:
        return f"Bearer {self.api_key}"

    def wait_until_it_takes_fixes(self) -> None:
        """Empty requests of a token that nobody has: 401 is said after a look at the database."""
        deadline_s = time.monotonic() + RECOVERY_S
        while self._status_of_unknown_token() != 401:
            if time.monotonic() > deadline_s or not self.system.web_child.is_running():
                raise NotRecovered(f"see {self.system.web_child.log}")
            time.sleep(0.05)

    def _status_of_unknown_token(self) -> int:
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.system.port, timeout=CLIENT_TIMEOUT_S)
        ) as connection:
            try:
                connection.request("POST", "/ingest/osmand/mpd_nobody?id=1", None, {})
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0


@contextmanager
def shaky_server(
    system: RealSystem, clients: int, *, chance: Random, loss: float
) -> Iterator[ShakyServer]:
    """A web process with one worker and a fleet whose tokens open only ingest."""
    fleet = system.make_fleet(clients)
    with system.connect() as connection:
        connection.execute(
            "UPDATE accounts_devicetoken SET scope = 'ingest' WHERE employer_id = %s",
            [fleet.employer_id],
        )
    with system.web(workers=1):
        yield ShakyServer(system, chance, fleet.phones, fleet.api_key, loss, Counter(), Counter())
