"""Which of many texts may hold a secret or a special token: quickly, before the exact look.

Whole batches are searched at once for a few characters that each of them has, at about a gigabyte
a second; what none of them stands in needs no look of its own. `bot.datasets.personal` and
`bot.datasets.general` have the patterns: whatever they find must be suspected here.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

# In lower case, with every digit a 0.
HINTS = (
    *(b"<|", b"<s>", b"</s>", b"inst]", b"sys>>", b"_of_turn>"),
    *(b"sk-", b"k_live_", b"xox", b"xapp-", b"akia", b"asia", b"glpat-", b"hf_", b"aiza"),
    *(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
    *(b"private key", b"00000000:", b"@"),
)
CARD = b"0" * 13  # without the blanks and hyphens that may stand between its digits
_FOLDED = bytes.maketrans(
    (string.ascii_uppercase + string.digits).encode(),
    (string.ascii_lowercase + "0" * 10).encode(),
)
_BETWEEN = b"\xff"  # is in no text: UTF-8 has no such byte


def suspects(texts: Sequence[bytes]) -> bytes:
    """A byte 1 for each text in UTF-8 that needs the exact look, 0 for the others."""
    marks = bytearray(len(texts))
    joined = _BETWEEN.join(texts)
    folded = joined.translate(_FOLDED)
    for hint in HINTS:
        for place in places(folded, hint):
            marks[place] = 1
    for place in places(joined.translate(_FOLDED, b" -"), CARD):
        marks[place] = 1
    return bytes(marks)


def places(joined: bytes, hint: bytes) -> Iterator[int]:
    """The numbers of the joined texts that a hint stands in."""
    # Of the characters that hints end with or begin with many are rare: that is seen at once.
    if hint[-1:] not in joined or hint[:1] not in joined:
        return
    number = begin = 0
    while (at := joined.find(hint, begin)) >= 0:
        number += joined.count(_BETWEEN, begin, at)
        yield number
        begin = joined.find(_BETWEEN, at)
        if begin < 0:
            return
