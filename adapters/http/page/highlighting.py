"""Code in colours: the classes of pygments, for which page/static/code.css has them."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Lexers are patterns that take their time: what is longer is shown without colours.
LONGEST = 20_000

FORMATTER = HtmlFormatter(nowrap=True)


def highlighted(code: str, language: str) -> str:
    """Code as HTML."""
    lexer = lexer_of(language.lower()) if language and len(code) <= LONGEST else None
    return str(highlight(code, lexer, FORMATTER)) if lexer else escape(code)


@lru_cache(maxsize=256)
def lexer_of(language: str) -> Lexer | None:
    """The lexer of a language, None for a language that nobody knows."""
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
