"""The version that results name."""

__version__ = "0.1.0"
