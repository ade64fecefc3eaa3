"""Networks: building, training and asking them. Needs the extra ``train``."""

from __future__ import annotations

from importlib.util import find_spec

from primum.check import MissingExtraError


def need(*packages: str) -> None:
    """Refuse in one sentence when one of these packages is not installed."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"networks need {' and '.join(missing)}, which is not installed: pip install 'primum[train]'"
        )


need("torch")
