"""Code in colours: the classes of pygments, for which page/static/code.css has them."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Lexers are patterns, some of which take the square of what they read, or worse, while everybody
# waits. In these languages, code within these limits takes less than a tenth of a second.
LONGEST, MOST_LINES = 2000, 120
LONG_GAP = re.compile(r"\s{100}")
LANGUAGES = frozenset([
    "awk", "bash", "batch", "c", "clojure", "cmake", "common-lisp", "console", "cpp", "csharp",
    "css", "dart", "diff", "docker", "elisp", "elixir", "erlang", "fsharp", "go", "graphql",
    "groovy", "haskell", "html", "http", "ini", "java", "javascript", "json", "jsx", "julia",
    "kotlin", "latex", "lua", "markdown", "matlab", "nasm", "nginx", "nix", "objective-c",
    "ocaml", "perl", "php", "postgresql", "powershell", "properties", "protobuf", "pycon",
    "python", "r", "ruby", "rust", "scala", "scheme", "scss", "sql", "swift", "toml", "tsx",
    "typescript", "vb.net", "vim", "vue", "xml", "yaml", "zig",
])  # fmt: skip
KEPT = 256  # pieces of code: a page that is opened again has the same ones

FORMATTER = HtmlFormatter(nowrap=True)


@lru_cache(maxsize=KEPT)
def highlighted(code: str, language: str) -> str:
    """Code as HTML."""
    lexer = lexer_of(language.lower()) if language and is_quick(code) else None
    return str(highlight(code, lexer, FORMATTER)) if lexer else escape(code)


def is_quick(code: str) -> bool:
    """Whether no lexer of ours takes long for it."""
    if len(code) > LONGEST or code.count("\n") > MOST_LINES:
        return False
    return not LONG_GAP.search(code)


@lru_cache(maxsize=256)
def lexer_of(language: str) -> Lexer | None:
    """The lexer of a language, None for one that is not ours. It ends the last line of code where
    nothing does: lexers of sessions drop such a line.
    """
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
    return lexer if LANGUAGES.intersection(lexer.aliases) else None
