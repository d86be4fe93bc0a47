"""The one way out: every request that this system makes to somebody else's server.

1. The URL is https, or http to this very machine where OUTBOUND_ALLOW_LOOPBACK is set.
2. The name is resolved once. If any of its addresses is not on the public internet, nothing
   is sent: an address that an employer may choose must not reach what only we can reach.
3. The connection goes to an address that was judged, so a name that says something else a
   moment later gains nothing. The name is still the Host and what the certificate must say.
4. No redirect is followed, no proxy of the environment used, no more read than asked, and
   all of it has one deadline: a server that sends a byte now and then holds nothing up.
"""

import asyncio
import functools
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM, gaierror, getaddrinfo
from typing import ClassVar, Final, Literal

import httpx
from django.conf import settings

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

DEADLINE_S: Final = 10.0
CONNECT_S: Final = 4.0  # for one address, so that a second one still gets its turn
ADDRESSES_TRIED: Final = 3
MAX_BYTES: Final = 1024

# A name or an address; an IPv6 one comes without its brackets.
HOST: Final = re.compile(r"[0-9A-Za-z._:-]+")
GLOBAL_V6: Final = IPv6Network("2000::/3")
# Parts of it that are not somebody's server: protocols and tunnels (Teredo, 6to4), examples.
# RFC 6890 and the registry of IANA; Python's own list differs between patch releases.
SPECIAL_V6: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
SPECIAL_V4: Final = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))


class OutboundFailed(Exception):
    """No answer came. `code` says why; a message would only repeat the address."""

    code: ClassVar[str] = "failed"


class UrlRefused(OutboundFailed):
    """Not an https URL, or one with a user, a password or a fragment."""

    code = "refused_url"


class AddressRefused(OutboundFailed):
    """The name leads to an address that is not on the public internet."""

    code = "refused_address"


class NameUnknown(OutboundFailed):
    """The name leads to no address."""

    code = "name"


class TimedOut(OutboundFailed):
    """Not done within the deadline."""

    code = "timeout"


class ConnectionFailed(OutboundFailed):
    """Nothing listens there, or it hung up, or what it said was not HTTP."""

    code = "connection"


class TlsFailed(OutboundFailed):
    """No TLS, or a certificate that is not trusted, not valid now or of another name."""

    code = "tls"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request."""

    url: str
    method: Literal["GET", "POST"] = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` is cut at the bound, as it was sent (not decompressed)."""

    status_code: int
    body: bytes


def is_public(address: Address) -> bool:
    """Whether an address is somebody's server on the internet.

    An IPv6 address with an IPv4 one inside (mapped, 6to4, NAT64) is none: what it reaches
    depends on the network that we are in.
    """
    if isinstance(address, IPv6Address):
        return address in GLOBAL_V6 and not any(address in special for special in SPECIAL_V6)
    is_special = address.is_multicast or address.is_reserved
    return (
        address.is_global
        and not is_special
        and not any(address in special for special in SPECIAL_V4)
    )


def addresses_of(name: str, port: int) -> list[str]:
    """The addresses of a name, the one to try first first. OSError when there is none."""
    found = getaddrinfo(name, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@functools.cache
def _public_trust() -> ssl.SSLContext:
    """The public certificate authorities; read once, since it takes long."""
    return httpx.create_ssl_context(trust_env=False)


@functools.cache
def _resolvers() -> ThreadPoolExecutor:
    """Threads of their own: the system's resolver knows no deadline, and cannot be stopped."""
    return ThreadPoolExecutor(8, thread_name_prefix="resolve")


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate; its parts can be exchanged by tests."""

    resolve: Resolver = addresses_of
    trust: ssl.SSLContext | None = None  # None: the public authorities
    deadline_s: float = DEADLINE_S

    def check(self, url: str) -> None:
        """Whether a request to this URL would be let out now. OutboundFailed when not."""
        self._judged(_checked(url), self.deadline_s)

    def send(self, request: Outgoing, *, max_bytes: int = MAX_BYTES) -> Answer:
        """Send a request and read its answer. OutboundFailed when none came.

        Blocks for at most `deadline_s`. Not to be called inside an event loop.
        """
        trust = self.trust or _public_trust()
        began = time.monotonic()
        url = _checked(request.url)
        addresses = self._judged(url, self.deadline_s)
        left_s = self.deadline_s - (time.monotonic() - began)
        exchange = _Exchange(url, request, trust, self.deadline_s, max_bytes)
        return asyncio.run(exchange.within(left_s, addresses))

    def _judged(self, url: httpx.URL, within_s: float) -> list[Address]:
        """Every address of the URL's name; each may be reached."""
        port = url.port or (443 if url.scheme == "https" else 80)
        asked = _resolvers().submit(self.resolve, _host_of(url), port)
        try:
            found = asked.result(timeout=within_s)
        except NotInTime:
            raise TimedOut from None
        except (gaierror, OSError, UnicodeError):
            raise NameUnknown from None
        if not found:
            raise NameUnknown
        addresses = [_parsed(address) for address in found]
        for address in addresses:
            _refuse_unreachable(url.scheme, address)
        return addresses


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request that was judged, on its way to one of the addresses of its name."""

    url: httpx.URL
    request: Outgoing
    trust: ssl.SSLContext
    deadline_s: float
    max_bytes: int

    async def within(self, left_s: float, addresses: Sequence[Address]) -> Answer:
        try:
            async with asyncio.timeout(left_s):
                return await self._first_answer(addresses)
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut from None
        except httpx.HTTPError as error:
            raise (TlsFailed if _is_about_tls(error) else ConnectionFailed) from None

    async def _first_answer(self, addresses: Sequence[Address]) -> Answer:
        """From the first address that a connection can be made to."""
        *others, last = addresses[:ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._answer_of(address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if _is_about_tls(error):
                    raise
        return await self._answer_of(last)

    async def _answer_of(self, address: Address) -> Answer:
        headers = {
            "User-Agent": "Milepost",
            **self.request.headers,
            "Host": self.url.netloc.decode("ascii"),
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        async with (
            httpx.AsyncClient(
                verify=self.trust,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(self.deadline_s, connect=CONNECT_S),
            ) as client,
            client.stream(
                self.request.method,
                self.url.copy_with(host=str(address)),
                headers=headers,
                content=self.request.body,
                extensions={"sni_hostname": _host_of(self.url)},
            ) as answer,
        ):
            body = bytearray()
            async for part in answer.aiter_raw(self.max_bytes):
                body += part
                if len(body) >= self.max_bytes:
                    break
            return Answer(answer.status_code, bytes(body[: self.max_bytes]))


def _checked(text: str) -> httpx.URL:
    """The URL, as far as it can be judged without asking anybody."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise UrlRefused from None
    schemes = {"https", "http"} if settings.OUTBOUND_ALLOW_LOOPBACK else {"https"}
    is_plain = HOST.fullmatch(_host_of(url)) and (url.port is None or 0 < url.port < 65536)
    if url.scheme not in schemes or not is_plain or url.userinfo or url.fragment:
        raise UrlRefused
    return url


def _host_of(url: httpx.URL) -> str:
    """The name as it goes over the wire: `xn--…` for one with other letters than ASCII's."""
    return url.raw_host.decode("ascii")


def _parsed(address: str) -> Address:
    try:
        return ip_address(address)
    except ValueError:
        raise AddressRefused from None


def _refuse_unreachable(scheme: str, address: Address) -> None:
    if settings.OUTBOUND_ALLOW_LOOPBACK and address.is_loopback:
        return
    if scheme != "https":
        raise UrlRefused
    if not is_public(address):
        raise AddressRefused


def _is_about_tls(error: BaseException) -> bool:
    """Whether TLS is what failed: the libraries between wrap its own error several times."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLError):
            return True
        inner = inner.__cause__ or inner.__context__
    return False
