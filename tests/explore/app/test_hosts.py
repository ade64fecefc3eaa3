"""Under which names the explorer answers, and to whose pages."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from primum.explore.app import hosts, server

OWN = (
    "127.0.0.1", "127.0.0.1:8050", "localhost:9000", "LOCALHOST", "localhost.:8050", "[::1]:8050", "[::1]",
    "[0:0:0:0:0:0:0:1]:8050", "[::ffff:127.0.0.1]:1",
)  # fmt: skip
FOREIGN = (
    None, "", "elsewhere.example", "elsewhere.example:8050", "127.0.0.1.elsewhere.example", "localhost.evil",
    "evil@127.0.0.1", "127.0.0.1/evil", "127.0.0.1:8050, evil", "127.0.0.1:port", "[::1", "::1", "192.0.2.7",
    "2130706433", "0.0.0.0", "127.0.0.1 evil", "[::1],evil", "[::1]evil", "[localhost]",
    "#127.0.0.1", "127.0.0.1?x",
)  # fmt: skip


@pytest.fixture
def client(pictured):
    return server.make_app([pictured]).server.test_client()


@pytest.mark.parametrize("header", OWN)
def test_the_names_of_this_machine_are_answered(client, header) -> None:
    assert client.get("/", headers={"Host": header}).status_code == 200


@pytest.mark.parametrize("header", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/picture?scene=0&case=0", "/_dash-layout"])
def test_any_other_name_gets_nothing(client, header, path) -> None:
    answer = client.get(path, environ_overrides={"HTTP_HOST": header})
    assert answer.status_code == 400
    assert answer.get_data(as_text=True) == hosts.FOREIGN


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "null",
        "http://127.0.0.1:3000",
        "http://localhost",
        "http://127.0.0.1:8050.evil",
    ],
)
def test_no_page_elsewhere_may_ask_a_callback(client, origin) -> None:
    headers = {"Host": "127.0.0.1:8050", "Origin": origin}
    answer = client.post("/_dash-update-component", json={}, headers=headers)
    assert answer.status_code == 403


def test_its_own_page_may(client) -> None:
    headers = {"Host": "LocalHost:8050", "Origin": "http://localhost:8050"}
    assert client.post("/_dash-update-component", json={}, headers=headers).status_code not in (400, 403)


def test_on_one_address_that_address_alone_is_answered() -> None:
    known = hosts.names("192.0.2.7")
    assert hosts.is_answered("192.0.2.7", known, "192.0.2.7:8050")
    for other in ("127.0.0.1", "localhost", "192.0.2.8", socket.gethostname()):
        assert not hosts.is_answered("192.0.2.7", known, other)


@pytest.mark.parametrize("every", ["0.0.0.0", "::"])
def test_on_all_addresses_digits_and_the_name_of_the_machine_are_answered(monkeypatch, every) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Ward3.clinic.example")
    known = hosts.names(every)
    for own in ("192.0.2.7:8050", "[fd00::2]:8050", "localhost", "ward3.clinic.example", "ward3.local:8050"):
        assert hosts.is_answered(every, known, own)
    for other in ("elsewhere.example", "clinic.example", "ward3.local.evil"):
        assert not hosts.is_answered(every, known, other)


def test_a_name_given_as_host_is_answered_with_its_addresses(monkeypatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    known = hosts.names("Ward3.example")
    assert known == {"ward3.example", "192.0.2.7"}


@pytest.fixture
def serving(pictured) -> Iterator[int]:
    """The port of an explorer on the loopback address of IPv6."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with server.bind("::1", 0) as listening:
        running = server.open_server(server.make_app([pictured], "::1"), listening)
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(("header", "status"), [("[::1]:{}", 200), ("localhost:{}", 200), ("evil:{}", 400)])
def test_over_ipv6(serving, header, status) -> None:
    asking = http.client.HTTPConnection("::1", serving, timeout=20)
    asking.request("GET", "/", headers={"Host": header.format(serving)})
    assert asking.getresponse().status == status
    asking.close()


@pytest.mark.parametrize("lines", ["", "Host: [::1]\r\nHost: evil\r\n"])
def test_no_host_and_two_hosts_get_nothing(serving, lines) -> None:
    with socket.create_connection(("::1", serving), timeout=20) as asking:
        asking.sendall(f"GET / HTTP/1.0\r\n{lines}\r\n".encode())
        assert asking.makefile("rb").readline().split()[1] == b"400"
