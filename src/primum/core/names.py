"""Ids, patients, labels, classes and groups in one spelling, whatever program wrote them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

import polars as pl

# What pandas reads as missing by default, which holds what R, spreadsheets and databases write.
MISSING = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
        "N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
INVISIBLE = "[\u200b\u200c\u200d\u2060\ufeff]"
BLANKS = "[\u00a0\u2007\u202f]"
BOOLEANS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}
WHOLE = r"^(-?(?:0|[1-9]\d*))\.0*$"  # 007 is a name, 7.0 is a number


def settle(name: str) -> str:
    """One name: no blanks around, one form of each letter, 17.0 as 17.

    >>> [settle(name) for name in (" 17.0", "007", "TRUE")]
    ['17', '007', 'true']
    """
    text = re.sub(BLANKS, " ", re.sub(INVISIBLE, "", unicodedata.normalize("NFC", str(name)))).strip()
    return BOOLEANS.get(text, re.sub(WHOLE, r"\1", text))


def settled(values: pl.Series, classes: Collection[str] = ()) -> pl.Series:
    """The same for text or numbers (N,), value by value; what stands for a missing value is null.

    Value by value, so that two files agree on a name whatever else stands in their columns: 17.0 and 17 are
    one patient, 007 is another, and True is true.

    Args:
        values: text, whole numbers, floats below 2⁵³, booleans or dates.
        classes: names that are no missing value although they look like one, such as a class called None.

    >>> settled(pl.Series([17.0, None, 2.5])).to_list()
    ['17', None, '2.5']
    """
    if values.dtype == pl.Boolean:
        text = values.cast(pl.String)
    elif values.dtype.is_float():
        integral = values.is_finite() & (values % 1 == 0)
        numbers = values.fill_nan(None)
        ints = numbers.set(~integral, None).cast(pl.Int64).cast(pl.String)
        text = ints.zip_with(integral.fill_null(False), numbers.cast(pl.String))
    else:
        text = values.cast(pl.String)
    text = _spelled(text)
    missing = text.is_in(sorted(MISSING - set(classes)))
    return text.set(missing.fill_null(False), None)


def _spelled(text: pl.Series) -> pl.Series:
    if bool((text.str.len_bytes() != text.str.len_chars()).any()):
        text = text.str.normalize("NFC").str.replace_all(INVISIBLE, "").str.replace_all(BLANKS, " ")
    return text.str.strip_chars().str.replace(WHOLE, "${1}").replace(BOOLEANS)
