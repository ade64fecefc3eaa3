"""The most that is read of one image file: what claims more is refused before it is decoded."""

from __future__ import annotations

PIXELS = 100_000_000  # of one image: chest films have 9 million, mammograms 20, photographs 50
DECODED = 512 * 2**20  # bytes of the pixels of a DICOM file, and of its header and pixels once inflated
FILE = 2**30  # bytes of a file
UPLOADED = 45 * 2**20  # bytes of a file dropped into the explorer: in base64 60 MB, of 64 its server takes
SECONDS = 20.0  # that reading an uploaded file may take
MEMORY = 4 * 2**30  # bytes of address space of the process that reads it
