"""Excel workbooks: the first sheet, row by row."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.workbook.workbook import Workbook

from bot.datasets.findings import Finding, Level
from bot.datasets.reading.blocks import Progress
from bot.datasets.reading.chunk import Chunk, check_cell, check_width, chunked, clean
from bot.datasets.reading.delimited import header
from bot.datasets.reading.problems import LONG_ROW, Problems
from bot.errors import DatasetError

MOST_ROWS = 1_048_576  # that Excel has
MOST_UNPACKED = 1_500_000_000  # bytes; texts that repeat are held in memory, once
MOST_SHARED = 200_000_000  # bytes of the part that openpyxl holds in memory
_UNREADABLE = "This Excel file is damaged. Open it in Excel and save it again, or save it as CSV."


def check_size(path: Path) -> None:
    """Refuse a workbook that is made to fill memory. Raises DatasetError."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DatasetError(_UNREADABLE) from error
    unpacked = sum(part.file_size for part in parts)
    shared = sum(part.file_size for part in parts if "sharedstrings" in part.filename.lower())
    if unpacked > MOST_UNPACKED or shared > MOST_SHARED:
        raise DatasetError(
            f"This Excel file unpacks to {unpacked / 1_000_000:,.0f} MB, too much to open safely. "
            "Save the sheet as CSV."
        )


def sheets(path: Path) -> tuple[Finding, ...]:
    """What is said about a workbook of several sheets."""
    check_size(path)
    with opened(path) as book:
        names = book.sheetnames
        if len(names) < 2:
            return ()
        says = f"The workbook has {len(names)} sheets; only the first, “{names[0]}”, is read."
        return (Finding("sheets", Level.WARNING, says),)


def read(path: Path, problems: Problems, progress: Progress) -> Iterator[Chunk]:
    """The rows below the header; a row's line is its number in the sheet."""
    yield from chunked(rows(path, problems))
    progress(1.0)


def rows(path: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Each row with its number and its size."""
    names: list[str] = []
    for line, values in enumerate(values_of(path), 1):
        if line > MOST_ROWS:
            raise DatasetError(f"The sheet has more than {MOST_ROWS:,} rows. Save it as CSV.", line)
        check_width(len(values), line)
        cells = [shown(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if not names:
            names = header(cells, line, problems)
        elif len(cells) > len(names):
            problems.add(LONG_ROW, line)
        else:
            for cell in cells:
                check_cell(len(cell), line)
            cells = [clean(cell, line, problems) for cell in cells]
            cells += [""] * (len(names) - len(cells))
            yield line, dict(zip(names, cells, strict=True)), sum(map(len, cells))


def values_of(path: Path) -> Iterator[tuple[Any, ...]]:
    """The values of each row of the first sheet."""
    with opened(path) as book:
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise DatasetError("This workbook has no sheet with cells.")
        sheet.reset_dimensions()  # what a file says of its own size may be wrong
        rows = sheet.iter_rows(values_only=True)
        while True:
            try:
                row = next(rows, None)
            except Exception as error:  # as below
                raise DatasetError(_UNREADABLE) from error
            if row is None:
                return
            yield row


@contextmanager
def opened(path: Path) -> Iterator[Workbook]:
    """A workbook for the time of a block. Raises DatasetError where it is none."""
    warnings.filterwarnings(
        "ignore", category=UserWarning, module="openpyxl"
    )  # of colours and such
    with path.open("rb") as file:  # of a path openpyxl would believe the name
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except Exception as error:  # what openpyxl raises at damaged files has no common class
            raise DatasetError(_UNREADABLE) from error
        try:
            yield book
        finally:
            book.close()


def shown(value: Any) -> str:
    """A cell as text: whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
