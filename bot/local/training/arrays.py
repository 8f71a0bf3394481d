"""The one type of the arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of floats: single precision, or double where a test looks at gradients
Integers = NDArray[np.intp]
