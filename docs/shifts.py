"""Write the table and the picture of ``docs/shifts.md``: ``python docs/shifts.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from primum.core import files
from primum.data.corruptions.sheet import sheet
from primum.data.corruptions.table import markdown
from primum.data.sets import phantom

HERE = Path(__file__).parent
BEGIN, END = "<!-- table: python docs/shifts.py -->\n", "<!-- end of table -->\n"
SEED = 3


def main() -> None:
    """Put the table between its marks, and draw the sheet of one lesion of the phantom."""
    page = HERE / "shifts.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    with files.whole(page) as draft:
        draft.write_text(f"{before}{BEGIN}{markdown()}{END}{after}", encoding="utf-8")
    rng = np.random.default_rng(SEED)
    lesion = phantom.draw(phantom.MEANS[:1], np.array([False]), np.array([0]), rng)[0]
    with files.whole(HERE / "shifts.png") as draft:
        sheet(Image.fromarray(lesion), "lesion").save(draft)


if __name__ == "__main__":
    main()
