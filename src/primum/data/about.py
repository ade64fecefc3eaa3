"""What a person wants to know of each data set before loading it."""

from __future__ import annotations

from dataclasses import dataclass

from primum.data.sets import brain_tumor_mri, breakhis, chest_xray, ham10000, medmnist, phantom, sicapv2

OWN = "your own"


@dataclass(frozen=True)
class About:
    """One data set with its variants.

    Attributes:
        names: as ``primum.data.sets.load`` knows them, the plain one first. what: in a few words.
        classes: class names, empty where the data decide.
        needs: what must lie under ``root``, empty where nothing is read.
        licence: of the images, and who gives them out.
        severity: preset of the same classes, or None.
        patients: whether the release tells patients, lesions or slides.
    """

    names: tuple[str, ...]
    what: str
    classes: tuple[str, ...]
    needs: str
    licence: str
    severity: str | None
    patients: bool = True


ABOUT = (
    About(
        ("brain_tumor_mri",), "brain MRI, slices", brain_tumor_mri.CLASSES,
        "Training/CLASS/*, Testing/CLASS/*", "CC0 as listed, Nickparvar on Kaggle",
        "brain_tumor_mri", patients=False,
    ),
    About(
        ("chest_xray",), "chest X-ray of children", chest_xray.CLASSES,
        "train, val, test: CLASS/*", "CC BY 4.0, Kermany et al. 2018", "chest_xray",
    ),
    About(
        ("chest_xray_subtypes",), "the same, by kind of pneumonia", tuple(chest_xray.SUBTYPES.values()),
        "as chest_xray", "CC BY 4.0, Kermany et al. 2018", "chest_xray_subtypes",
    ),
    About(
        ("chest_xray_nih",), "chest X-ray, adults, another hospital", chest_xray.CLASSES,
        "NORMAL/*, PNEUMONIA/*", "free with credit to the NIH, selection of Talo et al.", "chest_xray",
    ),
    About(
        ("ham10000",), "skin lesions, ISIC 2018 task 3", ham10000.CLASSES,
        "HAM10000_metadata.csv, images/*; isic2018_test beside it for the official test set",
        "CC BY-NC 4.0, Tschandl et al. 2018", "isic2018",
    ),
    About(
        ("ham10000_malignancy",), "HAM10000 alone, benign or malignant", ham10000.SIDES,
        "HAM10000_metadata.csv, images/*", "CC BY-NC 4.0, Tschandl et al. 2018", "ham10000_malignancy",
    ),
    *(
        About(
            tuple(name for name in breakhis.LOADERS if ("subtypes" in name) == ("subtypes" in task)),
            "breast tumours, microscopy", breakhis.CLASSES[task],
            "histology_slides of BreaKHis_v1", "stated with the release, Spanhol et al. 2016", task,
        )
        for task in breakhis.CLASSES
    ),
    About(
        tuple(sicapv2.LOADERS), "prostate biopsies, patches", sicapv2.CLASSES,
        "images/*, partition/**/*.xlsx", "CC BY 4.0, Silva-Rodríguez et al. 2020", "sicapv2",
    ),
    About(
        tuple(medmnist.LOADERS), "small images of many kinds", (),
        "the released SET.npz or SET_SIZE.npz",
        "CC BY 4.0 (dermamnist: CC BY-NC 4.0), Yang et al. 2023", None, patients=False,
    ),
    About(
        ("phantom", "phantom_failures"), "made lesions of known truth",
        phantom.CLASSES, "", "made here", "phantom",
    ),
    About(
        ("folder",), OWN, (), "CLASS/*, or SPLIT/CLASS/*", OWN, None, patients=False,
    ),
    About(
        ("manifest",), OWN, (), "a CSV with path and label, and patient where known", OWN, None,
    ),
)  # fmt: skip


def about(name: str) -> About:
    """The entry of a data set or of one of its variants."""
    return next(entry for entry in ABOUT if name in entry.names)
