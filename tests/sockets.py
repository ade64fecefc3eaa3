"""The sockets of a process and of all it started, as Linux lists them."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv6Address, ip_address
from pathlib import Path

LISTENING = "0A"


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    known = [pid]
    for one in known:
        known += [child for child, parent in parents.items() if parent == one]
    return known


def listeners(pid: int) -> dict[int, list[str]]:
    """Process → addresses it listens on, of a process and its descendants."""
    tables = {}
    for name in ("tcp", "tcp6"):
        lines = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        for cells in map(str.split, lines):
            if cells[3] == LISTENING:
                tables[f"socket:[{cells[9]}]"] = _address(cells[1].partition(":")[0])
    held: dict[int, list[str]] = {}
    for one in family(pid):
        for link in Path(f"/proc/{one}/fd").glob("*"):
            try:
                address = tables.get(str(link.readlink()))
            except OSError:
                continue
            if address:
                held.setdefault(one, []).append(address)
    return held


def _address(written: str) -> str:
    """An address as /proc writes it: words of 32 bits in the byte order of the machine."""
    packed = b"".join(struct.pack("=I", int(written[at : at + 8], 16)) for at in range(0, len(written), 8))
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    mapped = IPv6Address(packed).ipv4_mapped
    return str(mapped or ip_address(packed))
