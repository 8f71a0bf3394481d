"""What HTML of a model may hold, checked by a parser that has nothing to do with the page's own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

Rules = dict[str, set[str] | None]

TAGS = {
    "a", "blockquote", "br", "button", "code", "del", "div", "em", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
}  # fmt: skip
VOID = {"br", "hr"}
ATTRIBUTES: Rules = {"aria-label": None, "class": None, "role": {"group"}, "tabindex": {"0"}}
OF_TAG: dict[str, Rules] = {
    "a": {"rel": {"noopener noreferrer nofollow"}, "target": {"_blank"}, "href": None},
    "button": {"type": {"button"}},
    "ol": {"start": None},
}
CLASS = re.compile("[a-z0-9]{1,7}")
TARGET = re.compile("(https?://|mailto:)", re.IGNORECASE)


class Allowed(HTMLParser):
    """Raises AssertionError at the first thing that may not be there; `text` is what is read."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        rules = {**ATTRIBUTES, **OF_TAG.get(tag, {})}
        assert len(dict(attrs)) == len(attrs)
        for name, value in attrs:
            assert name in rules, (tag, name)
            among = rules[name]
            assert among is None or value in among, (tag, name, value)
        given = dict(attrs)
        assert all(CLASS.fullmatch(each) for each in (given.get("class") or "").split())
        if tag == "a":
            assert set(OF_TAG["a"]) <= set(given)
            assert TARGET.match(given["href"] or ""), given["href"]
            assert "a" not in self._open
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")
