"""Do explanations hold still, do they look at the lesion, and does their instability foretell errors."""

from __future__ import annotations
