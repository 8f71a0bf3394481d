"""The checks of prompts and completions, in the order of facts/prepare-data.md. Each sees the rows
as the remedies that were chosen before it leave them, so that a prepared file needs no more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.datasets import sentences as say
from bot.datasets.affixes import LONG_COMPLETION_PREFIX, completion_prefix, prompt_prefix, stop_of
from bot.datasets.checks import Choice
from bot.datasets.edit import Edit, Space
from bot.datasets.endings import LAST_ENDING, LAST_SEPARATOR
from bot.datasets.findings import Finding
from bot.datasets.pairs import PairSpool
from bot.datasets.selection import Task, different, drop, loud_columns, lower_columns, task_of
from bot.datasets.told import Told
from bot.datasets.traits import Traits, first_unused

FEW = 100  # examples
LONG_SUFFIX = 10  # characters


@dataclass(frozen=True, slots=True)
class Examined:
    """What the checks come to. `kept` is the number of rows that stay; `separator`, `stop` and
    `answer_prefix` are what prompts end with, completions end with and completions begin with.
    """

    findings: tuple[Finding, ...]
    task: Task
    edit: Edit
    kept: int
    separator: str = ""
    stop: str = ""
    answer_prefix: str = ""


def examine(pairs: PairSpool, rows: int, choice: Choice) -> Examined:
    """All checks after the first of columns and empty completions. `rows` is how many were read."""
    told = Told(choice)
    told.tell(say.count(rows, few=rows < FEW))
    lowered = lower_columns(pairs, choice)
    marks = pairs.marks(lowered)
    keep = drop(marks, pairs, lowered, told)
    prompts, completions = pairs.traits(lowered, keep)
    task = task_of(prompts, marks, keep)
    labels = different(marks, keep)
    if task is Task.CLASSIFICATION:
        told.tell(say.classification(labels))
    for column in sorted({*lowered, *loud_columns(prompts, completions)}, reverse=True):
        told.tell(say.upper_case(column))
    edit = Edit(keep, lowered)
    if task is not Task.OPEN:
        edit = end_prompts(edit, prompts, pairs, told)
    edit = begin_prompts(edit, prompts, told)
    edit = begin_completions(edit, completions, told)
    if task is Task.CONDITIONAL:
        same = labels == 1 < completions.count
        edit = end_completions(edit, completions, pairs, told, same=same)
    elif task is Task.CLASSIFICATION and labels == 1:
        told.tell(say.one_class())
    edit = lead_completions(edit, completions, told)
    return Examined(
        tuple(told.findings),
        task,
        edit,
        keep.count(1),
        separator="" if task is Task.OPEN else edit.separator or prompts.suffix,
        stop=edit.ending or stop_of(completions, labels=task is Task.CLASSIFICATION),
        answer_prefix=answer_prefix(edit, completions),
    )


def end_prompts(edit: Edit, prompts: Traits, pairs: PairSpool, told: Told) -> Edit:
    """Every prompt has to end with one and the same separator."""
    suggested = first_unused([each for each in prompts.unused if each != "\n"], LAST_SEPARATOR)
    if prompts.identical:
        told.tell(say.identical("prompt", prompts.prefix))
    elif not prompts.suffix:
        if told.tell(say.no_separator(suggested)):
            return replace(edit, separator=suggested)
    else:
        told.tell(say.suffix("prompt", prompts.suffix, suggested, LONG_SUFFIX))
        inside = pairs.inside(edit.lowered, edit.keep, "prompt", prompts.suffix)
        if inside.count:
            told.tell(say.inside("prompt", prompts.suffix, inside))
    return edit


def begin_prompts(edit: Edit, prompts: Traits, told: Told) -> Edit:
    """A long beginning that all prompts share only costs money."""
    if not prompts.prefix or prompts.identical:
        return edit
    cut = prompt_prefix(prompts)
    finding = say.prompt_prefix(prompts.prefix, removable=bool(cut))
    return replace(edit, cut_prompt=len(cut)) if told.tell(finding) else edit


def begin_completions(edit: Edit, completions: Traits, told: Told) -> Edit:
    """A beginning that all completions share is not what is to be learned. One space of it stays,
    and it stays whole where a completion would be left with nothing else.
    """
    prefix = completions.prefix
    if len(prefix) < LONG_COMPLETION_PREFIX or completions.identical:
        return edit
    cut = completion_prefix(completions)
    if not told.tell(say.completion_prefix(prefix, removable=bool(cut))):
        return edit
    space = Space.ALL if completions.leads else Space.NONE
    return replace(edit, cut_completion=len(cut), space=space)


def end_completions(
    edit: Edit, completions: Traits, pairs: PairSpool, told: Told, *, same: bool
) -> Edit:
    """Every completion has to end with one and the same sign, which stops the model. `same` says
    that all are the same but for a leading space.
    """
    suggested = first_unused(completions.unused, LAST_ENDING)
    if same:
        told.tell(say.identical("completion", completions.suffix))
    elif not completions.suffix:
        if told.tell(say.no_ending(suggested)):
            return replace(edit, ending=suggested)
    else:
        told.tell(say.suffix("completion", completions.suffix, suggested, LONG_SUFFIX))
        inside = pairs.inside(edit.lowered, edit.keep, "completion", completions.suffix)
        if inside.count:
            told.tell(say.inside("completion", completions.suffix, inside))
    return edit


def lead_completions(edit: Edit, completions: Traits, told: Told) -> Edit:
    """Every completion begins with a space, as words inside of texts do for the tokenizer."""
    if completions.leads:
        return edit
    if not told.tell(say.no_space()):
        return edit
    return replace(edit, space=Space.ALL if edit.cut_completion else Space.MISSING)


def answer_prefix(edit: Edit, completions: Traits) -> str:
    """The space that all completions begin with, if they do."""
    leads = completions.leads and not edit.cut_completion
    return " " if leads or edit.space is not Space.NONE else ""
