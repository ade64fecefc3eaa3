"""Images decoded in a process of their own: the same as here, and a sentence for each way it can end."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from primum.data.imaging import apart, decode, limits
from primum.data.imaging.apart import Reader
from primum.data.imaging.decoded import Grey
from primum.data.imaging.opening import UnreadableError
from tests.data.imaging.named import SECRET, named
from tests.data.imaging.test_opening import claiming, picture

LIMITED = (
    "import sys; sys.path.insert(0, sys.argv[1]); from primum.data.imaging import limits; "
    "limits.MEMORY = {}; from primum.data.imaging.worker import main; main()"
)


@pytest.fixture
def reader() -> Iterator[Reader]:
    found = Reader()
    yield found
    found.stop()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, reader: Reader):
    """A reader whose process runs other lines."""

    def of(lines: str) -> Reader:
        monkeypatch.setattr(apart, "START", lines)
        return reader

    return of


def files(folder: Path) -> Iterator[Path]:
    """One of each kind that is decoded in another way."""
    ramp = np.tile(np.linspace(0, 4000, 16).astype(np.uint16), (16, 1))
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF"):
        yield named(folder / f"named.{kind.lower()}", kind, 16)
    for name, pixels in (("deep.png", ramp), ("deep.tif", ramp), ("float.tif", (ramp / 7).astype("f4"))):
        Image.fromarray(pixels).save(folder / name)
        yield folder / name
    Image.fromarray(ramp).save(folder / "claimed.tif", tiffinfo={340: 0, 341: 4095})
    yield folder / "claimed.tif"
    pytest.importorskip("pydicom")
    dicom = import_module("tests.data.imaging.test_dicom")
    for name, tags in (
        ("plain.dcm", {}), ("window", {"WindowCenter": 2000, "WindowWidth": 3000}),
        ("padded.dcm", {"PixelPaddingValue": 0, "RescaleSlope": 2, "RescaleIntercept": -1024}),
        ("inverted.dcm", {"kind": "MONOCHROME1"}),
    ):  # fmt: skip
        yield dicom.save(dicom.made(ramp, **tags), folder / name)


def test_the_image_is_the_one_that_is_decoded_here(tmp_path: Path, reader: Reader) -> None:
    for file in files(tmp_path):
        here, there = decode.load(file), reader.load(file.read_bytes(), file.suffix)
        assert type(there) is type(here), file.name
        assert there.kind == here.kind
        if isinstance(here, Grey) and isinstance(there, Grey):
            assert there.values.dtype == here.values.dtype
            np.testing.assert_array_equal(there.values, here.values)
            for name in ("full", "stated", "claimed", "inverted", "cut"):
                assert getattr(there, name) == getattr(here, name), (file.name, name)
            assert (there.padding is None) == (here.padding is None)
            if here.padding is not None and there.padding is not None:
                np.testing.assert_array_equal(there.padding, here.padding)
        for within in (None, (0.0, 3000.0)):
            np.testing.assert_array_equal(np.asarray(there.render(within)), np.asarray(here.render(within)))
            np.testing.assert_array_equal(np.asarray(there.visible(within)), np.asarray(here.visible(within)))
        assert SECRET not in str(there.visible().info)


def test_one_process_reads_one_file_after_the_other(tmp_path: Path, reader: Reader) -> None:
    content = picture(tmp_path / "x.png").read_bytes()
    reader.load(content, ".png")
    first = reader._running
    with pytest.raises(UnreadableError, match="it does not decode"):
        reader.load(b"no image", ".png")
    assert reader.load(content, ".png").visible().size == (8, 8)
    assert first is not None
    assert reader._running is first
    first.kill()
    first.wait()
    assert reader.load(content, ".png").visible().size == (8, 8)
    assert reader._running is not first
    assert isinstance(first.returncode, int)


def test_what_is_refused_here_is_refused_there(tmp_path: Path, reader: Reader, monkeypatch) -> None:
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "EPS")
    for content, suffix, said in (
        (b"", ".png", "the file is empty"),
        (stream.getvalue(), ".png", "it does not decode as JPEG, PNG, WebP, BMP, TIFF or GIF"),
        (claiming(20_000, 20_000), ".png", "at most 100 million are read"),
        (b"no image", ".dcm", "it is no DICOM file"),
    ):
        with pytest.raises(UnreadableError, match=said):
            reader.load(content, suffix)
    running = reader._running
    monkeypatch.setattr(limits, "UPLOADED", 2**20)
    with pytest.raises(UnreadableError, match=r"it has 1\.5 MB, at most 1 are read; shrink it"):
        reader.load(bytes(3 * 2**19), ".png")
    assert reader._running is running


@pytest.mark.parametrize("suffix", ["/../../x", ".png/../x", "\0", "." + "x" * 5000, "", ".ps", ".PNG"])
def test_the_ending_of_a_name_is_no_path(tmp_path: Path, reader: Reader, suffix: str) -> None:
    assert reader.load(picture(tmp_path / "x.png").read_bytes(), suffix).visible().size == (8, 8)
    assert os.listdir(tmp_path) == ["x.png"]


def test_a_process_that_takes_too_long_is_stopped(started, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.2)
    reader = started("import time; time.sleep(600)")
    begun = time.monotonic()
    reader.start()
    running = reader._running
    with pytest.raises(UnreadableError, match=r"took more than 0\.2 seconds and was stopped"):
        reader.load(picture(tmp_path / "x.png").read_bytes(), ".png")
    assert time.monotonic() - begun < 60
    assert running.poll() is not None
    assert reader._running is None


@pytest.mark.parametrize(
    "lines",
    [
        "import sys; sys.stdin.readline(); sys.exit(3)",
        "import os; os._exit(1)",
        "import sys; sys.stdin.readline(); print('{}', flush=True); sys.stdin.readline()",
        "import sys; sys.stdin.readline(); print('no answer', flush=True); sys.stdin.readline()",
        # an array that would run code when it is unpickled, and one that claims more than there is
        "import sys, json, numpy as np; folder = json.loads(sys.stdin.readline()); "
        "np.save(folder + '/values.npy', np.array([print], dtype=object)); "
        "print(json.dumps({'image': 'picture', 'kind': '8-bit'}), flush=True); sys.stdin.readline()",
        "import sys, json, numpy as np; folder = json.loads(sys.stdin.readline()); "
        "file = open(folder + '/values.npy', 'wb'); np.lib.format.write_array_header_1_0(file, "
        "{'descr': '|u1', 'fortran_order': False, 'shape': (10**6, 10**6)}); file.close(); "
        "print(json.dumps({'image': 'picture', 'kind': '8-bit'}), flush=True); sys.stdin.readline()",
    ],
)
def test_a_process_that_breaks_off_or_talks_nonsense_is_a_sentence(
    started, tmp_path: Path, lines: str
) -> None:
    reader = started(lines)
    for _ in range(2):
        with pytest.raises(UnreadableError, match="the process that read it broke off; save it again as PNG"):
            reader.load(picture(tmp_path / "x.png").read_bytes(), ".png")
        reader.stop()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is bounded on Linux alone")
def test_memory_is_bounded(started, tmp_path: Path) -> None:
    Image.new("L", (10_000, 10_000)).save(tmp_path / "x.png", compress_level=1)
    reader = started(LIMITED.format(300 * 2**20))
    with pytest.raises(UnreadableError, match="there is not enough memory to decode it; shrink it"):
        reader.load((tmp_path / "x.png").read_bytes(), ".png")
    assert reader.load(picture(tmp_path / "y.png").read_bytes(), ".png").visible().size == (8, 8)
    status = Path(f"/proc/{reader._running.pid}/status").read_text().splitlines()
    [peak] = [int(line.split()[1]) for line in status if line.startswith("VmPeak")]
    assert peak <= 300 * 2**10
