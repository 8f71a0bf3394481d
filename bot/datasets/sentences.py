"""What is said about prompts and completions: one function a finding, with its remedy."""

from __future__ import annotations

from bot.datasets.findings import Finding, Level, Remedy, Weight, many
from bot.datasets.pairs import Column, Places
from bot.datasets.personal import masked

MOST_SHOWN = 60  # characters of somebody's text in a sentence


def count(rows: int, *, few: bool) -> Finding:
    """Check 1."""
    says = f"The file has {many(rows, 'example')}."
    if few:
        says += " A few hundred is the least that is advised; each doubling makes a better model."
    return Finding("count", Level.NOTE, says)


def empty(found: int, lines: tuple[int, ...]) -> Finding:
    """Check 5."""
    says = f"{many(found, 'completion')} with nothing in it: there is nothing to learn from it."
    remedy = Remedy(
        "drop-empty", f"Remove {many(found, 'row')} without completion", Weight.NECESSARY
    )
    return Finding("empty-completion", Level.WARNING, says, lines, found, remedy)


def classification(labels: int) -> Finding:
    """Check 6."""
    says = (
        f"This looks like a classification into {many(labels, 'class', 'classes')}. A small model "
        "is often enough for that; rows held back for validation show how well it does."
    )
    return Finding("task", Level.NOTE, says)


def one_class() -> Finding:
    """Check 6, where there is nothing to decide."""
    says = "All completions are the same: add examples of the other classes."
    return Finding("one-class", Level.WARNING, says)


def repeated(places: Places) -> Finding:
    """Check 7."""
    rows = many(places.count, "duplicate row")
    says = f"{rows}: prompt and completion stand in the file before."
    remedy = Remedy("drop-duplicates", f"Remove {rows}")
    return Finding("duplicates", Level.WARNING, says, places.lines, places.count, remedy)


def long(places: Places, found: int) -> Finding:
    """Check 8. `found` leaves out those that are removed already."""
    rows = many(found, "row")
    says = f"{rows} over 10,000 characters, about 2,000 tokens: models for completions cut it off."
    remedy = Remedy("drop-long", f"Remove {many(found, 'long row')}")
    return Finding("long", Level.WARNING, says, places.lines, found, remedy)


def upper_case(column: Column | str) -> Finding:
    """Checks 9 and 10."""
    says = f"Over a third of the letters in the {column}s are capitals, which models read worse."
    remedy = Remedy(f"lower-{column}", f"Put all {column}s in lower case")
    return Finding(f"upper-case-{column}", Level.WARNING, says, remedy=remedy)


def identical(column: Column, text: str) -> Finding:
    """Checks 11 and 14."""
    says = f"All {column}s are the same, {shown(text)}: "
    if column == "prompt":
        says += "make them different, or empty for a model that writes without being asked."
    else:
        says += "a model could only repeat it. Add examples with other completions."
    return Finding(f"identical-{column}s", Level.ERROR, says)


def no_separator(suggested: str) -> Finding:
    """Check 11."""
    says = (
        "The prompts do not end with one and the same separator, which tells the model where its "
        "completion begins."
    )
    remedy = Remedy("add-separator", f"Add the separator {shown(suggested)} to all prompts")
    return Finding("separator", Level.WARNING, says, remedy=remedy)


def no_ending(suggested: str) -> Finding:
    """Check 14."""
    says = (
        "The completions do not end with one and the same ending, which tells the model where to "
        "stop."
    )
    remedy = Remedy("add-ending", f"Add the ending {shown(suggested)} to all completions")
    return Finding("ending", Level.WARNING, says, remedy=remedy)


def suffix(column: Column, common: str, suggested: str, most: int) -> Finding:
    """Checks 11 and 14, where there is one."""
    says = f"All {column}s end with {shown(common)}."
    level = Level.NOTE
    if len(common) > most:
        level = Level.WARNING
        says += f" That is long; a shorter one such as {shown(suggested)} costs less."
    return Finding("separator" if column == "prompt" else "ending", level, says)


def inside(column: Column, common: str, places: Places) -> Finding:
    """Checks 11 and 14, where it stands elsewhere too."""
    name = "separator" if column == "prompt" else "ending"
    says = (
        f"{many(places.count, column)} with {shown(common)} before the end too: the model cannot "
        f"tell it from the {name}. Choose one that is nowhere else."
    )
    return Finding(f"{name}-inside", Level.WARNING, says, places.lines, places.count)


def prompt_prefix(common: str, *, removable: bool) -> Finding:
    """Check 12."""
    says = f"All prompts begin with {shown(common)}."
    if not removable:
        return Finding("prompt-prefix", Level.NOTE, says)
    says += " A fine-tuned model needs no instruction; it only costs tokens."
    remedy = Remedy("cut-prompt-prefix", f"Remove {shown(common)} from all prompts")
    return Finding("prompt-prefix", Level.WARNING, says, remedy=remedy)


def completion_prefix(common: str, *, removable: bool) -> Finding:
    """Check 13."""
    says = f"All completions begin with {shown(common)}."
    if not removable:
        says += " One of them has nothing else, so that it stays."
        return Finding("completion-prefix", Level.NOTE, says)
    says += " Only what differs is worth learning."
    remedy = Remedy("cut-completion-prefix", f"Remove {shown(common)} from all completions")
    return Finding("completion-prefix", Level.WARNING, says, remedy=remedy)


def no_space() -> Finding:
    """Check 15."""
    says = "Not all completions begin with a space, as words inside of a text do for the tokenizer."
    remedy = Remedy("add-space", "Add a space at the beginning of the completions")
    return Finding("leading-space", Level.WARNING, says, remedy=remedy)


def split(train: int, valid: int, weight: Weight) -> Finding:
    """The offer after the checks."""
    says = "Rows held back for validation show how well the model does on what it has not seen."
    rows = f"{train:,} rows for training and {valid:,} for validation"
    return Finding("split", Level.NOTE, says, remedy=Remedy("split", f"Split into {rows}", weight))


def shown(text: str) -> str:
    """Somebody's text in a sentence, with its line breaks visible."""
    text = masked(text)  # what all texts begin with may be a key
    more = "…" if len(text) > MOST_SHOWN else ""
    return f"`{''.join(map(visible, text[:MOST_SHOWN]))}{more}`"


def visible(letter: str) -> str:
    """A character that stays on its line and does not end the code in which it is shown."""
    if letter in _VISIBLE:
        return _VISIBLE[letter]
    return letter if letter.isprintable() else "�"


_VISIBLE = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "`": "'"}
