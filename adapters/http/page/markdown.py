"""What a model writes as HTML that cannot run: every tag and attribute is written here, by us."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from adapters.http.page.highlighting import highlighted

LINK = re.compile(r"(?:https?://[^/?#\s]|mailto:[^\s])", re.IGNORECASE)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # also those written as "&#27;"
TASK = re.compile(r"\[([ xX])\](?=\s)")
HEADINGS = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}
DEEPEST = 60  # nested quotations and lists: the parser calls itself for each
LONGEST_INLINE = 4000  # characters of a paragraph: some marks cost the square of what has them

Tokens = Sequence[Token]
Environment = MutableMapping[str, Any]


class PageRenderer(RendererHTML):
    """Each method writes the tokens of its name; those without attributes are written as such."""

    def heading_open(self, tokens: Tokens, at: int, *_: Any) -> str:
        """Below the page's own headings, which go to the second level."""
        return f"<{HEADINGS[tokens[at].tag]}>"

    def heading_close(self, tokens: Tokens, at: int, *_: Any) -> str:
        """See heading_open."""
        return f"</{HEADINGS[tokens[at].tag]}>"

    def link_open(self, tokens: Tokens, at: int, _: OptionsDict, env: Environment) -> str:
        """A link; one that leads nowhere, or where it may not, is its text."""
        begin = anchor(tokens[at].attrGet("href"))
        env["in link"] = bool(begin)
        return begin

    def link_close(self, _: Tokens, __: int, ___: OptionsDict, env: Environment) -> str:
        """See link_open."""
        return "</a>" if env.pop("in link") else ""

    def image(self, tokens: Tokens, at: int, options: OptionsDict, env: Environment) -> str:
        """A link: to load a picture would tell a stranger who reads."""
        token = tokens[at]
        label = escape(self.renderInlineAsText(token.children or (), options, env) or "picture")
        begin = "" if env.get("in link") else anchor(token.attrGet("src"), "picture")
        return f"{begin}{label}</a>" if begin else label

    def fence(self, tokens: Tokens, at: int, *_: Any) -> str:
        """Code, with its language and a button."""
        language = (tokens[at].info.split() or [""])[0][:30]
        return code(tokens[at].content, language)

    def code_block(self, tokens: Tokens, at: int, *_: Any) -> str:
        """Code without a language."""
        return code(tokens[at].content, "")

    def code_inline(self, tokens: Tokens, at: int, *_: Any) -> str:
        """Code in a line."""
        return f"<code>{escape(tokens[at].content)}</code>"

    def ordered_list_open(self, tokens: Tokens, at: int, *_: Any) -> str:
        """A list, which may begin anywhere."""
        start = tokens[at].attrGet("start")
        return "<ol>" if start is None else f'<ol start="{int(start)}">'

    def table_open(self, *_: Any) -> str:
        """A table, which scrolls by itself where it is too wide."""
        return '<div class="table" tabindex="0" role="group" aria-label="Table"><table>'

    def table_close(self, *_: Any) -> str:
        """See table_open."""
        return "</table></div>"

    def th_open(self, tokens: Tokens, at: int, *_: Any) -> str:
        """A cell of the head; an empty one heads nothing."""
        return f"<{'th' if tokens[at + 1].content else 'td'}{alignment(tokens[at])}>"

    def th_close(self, tokens: Tokens, at: int, *_: Any) -> str:
        """See th_open."""
        return f"</{'th' if tokens[at - 1].content else 'td'}>\n"

    def td_open(self, tokens: Tokens, at: int, *_: Any) -> str:
        """A cell."""
        return f"<td{alignment(tokens[at])}>"


def anchor(url: object, kind: str = "") -> str:
    """What begins a link that tells its target nothing; "" for what is no address elsewhere."""
    if not LINK.match(str(url)):
        return ""
    kind = f' class="{kind}"' if kind else ""
    return f'<a{kind} href="{escape(str(url))}" rel="noopener noreferrer nofollow" target="_blank">'


def code(content: str, language: str) -> str:
    """A block of code. Its box scrolls, and so must be reached by keyboard."""
    label = escape(language or "text")
    return (
        f'<div class="code"><div class="bar"><span>{label}</span>'
        '<button type="button" class="copy">Copy</button></div>'
        f'<pre tabindex="0" role="group" aria-label="Code: {label}">'
        f"<code>{highlighted(content, language)}</code></pre></div>"
    )


def alignment(cell: Token) -> str:
    """A cell's class: a style attribute would be against the page's own policy."""
    side = str(cell.attrGet("style") or "").removeprefix("text-align:")
    return f' class="{side}"' if side in {"center", "right"} else ""


def tick_tasks(state: Any) -> None:
    """Let "[x]" at the start of a list's item be a box."""
    for before, paragraph, token in zip(
        state.tokens, state.tokens[1:], state.tokens[2:], strict=False
    ):
        begins = (before.type, paragraph.type) == ("list_item_open", "paragraph_open")
        if begins and (box := TASK.match(token.content)):
            token.content = "☐☑"[box[1] != " "] + token.content[box.end() :]
            before.attrSet("class", "task")


def take_long(state: StateInline, silent: bool) -> bool:  # noqa: ARG001 - the parser's
    """Leave a text that is too long without marks; nobody writes such a paragraph."""
    if len(state.src) <= LONGEST_INLINE:
        return False
    state.pending += state.src[state.pos :]
    state.pos = state.posMax
    return True


def parser() -> MarkdownIt:
    """CommonMark with tables, struck text and bare links, and nothing that acts at a distance:
    without reference definitions, no text changes what stands before it.
    """
    options = {"html": False, "linkify": True, "maxNesting": DEEPEST}
    markdown = MarkdownIt("commonmark", options, renderer_cls=PageRenderer)
    markdown.enable(["table", "strikethrough", "linkify"])
    markdown.disable(["reference", "html_block", "html_inline"])
    markdown.core.ruler.before("inline", "tick_tasks", tick_tasks)
    markdown.inline.ruler.before("text", "take_long", take_long)
    markdown.validateLink = lambda url: bool(LINK.match(url))  # type: ignore[method-assign]
    if markdown.linkify:
        markdown.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    return markdown


MARKDOWN = parser()


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """The top-level blocks of a text: the line on which each begins, and its HTML, one element."""
    environment: Environment = {}
    tokens = MARKDOWN.parse(text, environment)
    begin = 0
    for at, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            block = tokens[begin : at + 1]
            line = block[0].map[0] if block[0].map else 0
            html = MARKDOWN.renderer.render(block, MARKDOWN.options, environment)
            yield line, CONTROLS.sub("", str(html)).strip()
            begin = at + 1


def rendered(text: str) -> tuple[str, ...]:
    """The HTML of a whole text, block by block."""
    return tuple(html for _, html in blocks(text))
