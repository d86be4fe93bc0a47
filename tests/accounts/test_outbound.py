"""The one way out: what it lets through, what it refuses, and that nothing holds it up."""

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from pytest_django import Settings

from accounts.outbound import (
    AddressRefused,
    ConnectionFailed,
    Gate,
    NameUnknown,
    OutboundFailed,
    Outgoing,
    Resolver,
    TimedOut,
    TlsFailed,
    UrlRefused,
    is_public,
)
from tests.receivers import (
    NAME,
    drip,
    hang_up,
    receiver,
    status,
    stay_silent,
    trust_of_tests,
)


@pytest.fixture
def loopback(settings: Settings) -> None:
    """Let requests to this machine out, as OUTBOUND_ALLOW_LOOPBACK does."""
    settings.OUTBOUND_ALLOW_LOOPBACK = True


def says(*addresses: str) -> Resolver:
    """A resolver that gives every name these addresses."""

    def resolve(name: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


# --- Which addresses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "193.190.198.10", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4009::200e"],
)
def test_somebodys_server_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 (judged, not bound)
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_only_we_can_reach_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(AddressRefused):
        Gate(says(address)).check("https://hooks.example/in")


# --- Which URLs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/in",
        "ftp://hooks.example/in",
        "file:///etc/passwd",
        "https://",
        "https:///in",
        "hooks.example",
        "https://user:word@hooks.example/in",
        "https://user@hooks.example/in",
        "https://hooks.example/in#part",
        "https://hooks.example:port/in",
        "https://hooks.example:99999/in",
        "https://hooks example/in",
        "https://[::1/in",
        "",
        "https://\0",
    ],
)
@pytest.mark.parametrize("is_loopback_allowed", [False, True])
def test_other_urls_are_refused(url: str, is_loopback_allowed: bool, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = is_loopback_allowed
    with pytest.raises(UrlRefused):
        Gate(says("8.8.8.8")).check(url)


def test_https_to_a_public_address_is_let_out() -> None:
    Gate(says("8.8.8.8", "2606:4700:4700::1111")).check("https://hooks.example:8443/in?a=b")


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefused):
        Gate(says("8.8.8.8", "10.0.0.1")).check("https://hooks.example/in")


def test_a_name_with_other_letters_is_asked_for_as_it_goes_over_the_wire() -> None:
    asked = []

    def resolve(name: str, port: int) -> Sequence[str]:
        asked.append((name, port))
        return ["8.8.8.8"]

    Gate(resolve).check("https://straße.example:444/in")
    assert asked == [("xn--strae-oqa.example", 444)]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]"])
def test_this_machine_by_any_name_is_refused(host: str) -> None:
    """By the system's own resolver, which understands all of these."""
    with pytest.raises((AddressRefused, NameUnknown)):
        Gate().check(f"https://{host}/")


def test_a_name_without_an_address_is_said_so() -> None:
    def resolve(name: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    for resolver in (resolve, says()):
        with pytest.raises(NameUnknown):
            Gate(resolver).check("https://hooks.example/in")


# --- Sending ----------------------------------------------------------------------------------


def test_it_sends_what_it_was_given(loopback: None) -> None:
    with receiver(status(202, b"thanks")) as there:
        request = Outgoing(there.url, headers={"X-Here": "yes"}, body=b'{"a":1}')
        answer = Gate().send(request)
    assert (answer.status_code, answer.body) == (202, b"thanks")
    [came] = there.received
    assert (came.method, came.path, came.body) == ("POST", "/hook", b'{"a":1}')
    assert came.headers["x-here"] == "yes"
    assert came.headers["host"] == f"127.0.0.1:{there.port}"


def test_without_the_setting_this_machine_gets_nothing() -> None:
    with receiver() as there:
        with pytest.raises(UrlRefused):
            Gate().send(Outgoing(there.url))
        with pytest.raises(AddressRefused):
            Gate().send(Outgoing(there.url.replace("http:", "https:")))
        assert there.received == []


def test_with_the_setting_http_goes_to_this_machine_only(loopback: None) -> None:
    with pytest.raises(UrlRefused):
        Gate(says("8.8.8.8")).send(Outgoing("http://hooks.example/in"))
    with pytest.raises(UrlRefused):
        Gate(says("10.0.0.1")).send(Outgoing("http://hooks.example/in"))
    with pytest.raises(AddressRefused):
        Gate(says("10.0.0.1")).send(Outgoing("https://hooks.example/in"))


def test_a_name_that_changes_its_mind_after_the_check_is_not_asked_again(
    loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the address that was judged, with the name as its Host."""
    asked = []

    def resolve(name: str, port: int) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    def nobody_else(*args: object, **kwargs: object) -> None:
        raise AssertionError("the name was resolved a second time")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_else)
    with receiver() as there:
        url = f"http://rebinding.example:{there.port}/hook"
        assert Gate(resolve).send(Outgoing(url)).status_code == 200
        assert asked == ["rebinding.example"]
        assert there.received[0].headers["host"] == f"rebinding.example:{there.port}"


def test_a_name_that_turns_private_after_it_was_entered_is_refused() -> None:
    addresses = iter([["8.8.8.8"], ["10.0.0.1"]])
    gate = Gate(lambda name, port: next(addresses))
    gate.check("https://rebinding.example/hook")
    with pytest.raises(AddressRefused):
        gate.send(Outgoing("https://rebinding.example/hook"))


def test_the_next_address_is_tried_when_nothing_listens_at_the_first(loopback: None) -> None:
    with receiver() as there:
        url = f"http://both.example:{there.port}/"
        assert Gate(says("127.0.0.2", "127.0.0.1")).send(Outgoing(url)).status_code == 200
        assert len(there.received) == 1


def test_a_request_that_was_sent_is_not_sent_to_the_next_address(loopback: None) -> None:
    with receiver(hang_up) as there:
        url = f"http://both.example:{there.port}/"
        with pytest.raises(ConnectionFailed):
            Gate(says("127.0.0.1", "127.0.0.1")).send(Outgoing(url))
        assert len(there.received) == 1


def test_a_redirect_is_an_answer_and_is_not_followed(loopback: None) -> None:
    with receiver() as elsewhere, receiver(status(302, Location=elsewhere.url)) as there:
        assert Gate().send(Outgoing(there.url)).status_code == 302
        assert len(there.received) == 1
        assert elsewhere.received == []


def test_a_proxy_of_the_environment_is_not_used(
    loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as proxy, receiver() as there:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert Gate().send(Outgoing(there.url)).status_code == 200
        assert (len(there.received), len(proxy.received)) == (1, 0)


def test_a_long_answer_is_cut(loopback: None) -> None:
    with receiver(status(200, b"x" * 5_000_000)) as there:
        assert Gate().send(Outgoing(there.url)).body == b"x" * 1024


def test_a_compressed_answer_stays_as_it_was_sent(loopback: None) -> None:
    """Or a small one could become a large one."""
    with receiver(status(200, b"\x1f\x8b-no-gzip", **{"Content-Encoding": "gzip"})) as there:
        assert Gate().send(Outgoing(there.url)).body == b"\x1f\x8b-no-gzip"


# --- Failing in time --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        stay_silent,
        drip(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 1000),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000),
    ],
    ids=["silent", "drips headers", "drips the body"],
)
def test_the_deadline_is_for_all_of_it(loopback: None, answer: object) -> None:
    with receiver(answer) as there:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(TimedOut):
            Gate(deadline_s=0.6).send(Outgoing(there.url))
        assert 0.5 < time.monotonic() - began < 2
        assert len(there.received) == 1


def test_a_resolver_that_hangs_does_not_hold_us_up() -> None:
    is_over = threading.Event()

    def resolve(name: str, port: int) -> Sequence[str]:
        is_over.wait(timeout=30)
        return []

    began = time.monotonic()
    with pytest.raises(TimedOut):
        Gate(resolve, deadline_s=0.3).send(Outgoing("https://hooks.example/"))
    assert time.monotonic() - began < 2
    is_over.set()


def test_a_port_where_nothing_listens_is_said_so(loopback: None) -> None:
    with receiver() as there:
        url = there.url
    with pytest.raises(ConnectionFailed):
        Gate().send(Outgoing(url))


def test_what_is_not_http_is_a_failed_connection(loopback: None) -> None:
    with receiver(drip(b"SSH\r\n")) as there, pytest.raises(ConnectionFailed):
        Gate().send(Outgoing(there.url))


# --- TLS --------------------------------------------------------------------------------------


def secure_gate(trust: ssl.SSLContext | None) -> Gate:
    return Gate(says("127.0.0.1"), trust)


def test_the_certificate_is_checked_against_the_name_not_the_address(loopback: None) -> None:
    with receiver(is_tls=True) as there:
        url = f"https://{NAME}:{there.port}/hook"
        assert secure_gate(trust_of_tests()).send(Outgoing(url)).status_code == 200
        assert there.asked_names == [NAME]
        assert there.received[0].headers["host"] == f"{NAME}:{there.port}"


@pytest.mark.parametrize("name", ["other.example", f"sub.{NAME}", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused(loopback: None, name: str) -> None:
    with receiver(is_tls=True) as there:
        with pytest.raises(TlsFailed):
            secure_gate(trust_of_tests()).send(Outgoing(f"https://{name}:{there.port}/hook"))
        assert there.received == []


def test_an_authority_that_nobody_knows_is_refused(loopback: None) -> None:
    with receiver(is_tls=True) as there:
        with pytest.raises(TlsFailed):
            secure_gate(None).send(Outgoing(f"https://{NAME}:{there.port}/hook"))
        assert there.received == []


def test_a_server_without_tls_is_refused(loopback: None) -> None:
    with receiver() as there:
        with pytest.raises(TlsFailed):
            secure_gate(trust_of_tests()).send(Outgoing(f"https://{NAME}:{there.port}/hook"))
        assert there.received == []


def test_every_failure_has_a_code_of_its_own_that_fits_the_log() -> None:
    codes = [kind.code for kind in OutboundFailed.__subclasses__()]
    assert len(codes) == len(set(codes)) == 6
    assert all(len(code) <= 40 for code in codes)
