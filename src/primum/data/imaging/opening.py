"""The one door through which picture files are opened: what a file is and claims is checked first."""

from __future__ import annotations

import errno
import io
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primum.core.check import MissingExtraError, PrimumError
from primum.data.imaging import limits

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")  # no EPS, for which Pillow starts Ghostscript
TILE = (322, 323)  # TIFF tags: TileWidth, TileLength
NO_FILE = "there is no such file; put it there"
DAMAGED = "it does not decode; repair it"
UNKNOWN = "it does not decode as JPEG, PNG, WebP, BMP, TIFF or GIF; repair or convert it"
NO_MEMORY = "there is not enough memory to decode it; shrink it"


class UnreadableError(ValueError):
    """Why a file gives no image: half a sentence, and after a semicolon what to do, if anything."""


def pillow() -> Any:
    """The module ``PIL.Image``; raises MissingExtraError where it is not installed."""
    try:
        from PIL import Image as images
    except ImportError:
        raise MissingExtraError("reading images needs Pillow: pip install 'primum[train]'") from None
    _quiet(images)
    return images


def _quiet(images: Any) -> None:
    """Pillow warns of large images, by a limit of its own; here they are read, or refused in a sentence."""
    entry = ("ignore", None, images.DecompressionBombWarning, None, 0)
    if entry not in warnings.filters:  # others may have reset them
        warnings.simplefilter("ignore", images.DecompressionBombWarning)


def plain(file: Path) -> int:
    """Bytes of a plain file; -1 where there is none, or a folder, a pipe or a device."""
    try:
        state = file.stat()
    except (OSError, ValueError):
        return -1
    return state.st_size if stat.S_ISREG(state.st_mode) else -1


def checked(file: Path) -> Path:
    """The path of a plain file that is neither empty nor larger than ``limits.FILE``; it is not opened.

    Raises:
        UnreadableError: for anything else; opening a pipe would wait for ever.
    """
    size = plain(file)
    if size < 0:
        raise UnreadableError(_no_plain_file(file))
    if size == 0:
        raise UnreadableError("it does not decode, the file is empty; put the image there")
    if size > limits.FILE:
        raise UnreadableError(
            f"the file has {size / 2**20:,.0f} MB, at most {limits.FILE // 2**20:,} are read; shrink it"
        )
    return file


def content(file: Path) -> bytes:
    """All bytes of a file; raises UnreadableError as :func:`checked`, and where it may not be read."""
    with _faults():
        return checked(file).read_bytes()


@contextmanager
def opened(source: Path | bytes, formats: Sequence[str] = FORMATS) -> Iterator[Image]:
    """The first picture of a file or of its bytes, header read and claims checked, nothing decoded yet.

    Whatever Pillow raises while it decodes inside the block becomes an UnreadableError.

    Raises:
        UnreadableError: for what :func:`checked` refuses, another format, a damaged file, or one of more
            pixels than ``limits.PIXELS``.
        MissingExtraError: without Pillow.
    """
    images = pillow()
    with _faults():
        stored = io.BytesIO(source) if isinstance(source, bytes) else checked(source)
        with images.open(stored, formats=formats) as image:
            within(*image.size)
            # a tile may be larger than its image, and is decoded whole
            within(*(int(_first(image, tag)) for tag in TILE))
            yield image


def within(width: int, height: int) -> None:
    """Refuse an image of more pixels than ``limits.PIXELS``."""
    if width * height > limits.PIXELS:
        raise UnreadableError(f"it claims {width:,} × {height:,} pixels, {_limits()}")


def _limits() -> str:
    return f"at most {limits.PIXELS // 10**6} million are read; shrink it"


def _first(image: Image, tag: int) -> float:
    value = getattr(image, "tag_v2", {}).get(tag, 0)
    return float(value[0] if isinstance(value, tuple) else value)


@contextmanager
def _faults() -> Iterator[None]:
    """Whatever goes wrong while a file is read, as half a sentence."""
    try:
        yield
    except (UnreadableError, PrimumError):
        raise
    except MemoryError:
        raise UnreadableError(NO_MEMORY) from None
    except FileNotFoundError:
        raise UnreadableError(NO_FILE) from None
    except PermissionError:
        raise UnreadableError("it may not be read; give the right to read it") from None
    except Exception as error:  # of damaged files Pillow raises nearly every kind
        sentences = {
            "UnidentifiedImageError": UNKNOWN,
            "DecompressionBombError": f"it claims too many pixels, {_limits()}",
        }
        raise UnreadableError(sentences.get(type(error).__name__, DAMAGED)) from error


def _no_plain_file(file: Path) -> str:
    try:
        state = file.stat()
    except ValueError:
        return "its name is none that a file can have; correct it"
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "it is a link that leads round in a circle; link the file itself"
        absent = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
        return NO_FILE if absent else "it may not be read; give the right to read it"
    noun = "a folder" if stat.S_ISDIR(state.st_mode) else "a pipe or a device"
    return f"this is {noun} and no file; put the image there"
