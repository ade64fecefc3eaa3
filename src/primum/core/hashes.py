"""Know a row again without keeping its name: keyed hashes of ids, packed into one line of text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

BYTES = 6  # of each hash: a million rows meet a thousand others by chance about once in 300,000 times


def packed(values: Iterable[str], key: str) -> str:
    """Hashes of ``values`` under ``key``, sorted, in base64: eight characters each."""
    return base64.b64encode(b"".join(sorted(_codes(values, key)))).decode("ascii")


def count(text: str) -> int:
    """How many hashes ``text`` holds; -1 where it is not what :func:`packed` writes."""
    try:
        size = len(base64.b64decode(text, validate=True))
    except ValueError:
        return -1
    return -1 if size % BYTES else size // BYTES


def shared(text: str, values: Iterable[str], key: str) -> int:
    """How many of ``values`` are among those that ``text`` was packed from."""
    raw = base64.b64decode(text)
    digests = {raw[at : at + BYTES] for at in range(0, len(raw), BYTES)}
    return sum(code in digests for code in _codes(values, key))


def _codes(values: Iterable[str], key: str) -> list[bytes]:
    secret = key.encode()[:64]
    return [hashlib.blake2b(value.encode(), digest_size=BYTES, key=secret).digest() for value in values]
