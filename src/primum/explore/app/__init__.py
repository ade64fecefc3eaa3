"""The app of ``primum explore``: one module per tab, a server on this machine, nothing from outside it."""

from __future__ import annotations

from primum.core.needs import need

need("the explorer", "dash", "umap")
