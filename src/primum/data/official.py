"""Images per class as each release states them: data set → official split → class → count.

Splits are those of the release: where a loader cuts val and cal out of train, the pooled rest compares with
train. A release without a split of its own has the one key ``all``. What is not stated anywhere is left out.
"""

from __future__ import annotations

Counts = dict[str, dict[str, int]]

MAGNIFICATIONS = ("40x", "100x", "200x", "400x")
BREAKHIS = {
    "A": (114, 113, 111, 106),
    "F": (253, 260, 264, 237),
    "PT": (109, 121, 108, 115),
    "TA": (149, 150, 140, 130),
    "DC": (864, 903, 896, 788),
    "LC": (156, 170, 163, 137),
    "MC": (205, 222, 196, 169),
    "PC": (145, 142, 135, 138),
}
BENIGN = ("A", "F", "PT", "TA")

CHEST_XRAY: Counts = {
    "train": {"NORMAL": 1341, "PNEUMONIA": 3875},
    "val": {"NORMAL": 8, "PNEUMONIA": 8},
    "test": {"NORMAL": 234, "PNEUMONIA": 390},
}
CHEST_XRAY_SUBTYPES: Counts = {
    "train": {"normal": 1341, "bacterial": 2530, "viral": 1345},
    "val": {"normal": 8, "bacterial": 8},
    "test": {"normal": 234, "bacterial": 242, "viral": 148},
}
SICAPV2_TEST = {"NC": 644, "G3": 393, "G4": 853, "G5": 232}


def _breakhis() -> dict[str, Counts]:
    """Subtypes and sides at each magnification, and at all of them (Spanhol et al., 2016)."""
    found: dict[str, Counts] = {}
    for suffix, at in [("", range(4)), *((f"_{name}", (k,)) for k, name in enumerate(MAGNIFICATIONS))]:
        subtypes = {name: sum(counts[k] for k in at) for name, counts in BREAKHIS.items()}
        benign = sum(subtypes[name] for name in BENIGN)
        sides = {"benign": benign, "malignant": sum(subtypes.values()) - benign}
        found[f"breakhis{suffix}"] = {"all": sides}
        found[f"breakhis_subtypes{suffix}"] = {"all": subtypes}
    return found


COUNTS: dict[str, Counts] = {
    "brain_tumor_mri": {
        "train": {"glioma": 1321, "meningioma": 1339, "notumor": 1595, "pituitary": 1457},
        "test": {"glioma": 300, "meningioma": 306, "notumor": 405, "pituitary": 300},
    },
    "chest_xray": CHEST_XRAY,
    "chest_xray_subtypes": CHEST_XRAY_SUBTYPES,
    "chest_xray_nih": {"test": {"NORMAL": 500, "PNEUMONIA": 500}},
    "ham10000": {
        "train": {"MEL": 1113, "NV": 6705, "BCC": 514, "AKIEC": 327, "BKL": 1099, "DF": 115, "VASC": 142},
        "test": {"MEL": 171, "NV": 909, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35},
    },
    "ham10000_malignancy": {"train": {"benign": 8061, "malignant": 1954}},
    "sicapv2": {
        "train": {"NC": 3773, "G3": 1829, "G4": 3641, "G5": 716},
        "test": SICAPV2_TEST,
    },
    **{f"sicapv2_val{fold}": {"test": SICAPV2_TEST} for fold in (1, 2, 3, 4)},
    **_breakhis(),
}
