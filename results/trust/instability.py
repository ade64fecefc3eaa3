"""Print whether instability of the maps foretells errors beyond confidence, of explained test images.

python results/trust/instability.py OUT/*/explained.parquet

``OUT`` is what ``trust.py`` wrote, or ``primum explain RUN`` for each network. Nothing here is newer than the
straight line of earlier versions, so a checkout of them prints what they said of the same maps.
"""

from __future__ import annotations

import sys

import primum


def main(paths: list[str]) -> None:
    """A row for every network and measure of stability."""
    for path in paths:
        audit = primum.audit(path, "chest_xray")
        name = path.split("/")[-2]
        for found in audit.findings:
            if found.code != "instability_auroc_gain":
                continue
            test, odds = found.why.split("; odds of an error × ")
            cells = (
                name,
                found.score,
                f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})",
                test.split("; AUROC")[0].removeprefix("likelihood-ratio "),
                f"× {odds.split()[0]}",
            )
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
