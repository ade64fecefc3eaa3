"""Small inline SVG pictures that need no script: a grid of cases, and an interval on its scale."""

from __future__ import annotations

import math

from markupsafe import Markup, escape

MOST_DOTS = 400
COLUMNS = 40
STEP = 10


def dots(missed: int, total: int) -> tuple[Markup, int]:
    """Draw one dot per critical case, the missed ones filled; many cases share a dot.

    Returns:
        The SVG and how many cases one dot stands for.

    >>> svg, cases = dots(7, 4000)
    >>> cases, svg.count('class="missed"')
    (10, 1)
    """
    if total <= 0:
        return Markup(""), 1
    per = math.ceil(total / MOST_DOTS)
    count = math.ceil(total / per)
    filled = math.ceil(missed / per)
    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    width, height = columns * STEP, rows * STEP
    marks = Markup("").join(
        Markup('<circle cx="{}" cy="{}" r="{}" class="{}"/>').format(
            at % columns * STEP + STEP // 2,
            at // columns * STEP + STEP // 2,
            3.9 if at < filled else 3.1,
            "missed" if at < filled else "found",
        )
        for at in range(count)
    )
    alt = f"{missed} of {total} critical cases missed"
    svg = Markup(
        '<svg class="dots" viewBox="0 0 {} {}" style="max-width:{}px" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, max(width * 1.4, 60), alt, marks)
    return svg, per


def interval(
    value: float | None,
    low: float | None,
    high: float | None,
    start: float = 0.0,
    end: float = 1.0,
    tone: str = "plain",
    mark: float | None = None,
) -> Markup:
    """Draw a value and its interval on a line from ``start`` to ``end``, with an optional limit mark.

    >>> 'class="limit"' in interval(0.1, 0.0, 0.2, mark=0.15)
    True
    """
    if value is None or not math.isfinite(value):
        return Markup("")
    width = 120.0

    def place(number: float) -> str:
        share = (number - start) / ((end - start) or 1.0)
        return f"{4 + (width - 8) * min(max(share, 0.0), 1.0):.1f}"

    parts = [Markup('<line class="track" x1="4" x2="{}" y1="8" y2="8"/>').format(f"{width - 4:.0f}")]
    if start < 0 < end:
        parts.append(Markup('<line class="zero" x1="{0}" x2="{0}" y1="1" y2="15"/>').format(place(0.0)))
    if low is not None and high is not None:
        parts.append(
            Markup('<line class="range" x1="{}" x2="{}" y1="8" y2="8"/>').format(place(low), place(high))
        )
    if mark is not None:
        parts.append(Markup('<line class="limit" x1="{0}" x2="{0}" y1="1" y2="15"/>').format(place(mark)))
    parts.append(Markup('<circle class="point" cx="{}" cy="8" r="2.8"/>').format(place(value)))
    return Markup('<svg class="interval {}" viewBox="0 0 120 16" aria-hidden="true">{}</svg>').format(
        escape(tone), Markup("").join(parts)
    )
