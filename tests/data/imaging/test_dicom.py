"""DICOM files written by pydicom, their grey values worked by hand."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.core.check import MissingExtraError
from primum.data.images import CorruptImageError, ImageTable
from primum.data.imaging import dicom
from primum.data.sets import load
from primum.report.thumbnails import embed

pydicom = pytest.importorskip("pydicom")

from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.uid import (  # noqa: E402
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

SECRET = "Doe^Jane"


def made(
    pixels: Any, syntax: Any = ExplicitVRLittleEndian, bits: int = 12, kind: str = "MONOCHROME2", **tags: Any
) -> Dataset:
    """A secondary capture of the stored values (H, W) or (H, W, 3), of a patient with a name."""
    stored = np.asarray(pixels)
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = syntax
    found.SOPClassUID, found.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    found.PatientName, found.PatientID = SECRET, SECRET
    found.Rows, found.Columns = stored.shape[:2]
    found.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    if stored.ndim == 3:
        found.PlanarConfiguration = 0
    found.PhotometricInterpretation = kind
    wide = 8 if bits <= 8 else 16
    found.BitsAllocated, found.BitsStored, found.HighBit = wide, bits, bits - 1
    found.PixelRepresentation = int(bool((stored < 0).any()) or tags.pop("signed", False))
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    for tag, value in tags.items():
        setattr(found, tag, value)
    letter = "i" if found.PixelRepresentation else "u"
    raw = stored.astype(f"{order}{letter}{wide // 8}").tobytes()
    found.PixelData = raw + b"\0" * (len(raw) % 2)
    return found


def save(found: Dataset, path: Path) -> Path:
    pydicom.dcmwrite(path, found, enforce_file_format=True)
    return path


def shown(path: Path) -> list[int]:
    image = dicom.read(path)
    assert image.mode == "RGB"
    pixels = np.asarray(image)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0].ravel().tolist()


@pytest.fixture
def grey(tmp_path: Path) -> Callable[..., list[int]]:
    """What is shown of stored values in one row."""

    def of(values: list[int], **tags: Any) -> list[int]:
        return shown(save(made([values], **tags), tmp_path / "x.dcm"))

    return of


def table(entries: list[int], first: int, bits: int, form: str = "<u2") -> Dataset:
    """One table of a sequence, its entries as words, packed bytes (``u1``) or numbers (``US``)."""
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    if form == "US":
        item.add_new("LUTData", "US", entries)
    else:
        item.add_new("LUTData", "OW", np.asarray(entries).astype(form).tobytes())
    return item


def test_without_a_window_the_stored_bits_are_the_range(grey) -> None:
    assert grey([0, 819, 4095]) == [0, 51, 255]  # 819 / 4095 is a fifth
    assert grey([0, 51, 255, 300], bits=12) == [0, 3, 16, 19]  # 12 bits, though only 300 are used
    assert grey([0, 51, 255], bits=8) == [0, 51, 255]
    assert grey([0, 257, 65535], bits=16) == [0, 1, 255]  # 16 of 16 bits state nothing: the image's own range
    assert grey([-2048, -1229, 2047]) == [0, 51, 255]  # signed


def test_monochrome1_is_turned_over(grey) -> None:
    assert grey([0, 819, 4095], kind="MONOCHROME1") == [255, 204, 0]
    window = {"WindowCenter": 100.5, "WindowWidth": 101}
    assert grey([40, 70, 200], kind="MONOCHROME1", **window) == [255, 204, 0]


def test_a_window_is_the_linear_one_of_the_standard(grey) -> None:
    # c = 100.5, w = 101: black up to 50, white above 150, between (x − 100) / 100 + 0.5.
    window = {"WindowCenter": 100.5, "WindowWidth": 101}
    assert grey([0, 50, 70, 110, 150, 151, 4095], **window) == [0, 0, 51, 153, 255, 255, 255]


def test_the_first_of_several_windows_is_taken(grey) -> None:
    assert grey([50, 70, 150], WindowCenter=[100.5, 2000], WindowWidth=[101, 4000]) == [0, 51, 255]


def test_the_other_forms_of_a_window(grey) -> None:
    # exact: (x − 100) / 100 + 0.5; sigmoid: 1 / (1 + exp(−4 (x − 100) / 100)), 0.5 at 100, 0.1192 at 50.
    exact = {"WindowCenter": 100, "WindowWidth": 100, "VOILUTFunction": "LINEAR_EXACT"}
    assert grey([50, 70, 150], **exact) == [0, 51, 255]
    assert grey([50, 100, 150], **exact | {"VOILUTFunction": "SIGMOID"}) == [30, 128, 225]


def test_slope_and_intercept_come_before_the_window(grey) -> None:
    # Hounsfield units: 2 x − 1024; 512 → 0, 532 → 40, 537 → 50, 562 → 100.
    rescale = {"RescaleSlope": 2, "RescaleIntercept": -1024}
    soft = {"WindowCenter": 50.5, "WindowWidth": 101}
    assert grey([512, 532, 537, 562, 0, 4095], **rescale, **soft) == [0, 102, 128, 255, 0, 255]
    assert grey([0, 819, 4095], **rescale) == [0, 51, 255]


def test_a_slope_below_zero_turns_the_values_over(grey) -> None:
    rescale = {"RescaleSlope": -1, "RescaleIntercept": 4095}
    assert grey([0, 819, 4095], **rescale) == [255, 204, 0]
    assert grey([4045, 4025, 3945], **rescale, WindowCenter=100.5, WindowWidth=101) == [0, 51, 255]


def test_a_voi_table_goes_before_a_window(grey) -> None:
    # Positions from 10: 10 → 0, 11 → 1023, 12 and beyond → 4095 of 12 bits.
    values, window = [0, 10, 11, 12, 400], {"WindowCenter": 50, "WindowWidth": 100}
    for form in ("<u2", "US"):
        lut = table([0, 1023, 4095], 10, 12, form)
        assert grey(values, VOILUTSequence=[lut], **window) == [0, 0, 64, 255, 255]


def test_a_voi_table_of_eight_bits_and_many_positions(grey) -> None:
    entries = [0] * 300 + [51] * 300 + [255] * 400
    for form in ("<u2", "u1"):
        lut = table(entries, 0, 8, form)
        assert grey([299, 300, 600, 4095], VOILUTSequence=[lut]) == [0, 51, 255, 255]


def test_a_modality_table_comes_first(grey) -> None:
    lut = table([0, 100, 200, 255], 0, 8)
    lut.ModalityLUTType = "OD"
    assert grey([0, 1, 2, 3], ModalityLUTSequence=[lut]) == [0, 100, 200, 255]
    window = {"WindowCenter": 100.5, "WindowWidth": 101}
    assert grey([0, 1, 2, 3], ModalityLUTSequence=[lut], **window) == [0, 128, 255, 255]


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_plain_syntax(tmp_path: Path, syntax) -> None:
    found = made([[0, 819, 4095]], syntax=syntax, WindowCenter=2048, WindowWidth=4096)
    path = save(found, tmp_path / "x.dcm")
    assert shown(path) == [0, 51, 255]


def test_big_endian_pixels_and_tables(tmp_path: Path) -> None:
    assert shown(save(made([[0, 819, 4095]], syntax=ExplicitVRBigEndian), tmp_path / "x.dcm")) == [0, 51, 255]
    lut = table([0, 1023, 4095], 0, 12, ">u2")
    path = save(made([[0, 1, 2]], syntax=ExplicitVRBigEndian, VOILUTSequence=[lut]), tmp_path / "x.dcm")
    assert shown(path) == [0, 64, 255]


def test_compressed_grey(tmp_path: Path) -> None:
    values = np.tile(np.array([[0, 819, 4095, 819]]), (8, 2))
    found = made(values)
    found.compress(RLELossless)
    assert shown(save(found, tmp_path / "x.dcm"))[:4] == [0, 51, 255, 51]


def test_jpeg_2000_through_pillow(tmp_path: Path) -> None:
    stored = np.tile(np.array([[0, 51, 255, 51]], dtype=np.uint8), (8, 2))
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, "JPEG2000", no_jp2=True)
    found = made(stored, bits=8)
    found.PixelData = encapsulate([stream.getvalue()])
    found["PixelData"].VR = "OB"
    found.file_meta.TransferSyntaxUID = JPEG2000Lossless
    assert shown(save(found, tmp_path / "x.dcm"))[:4] == [0, 51, 255, 51]


def test_colour_stays_and_ybr_becomes_rgb(tmp_path: Path) -> None:
    rgb = np.array([[[200, 40, 10], [0, 255, 7]]])
    path = save(made(rgb, bits=8, kind="RGB"), tmp_path / "x.dcm")
    assert (np.asarray(dicom.read(path)) == rgb).all()
    # ITU-R BT.601, whole range: R = Y + 1.402 (Cr − 128), G = Y − 0.344 (Cb − 128) − 0.714 (Cr − 128).
    ybr = np.array([[[100, 128, 128], [100, 128, 178]]])
    path = save(made(ybr, bits=8, kind="YBR_FULL"), tmp_path / "x.dcm")
    seen = np.asarray(dicom.read(path)).astype(int)
    assert np.abs(seen - [[[100, 100, 100], [170, 64, 100]]]).max() <= 1


def test_colour_of_more_than_eight_bits(tmp_path: Path) -> None:
    path = save(made([[[0, 819, 4095]]], bits=12, kind="RGB"), tmp_path / "x.dcm")
    assert np.asarray(dicom.read(path)).ravel().tolist() == [0, 51, 255]


def listed(root: Path, *paths: str) -> ImageTable:
    n = len(paths)
    cases = pl.DataFrame(
        {
            "id": [f"case-{row}" for row in range(n)], "label": (["a", "b"] * n)[:n],
            "patient": [f"p{row}" for row in range(n)], "site": pl.Series([None] * n, dtype=pl.String),
            "split": ["test"] * n, "path": list(paths),
        }
    )  # fmt: skip
    return ImageTable("made", ("a", "b"), cases, root)


def test_refused_in_one_sentence_without_the_patient(tmp_path: Path, refused) -> None:
    film = made(np.zeros((4, 2)))
    film.NumberOfFrames, film.Rows = 2, 2
    empty = made([[0]])
    del empty.PixelData
    for found, texts in (
        (film, ("multi-frame", "export its frames")),
        (empty, ("holds no pixels",)),
        (made([[0]], kind="PALETTE COLOR"), ("PALETTE COLOR", "as PNG")),
        (made([[0]], WindowCenter=1, WindowWidth=0), ("its window",)),
        (made([[0]], WindowCenter=1, WindowWidth=5, VOILUTFunction="ODD"), ("its window",)),
    ):
        save(found, tmp_path / "x.dcm")
        refused(lambda: listed(tmp_path, "x.dcm").image(0), "at x.dcm", "--skip-corrupt", *texts)
        with pytest.raises(CorruptImageError) as caught:
            listed(tmp_path, "x.dcm").image(0)
        assert SECRET not in str(caught.value)


def test_damaged_files_are_refused(tmp_path: Path, refused) -> None:
    whole = save(made(np.zeros((40, 40))), tmp_path / "good.dcm").read_bytes()
    for content, text in (
        (b"", "the file is empty"),
        (b"nothing of the kind", "it is no DICOM file"),
        (whole[:-100], "does not decode"),
        (whole[:200], "made: a readable image was expected"),
    ):
        (tmp_path / "bad.dcm").write_bytes(content)
        refused(lambda: listed(tmp_path, "bad.dcm").image(0), "at bad.dcm", text)


def test_a_compressed_file_that_does_not_decode_names_another_decoder(tmp_path: Path, refused) -> None:
    found = made(np.zeros((4, 4)), bits=8)
    found.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    found["PixelData"].VR = "OB"
    found.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    save(found, tmp_path / "x.dcm")
    refused(lambda: listed(tmp_path, "x.dcm").image(0), "does not decode; another decoder", "pylibjpeg")


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLosslessSV1])
def test_a_compression_without_decoder_names_the_package(tmp_path: Path, syntax, monkeypatch) -> None:
    from pydicom.pixels.decoders import base

    monkeypatch.setattr(base.Decoder, "is_available", property(lambda self: False))
    found = made([[0, 1]])
    found.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    found["PixelData"].VR = "OB"
    found.file_meta.TransferSyntaxUID = syntax
    save(found, tmp_path / "x.dcm")
    with pytest.raises(MissingExtraError, match=r"x\.dcm.*JPEG.*pip install 'pylibjpeg\[all\]'") as caught:
        listed(tmp_path, "x.dcm").image(0)
    assert "\n" not in str(caught.value)


def test_without_pydicom_one_sentence_names_the_extra(tmp_path: Path, monkeypatch) -> None:
    save(made([[0, 1]]), tmp_path / "x.dcm")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'primum\[train\]'"):
        listed(tmp_path, "x.dcm").image(0)


def test_a_folder_of_dicom_files_is_a_data_set(tmp_path: Path) -> None:
    for kind in ("sick", "well"):
        (tmp_path / kind).mkdir()
        for number in range(12):
            save(made([[number, 4095]]), tmp_path / kind / f"{number:02d}.{'dcm' if number % 2 else 'DICOM'}")
    table = load("folder", tmp_path)
    assert len(table) == 24
    assert table.image(0).size == (2, 1)
    assert SECRET not in str(table.cases.to_dicts())


def test_a_file_without_ending_is_known_by_its_mark(tmp_path: Path) -> None:
    save(made([[0, 819, 4095]]), tmp_path / "1.2.840.10008")
    save(made([[0, 819, 4095]]), tmp_path / "IM0001")
    for name in ("1.2.840.10008", "IM0001"):
        assert np.asarray(listed(tmp_path, name).image(0))[0, :, 0].tolist() == [0, 51, 255]


def test_the_fingerprint_sees_pixels_of_files_of_one_size(tmp_path: Path) -> None:
    save(made([[0, 1]], SOPInstanceUID="1.2.3"), tmp_path / "x.dcm")
    table = listed(tmp_path, "x.dcm")
    mark, size = table.fingerprint(), (tmp_path / "x.dcm").stat().st_size
    save(made([[0, 2]], SOPInstanceUID="1.2.3"), tmp_path / "x.dcm")
    assert (tmp_path / "x.dcm").stat().st_size == size
    assert table.fingerprint() != mark


def test_the_gallery_of_a_report_shows_it(tmp_path: Path) -> None:
    values = np.tile(np.linspace(0, 4095, 32).astype(int), (32, 1))
    save(made(values), tmp_path / "x.dcm")
    (tmp_path / "y.dcm").write_bytes(b"\0" * 128 + b"DICM")
    embedded = embed("x.dcm", tmp_path)
    assert embedded is not None
    picture = Image.open(io.BytesIO(base64.b64decode(embedded.partition(",")[2])))
    expected = np.asarray(dicom.read(tmp_path / "x.dcm"), dtype=int)
    assert np.abs(np.asarray(picture, dtype=int) - expected).mean() < 3
    assert SECRET.encode() not in base64.b64decode(embedded.partition(",")[2])
    assert embed("y.dcm", tmp_path) is None
