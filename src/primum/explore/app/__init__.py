"""The app of ``primum explore``: one module per tab, a server on this machine, nothing from outside it."""

from __future__ import annotations

from importlib.util import find_spec

from primum.check import MissingExtraError


def need(*packages: str) -> None:
    """Refuse in one sentence what the extra ``explore`` would bring."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"the explorer needs {' and '.join(missing)}, which is not installed: "
            "pip install 'primum[explore]'"
        )


need("dash")
