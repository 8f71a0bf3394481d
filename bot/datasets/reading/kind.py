"""Which kind of file this is: by its content, and by its name where that leaves it open."""

from __future__ import annotations

import json
import re
import zipfile
from enum import StrEnum
from pathlib import Path

from bot.datasets.findings import Finding, Level, Remedy, Weight
from bot.datasets.reading.delimited import delimiter_of, evenness
from bot.datasets.reading.encoding import Encoding, encoding_of
from bot.datasets.reading.jsonvalues import is_columns
from bot.errors import DatasetError

HEAD = 1 << 18  # bytes that are looked at
FIRST_LINES = 20
_LINE_END = re.compile(r"\r\n?|\n")  # str.splitlines knows more, which may stand in texts
FORMATS = ".jsonl, .json, .csv, .tsv, .xlsx or .txt"


class Kind(StrEnum):
    """A kind of file that can be read."""

    CSV = "CSV"
    TSV = "TSV"
    XLSX = "Excel"
    JSON = "JSON"
    JSONL = "JSON lines"
    TXT = "text"


NAMES = {
    ".csv": Kind.CSV,
    ".tsv": Kind.TSV,
    ".tab": Kind.TSV,
    ".xlsx": Kind.XLSX,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSONL,
    ".ndjson": Kind.JSONL,
    ".txt": Kind.TXT,
}
MAGIC = {
    b"\x1f\x8b": "This file is packed by gzip. Unpack it first.",
    b"\xd0\xcf\x11\xe0": "This is Excel's old or encrypted format. Save it as .xlsx or CSV.",
    b"%PDF": "This is a PDF. Copy the examples into a table or into JSON lines.",
    b"PK": f"This is a packed archive. Unpack it and send one {FORMATS} file.",
}


def kind_of(path: Path) -> tuple[Kind, Encoding, tuple[Finding, ...]]:
    """The kind and the encoding of a file, and what is to be said of them.

    Raises DatasetError where it is empty, or of no kind that can be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise DatasetError(f"The file cannot be opened: {error.strerror}.") from error
    if head.startswith(b"PK") and is_workbook(path):
        from bot.datasets.reading import spreadsheet  # noqa: PLC0415  takes a while to load

        notes = (*renamed(path, Kind.XLSX), *spreadsheet.sheets(path), converted(Kind.XLSX.value))
        return Kind.XLSX, Encoding("utf-8"), notes
    for magic, says in MAGIC.items():
        if head.startswith(magic):
            raise DatasetError(says)
    encoding = encoding_of(path)
    text = head[encoding.bom :].decode(encoding.name, "replace")
    if not text.strip(" \t\r\n\f\v\0"):
        raise DatasetError("The file is empty. Put one example on each line of it.")
    kind = by_content(text, NAMES.get(path.suffix.lower()))
    if kind is None:
        raise DatasetError(
            f"“{path.name}” is no {FORMATS} file. Save the examples as one of those."
        )
    notes = (*renamed(path, kind), *encoded(encoding))
    if kind is not Kind.JSONL:
        notes += (converted(kind.value),)
    elif not encoding.is_utf8 or encoding.bom:
        notes += (converted(encoding.name),)
    elif path.suffix.lower() != ".jsonl":
        notes += (converted(f"not called {path.stem}.jsonl"),)
    return kind, encoding, notes


def by_content(text: str, named: Kind | None) -> Kind | None:
    """What the beginning of a text shows; a name counts where that leaves it open."""
    lines = [line for line in _LINE_END.split(text)[:-1] or [text] if line.strip()][:FIRST_LINES]
    found = json_kind(text.lstrip(), lines, json_named=named in {Kind.JSON, Kind.JSONL})
    if found:
        return found
    if named not in {Kind.CSV, Kind.TSV, Kind.TXT}:
        even, columns = max(evenness(lines, each) for each in ",;\t|")
        tidy = even > 0.8 and columns > 1 and len(lines) > 1
        if tidy:
            return Kind.TSV if delimiter_of(lines) == "\t" else Kind.CSV
        return Kind.JSONL if named in {Kind.JSON, Kind.JSONL} else None
    return named


def json_kind(text: str, lines: list[str], *, json_named: bool) -> Kind | None:
    """JSON or JSON lines, None where it is neither."""
    whole = [parsed(line) for line in lines]
    objects = [each for each in whole if isinstance(each, dict)]
    if text.startswith("{"):
        if objects and not (len(lines) == 1 and is_columns(objects[0])):
            return Kind.JSONL
        return Kind.JSON if json_named or re.match(r'\{\s*"(?!")', text) else None
    if text.startswith("["):
        return Kind.JSON if json_named or re.match(r"\[\s*(\{|\])", text) else None
    return Kind.JSONL if json_named and objects else None


def parsed(line: str) -> object:
    """The JSON value that a line is, None where it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def is_workbook(path: Path) -> bool:
    """Whether an archive is an Excel file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return path.suffix.lower() == ".xlsx"


def converted(what: str) -> Finding:
    """Jobs take JSON lines in UTF-8 and nothing else."""
    remedy = Remedy("convert", "Write it as .jsonl in UTF-8", Weight.NECESSARY)
    says = f"The file is {what}; a job takes JSON lines in UTF-8."
    return Finding("format", Level.NOTE, says, remedy=remedy)


def renamed(path: Path, kind: Kind) -> tuple[Finding, ...]:
    """A note where a file is something else than its name says."""
    if NAMES.get(path.suffix.lower()) is kind:
        return ()
    ends = f"The name ends in {path.suffix}, but" if path.suffix else "The name has no ending;"
    return (Finding("name", Level.NOTE, f"{ends} the content is {kind}; it is read as that."),)


def encoded(encoding: Encoding) -> tuple[Finding, ...]:
    """A note where an encoding had to be guessed."""
    if not encoding.guessed:
        return ()
    says = (
        f"The file is no UTF-8; it is read as {encoding.name}. If letters look wrong, save it as "
        "UTF-8."
    )
    return (Finding("encoding", Level.NOTE, says),)
