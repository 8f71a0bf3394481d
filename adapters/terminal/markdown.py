"""Markdown as rich draws it, less what makes words of an answer disappear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.syntax import Syntax

# rich draws neither HTML nor where a picture or a reference points to: they stay as written.
_PARSER = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["strikethrough", "table"])
    .disable(["image", "reference"])
)


class _Title(Heading):
    """A heading at the left: an answer is no poster."""

    LEVEL_ALIGN = dict.fromkeys(Heading.LEVEL_ALIGN, "left")


class _Code(CodeBlock):
    """Code without a background and on its own lines only, so that it can be copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Syntax(
            str(self.text).rstrip(),
            self.lexer_name,
            theme="ansi_dark",
            word_wrap=True,
            padding=(0, 2),
            background_color="default",
        )


class Answer(Markdown):
    """An answer in Markdown. A line break stays one, as in any chat; links show where they go."""

    elements = {**Markdown.elements, "heading_open": _Title, "fence": _Code, "code_block": _Code}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False)
        self.markup = text
        self.parsed = list(as_written(_PARSER.parse(text)))


def as_written(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens with line breaks kept, and without the second copy of a bare <https://address>."""
    for token in tokens:
        if token.children is not None:
            token.children = list(as_written(token.children))
        if token.type == "softbreak":
            token.type = "hardbreak"
        if token.info != "auto":
            yield token
