"""What prompts and completions may end with: the candidates of facts/prepare-data.md, in order."""

from __future__ import annotations

SEPARATORS = (
    " ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n",
)  # fmt: skip
LAST_SEPARATOR = "\n\n### =>\n\n"
ENDINGS = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%")
LAST_ENDING = " [END]"
_SIGNS = " \t\r\n" + "".join(each for each in ENDINGS if not each.strip().isalpha())
_WORDS = [each for each in (*ENDINGS, LAST_ENDING) if not each.isspace() and each[0] == " "]


def core(completion: str) -> str:
    """A completion without everything at its end that is white space or could be an ending."""
    while True:
        bare = completion.rstrip(_SIGNS)
        for word in _WORDS:
            bare = bare.removesuffix(word)
        if bare == completion:
            return bare
        completion = bare
