"""Which names the explorer answers to, so that no page of another site can read cases through the browser.

A page elsewhere can have its own name lead to this machine once it is loaded (DNS rebinding). Its browser
then asks this server, under that name; so a name that is not this server's own gets nothing.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAFE = ("GET", "HEAD")  # methods that change nothing and whose answers browsers keep from other sites
HEADER = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[\w.-]+)(:\d*)?", re.ASCII | re.IGNORECASE)
FOREIGN = "The explorer answers to the address it was started on alone; open the one it printed."


def is_loopback(host: str) -> bool:
    """Whether an address or name leads to this machine alone."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def is_every(host: str) -> bool:
    """Whether a host stands for all addresses of this machine."""
    address = _address(host)
    return address is not None and address.is_unspecified


def names(host: str) -> frozenset[str]:
    """The host names a server on ``host`` answers to, lower case, addresses in their shortest form.

    On a loopback address: the three names of loopback. On another: that address or name, and the addresses
    the name stands for. On all addresses: the name of this machine, alone and with ``.local``; addresses in
    digits are then answered too, see :func:`is_answered`, since no name leads astray with them.
    """
    answered = {_plain(host)}
    if is_loopback(host) or is_every(host):
        answered |= set(LOOPBACK)
    if is_every(host):
        machine = socket.gethostname().lower()
        answered |= {machine, f"{machine.partition('.')[0]}.local"}
    elif _address(host) is None:
        with suppress(OSError):
            answered |= {_plain(str(entry[4][0])) for entry in socket.getaddrinfo(host, None)}
    return frozenset(answered)


def host_name(header: str) -> str | None:
    """The host in a ``Host`` header without its port, as :func:`names` writes it; None if it is none."""
    parts = HEADER.fullmatch(header)
    return _plain(parts["host"].strip("[]")) if parts else None


def is_answered(host: str, answered: frozenset[str], header: str | None) -> bool:
    """Whether a server on ``host``, with ``known`` names, answers a request with this ``Host`` header."""
    name = host_name(header or "")
    if name is None:
        return False
    return name in answered or (is_every(host) and _address(name) is not None)


def is_own(header: str, origin: str | None) -> bool:
    """Whether a request comes from a page of this very server, by ``Host`` and ``Origin``.

    Browsers name the origin of whatever changes something; without one no browser asks.
    """
    return origin is None or urlsplit(origin).netloc.lower() == header.lower()


def guard(server: Flask, host: str) -> None:
    """Refuse with 400 a request under another host name, and with 403 what a page elsewhere sends."""
    answered = names(host)

    def turn_away() -> Response | None:
        return _refusal(request, host, answered)

    server.before_request(turn_away)


def _refusal(incoming: Request, host: str, answered: frozenset[str]) -> Response | None:
    header = incoming.environ.get("HTTP_HOST")
    if not is_answered(host, answered, header):
        return Response(FOREIGN, status=400, mimetype="text/plain")
    if incoming.method not in SAFE and not is_own(str(header), incoming.headers.get("Origin")):
        return Response(FOREIGN, status=403, mimetype="text/plain")
    return None


def _plain(host: str) -> str:
    """Lower case, without the dot at the end; an address in its shortest form."""
    address = _address(host)
    return host.lower().removesuffix(".") if address is None else str(address)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host in digits is; an IPv4 address in IPv6 clothes as itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
