"""Picture files that carry the name of a patient wherever their format lets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

SECRET = "DOE^JANE"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{SECRET}</dc:creator></x:xmpmeta>'.encode()


def named(file: Path, kind: str, side: int = 64) -> Path:
    """A grey ramp with the name as artist and description, comment, XMP packet and in the colour profile."""
    picture = Image.fromarray(np.tile(np.linspace(0, 255, side).astype(np.uint8), (side, 1))).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = SECRET  # ImageDescription, Artist
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET.encode()
    if kind == "JPEG":
        picture.save(file, kind, exif=exif, comment=SECRET.encode(), xmp=XMP, icc_profile=profile)
    elif kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET)
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        picture.save(file, kind, exif=exif, pnginfo=text, icc_profile=profile)
    elif kind == "TIFF":
        picture.save(file, kind, tiffinfo={0x010E: SECRET, 0x013B: SECRET}, icc_profile=profile)
    elif kind == "WEBP":
        picture.save(file, kind, exif=exif, xmp=XMP, icc_profile=profile)
    else:
        picture.save(file, kind, comment=SECRET.encode())
    return file
