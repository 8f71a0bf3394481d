"""Personal data and secrets in examples. A model repeats what it was trained on.

What was found is never repeated: a finding says the kind and the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.datasets.checks import Choice
from bot.datasets.examples import rewritten, strings
from bot.datasets.faults import Places
from bot.datasets.findings import Finding, Level, Remedy, Row, Weight, many

# Domains that were set aside for examples: RFC 2606 and 6761.
_EXAMPLE_DOMAIN = re.compile(
    r"[@.](example(\.(com|net|org))?|test|invalid|localhost)$", re.IGNORECASE
)
# How the numbers of the large card issuers begin, and how many digits they have.
_CARD = re.compile(
    r"4(\d{12}|\d{15}|\d{18})|(5[1-5]|2[2-7]\d)\d{13,14}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}"
    r"|6(011|5\d\d)\d{12}|35\d{14}|62\d{14,17}"
)


def is_card_number(text: str) -> bool:
    """Whether digits, perhaps in groups, are a card's: an issuer's beginning and the Luhn sum."""
    digits = re.sub(r"[ -]", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(d - 9 * (d > 9) for d in doubled)) % 10 == 0


def is_address(text: str) -> bool:
    """Whether an e-mail address may be somebody's."""
    return not _EXAMPLE_DOMAIN.search(text)


def _any(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that should not be learnt.

    A text without any of `hints`, in lower case, is not searched at all: most have none, and this
    is quick. `bot.datasets.suspects` must know them too.
    """

    name: str
    plural: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    weight: Weight = Weight.RECOMMENDED
    is_one: Callable[[str], bool] = _any

    @property
    def remedy(self) -> Remedy:
        """To put the kind's name in place of each."""
        key = f"mask-{self.name.lower().replace(' ', '-')}"
        return Remedy(key, f"Replace {self.plural} by {self.mask}", self.weight)

    @property
    def mask(self) -> str:
        """What stands in place of one."""
        return f"[{self.name}]"

    def is_in(self, text: str, lower: str) -> bool:
        """Whether one is in a text, which is given in lower case too."""
        if self.hints and not any(hint in lower for hint in self.hints):
            return False
        return any(self.is_one(match[0]) for match in self.pattern.finditer(text))

    def masked(self, text: str) -> str:
        """The text with all of them replaced."""
        return self.pattern.sub(lambda m: self.mask if self.is_one(m[0]) else m[0], text)


# Patterns begin with what is rare, and look behind it after that: twice as quick.
KINDS = (
    Kind(
        "private key",
        "private keys",
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY( BLOCK)?-----"
            r"(?:(?!-----BEGIN)[\s\S])*?(?:-----END [A-Z ]{0,30}PRIVATE KEY( BLOCK)?-----|\Z)"
        ),
    ),
    Kind(
        "API key",
        "API keys",
        (
            *("sk-", "k_live_", "xox", "xapp-", "akia", "asia", "glpat-", "hf_", "aiza"),
            *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        ),
        # In any case, where lower case keeps the shape: texts may be put in lower case later.
        re.compile(
            r"(?<![A-Za-z0-9])(?:(?ai:sk-[a-z0-9_-]{20,}|[rs]k_live_[a-z0-9]{20,}"
            r"|xox[a-z](?:\.xox[a-z])?-[a-z0-9-]{10,}|xapp-[a-z0-9-]{20,}"
            r"|gh[pousr]_[a-z0-9]{36,}|github_pat_[a-z0-9_]{22,}"
            r"|glpat-[a-z0-9_-]{20,}|hf_[a-z0-9]{30,})"
            r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{35})"
        ),
    ),
    Kind(
        "bot token",
        "Telegram bot tokens",
        (":",),
        re.compile(r"[0-9](?<![A-Za-z0-9].)[0-9]{7,9}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ),
    Kind(
        "card number",
        "card numbers",
        (),
        re.compile(r"(?a)\d(?<![\d.]\d)(?<!\d[ -]\d)(?:[ -]?\d){12,18}(?![ -]?\d)"),
        is_one=is_card_number,
    ),
    Kind(
        "e-mail address",
        "e-mail addresses",
        ("@",),
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
        weight=Weight.OFFERED,  # a company's own address is often part of a good answer
        is_one=is_address,
    ),
)


class PersonalData:
    """Texts that look like personal data or secrets, at any depth of an example."""

    def __init__(self, choice: Choice) -> None:
        self._places = {kind: Places() for kind in KINDS}
        self._masks = [kind for kind in KINDS if choice.takes(kind.remedy)]

    def see(self, row: Row) -> Row:
        """The next example, with what was found replaced if that is chosen."""
        if not row.is_suspect:
            return row
        found: set[str] = set()
        for _ in KINDS:  # behind one that is masked another may come to light
            kinds = kinds_in(row.fields)
            for kind in kinds:
                if kind.name not in found:
                    self._places[kind].add(row.line)
                    found.add(kind.name)
            masks = [kind for kind in self._masks if kind in kinds]
            if not masks:
                break
            row = row._replace(fields=_masked(row.fields, masks))
        return row

    def findings(self) -> Sequence[Finding]:
        """A finding for each kind that was seen."""
        return [
            Finding(
                kind.remedy.key.replace("mask", "personal"),
                Level.WARNING,
                f"In {many(places.count)} there is what looks like "
                f"{'an' if kind.name[0] in 'Ae' else 'a'} {kind.name}; a trained model may repeat "
                f"it to anybody.",
                tuple(places.lines),
                places.count,
                replace(kind.remedy, says=f"{kind.remedy.says} in {many(places.count)}"),
            )
            for kind, places in self._places.items()
            if places.count
        ]


def kinds_in(fields: dict[str, Any]) -> list[Kind]:
    """What stands in the texts of an example."""
    text = "\n\n".join(strings(fields))  # no pattern reaches over this but that of blocks
    lower = text.lower()
    return [kind for kind in KINDS if kind.is_in(text, lower)]


def masked(text: str, kinds: Sequence[Kind] = KINDS) -> str:
    """A text with everything of these kinds replaced; also what comes to light behind another."""
    before = None
    while text != before:
        before = text
        for kind in kinds:
            text = kind.masked(text)
    return text


def _masked(fields: dict[str, Any], kinds: Sequence[Kind]) -> dict[str, Any]:
    return rewritten(fields, lambda text: masked(text, kinds))
