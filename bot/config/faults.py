"""What is wrong with a configuration, in sentences that name the key and the remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.sections import Access, Config, Defaults, Tuning
from bot.messages import Price, Profile, Provider


def sentence(error: ValidationError, path: Path | None, above: str = "") -> str:
    """The first fault that pydantic found, as one line that names the key and the remedy."""
    fault = error.errors()[0]
    key = above + ".".join(str(part) for part in fault["loc"] if part != "[key]")
    others = len(error.errors()) - 1
    more = f" ({others} more to mend)" if others else ""
    place = f"{path}: " if path else ""
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{place}{key}: no such key; {nearest_key(str(fault['loc'][-1]))}{more}."
    if fault["type"] in ("missing", "missing_argument"):
        return f"{place}{key}: this key is required; config.example.toml shows it{more}."
    rule = fault["msg"][0].lower() + fault["msg"][1:]
    for ours, theirs in RULES.items():
        rule = re.sub(theirs, ours, rule)
    value = repr(fault["input"])
    value = value if len(value) <= 60 else f"{value[:57]}…"
    return f"{place}{key}: {rule}, not {value}{more}."


# pydantic speaks of Python's types, people who write TOML of its own.
RULES = {
    "a list": r"a valid tuple|a valid list",
    "a table": r"a valid dictionary|a dictionary or an instance of \w+",
    "text": r"a valid string",
    "a whole number": r"a valid integer(, unable to parse.*)?",
    "a number": r"a valid number(, unable to parse.*)?",
    "true or false": r"a valid boolean(, unable to interpret.*)?",
}


def nearest_key(name: str) -> str:
    """What was probably meant by a key that does not exist."""
    if name in ("api_key", "token", "key", "secret"):
        return "secrets come from the environment: api_key_env names the variable"
    sections = (Config, Defaults, Access, Tuning)
    known = {name for section in sections for name in section.model_fields}
    known |= {field.name for kind in (Provider, Profile, Price) for field in fields(kind)}
    nearest = get_close_matches(name, known - {"name"}, n=1)
    return f"did you mean {nearest[0]!r}" if nearest else "config.example.toml lists them all"


def unknown(name: str, known: Mapping[str, Any], what: str) -> str:
    """A sentence about a name that is not there, with the nearest that is."""
    nearest = get_close_matches(name, known, n=1)
    remedy = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(known) or 'none'}."
    return f"no {what} named {name!r}; {remedy}"
