"""In which encoding a text file is written."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from bot.errors import DatasetError

SAMPLE = 1 << 18  # bytes that are guessed from
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec's name, the bytes of its byte order mark, and whether it had to be guessed."""

    name: str
    bom: int = 0
    guessed: bool = False

    @property
    def is_utf8(self) -> bool:
        """Whether the file is UTF-8, perhaps damaged."""
        return self.name == "utf-8"


def encoding_of(path: Path) -> Encoding:
    """The encoding of a text file. UTF-8 if that fits, else what a sample around the first byte
    that does not fit looks like. Raises DatasetError where it looks like no text.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    for bom, name in BOMS:
        if head.startswith(bom):
            return Encoding(name, len(bom))
    if b"\0" in head and (wide := utf16(head)):
        return Encoding(wide, guessed=True)
    wrong, others = first_wrong(path)
    if wrong is None or others:
        return Encoding("utf-8")
    return Encoding(guess(path, wrong), guessed=True)


def utf16(head: bytes) -> str:
    """The UTF-16 that bytes without a byte order mark are in, or "".

    Text has far more characters below 256 than not: delimiters, quotation marks, line ends.
    """
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half // 5 and odd > 4 * even:
        return "utf-16-le"
    if even > half // 5 and even > 4 * odd:
        return "utf-16-be"
    return ""


def first_wrong(path: Path) -> tuple[int | None, bool]:
    """Where the first byte that is no UTF-8 stands, None if all fits; and whether longer UTF-8
    characters stand before it, so that the file is UTF-8 with some damage.
    """
    decoder, offset, others = codecs.getincrementaldecoder("utf-8")(), 0, False
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                begins = error.object[: error.start]
                return offset - pending + error.start, others or not begins.isascii()
            others = others or not text.isascii()
            offset += len(block)
            if not block:
                return None, others


def guess(path: Path, wrong: int) -> str:
    """The codec for the bytes around an offset."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  most files do without it

    with path.open("rb") as file:
        file.seek(max(wrong - SAMPLE // 4, 0) // 4 * 4)
        sample = file.read(SAMPLE // 2)
    if b"\0" in sample:
        raise DatasetError(
            "This is no text, and no Excel file either. Save it as CSV or JSON lines."
        )
    # A few letters are not enough to guess from, and nearly all of such files are Western European.
    likely = "cp1252" if fits(sample, "cp1252") else "latin-1"
    if sum(byte > 127 for byte in sample) < 8:
        return likely
    best = from_bytes(sample).best()
    name = best.encoding if best else likely
    return likely if name in {"ascii", "utf_8"} or not fits(sample, name) else name


def fits(sample: bytes, name: str) -> bool:
    """Whether all bytes mean something in a codec."""
    try:
        sample.decode(name)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
