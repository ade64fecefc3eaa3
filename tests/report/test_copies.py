"""The page of copies."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from primum.report import copies

CONTENT = {
    "data": "made <set>",
    "n": 9,
    "verdict": "the split leaks",
    "copies": {"groups": 2, "images": 4, "exact_groups": 1, "conflicting_groups": 1},
}


def row(group: int, name: str, **rest: object) -> dict[str, object]:
    plain = {"kind": "exact", "label": "a", "split": "train", "across": False, "conflicting": False}
    return plain | {"group": group, "id": name, "path": name} | rest


def test_groups_stand_side_by_side_with_what_is_wrong(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        Image.new("RGB", (300, 200), (200, 30, 30)).save(tmp_path / name)
    Image.new("RGB", (30, 20)).save(tmp_path.parent / "outside.png")
    listed = [
        row(0, "1.png", across=True, kind="near"),
        row(0, "2.png", across=True, kind="near", split="test"),
        row(1, "gone.png", conflicting=True),
        row(1, "../outside.png", conflicting=True, label=None),
    ]
    page = copies.render(CONTENT, listed, tmp_path)
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.index("Same picture, <span") < page.index("Same bytes, <span")
    assert page.count("in two splits</span>") == page.count("under two labels</span>") == 1
    assert "made &lt;set&gt;" in page
    assert "The split leaks." in page
    assert "no label" in page
    assert "://" not in page


def test_long_lists_are_cut_and_counted() -> None:
    listed = [row(group, f"{group}.png") for group in range(copies.MOST_GROUPS + 3)]
    listed += [row(0, f"more{k}.png") for k in range(copies.MOST_IMAGES + 1)]
    page = copies.render(CONTENT, listed, None)
    assert page.count("<section>") == copies.MOST_GROUPS
    assert "3 further groups are in copies.csv only" in page
    assert "and 2 more" in page
    assert "No image stands" in copies.render(CONTENT, [], None)
