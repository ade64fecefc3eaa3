"""Names for the arrays that are passed around; shapes stand in the docstrings that use them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of whatever type arrived, before it is checked
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Reals = NDArray[np.floating[Any]]  # of either precision
Singles = NDArray[np.float32]
Strings = NDArray[np.str_]
