"""What is said of training data, as a card with a button for each change. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.datasets.examples import Format
from bot.datasets.findings import MOST_LINES, Finding, Level, Remedy, Weight
from bot.datasets.preparation import Report
from bot.messages import Button, Card
from bot.store.datasets import Draft
from bot.training import Dataset
from bot.tuning.quoting import quoted

MARKS = {Level.ERROR: "❌", Level.WARNING: "⚠️", Level.NOTE: "·"}
FORMATS = {
    Format.COMPLETIONS: "prompts with completions",
    Format.CHAT: "chat examples",
    Format.PREFERENCE: "preferences",
    Format.REINFORCEMENT: "questions to be graded",
}
KINDS = {
    "completion": "prompts with completions",
    "chat": "chat examples",
    "preference": "preferences",
    "reinforcement": "questions to be graded",
}
MOST_FINDINGS = 30  # of a card; a file with more has one of them again and again
MOST_BUTTONS = 12


def report_card(draft: Draft, report: Report) -> Card:
    """The findings on a file, and what can be done about them."""
    lines = [f"**{quoted(draft.name)}**: {overview(report)}", ""]
    lines += [finding_line(finding, report) for finding in report.findings[:MOST_FINDINGS]]
    if len(report.findings) > MOST_FINDINGS:
        lines.append(f"… and {len(report.findings) - MOST_FINDINGS} more findings.")
    if report.obstacles:
        lines += ["", "It cannot be trained from as it is: mend the file and send it again."]
        return Card("\n".join(lines), failed=True)
    return Card("\n".join(lines), buttons=buttons(draft, report))


def overview(report: Report) -> str:
    """The file in a sentence."""
    kept = f", {report.kept:,} of them stay" if report.kept != report.rows else ""
    task = f", {report.task.value}" if report.task else ""
    return f"{report.rows:,} {FORMATS[report.format]}{kept}{task}."


def finding_line(finding: Finding, report: Report) -> str:
    """A finding, where it is, and the change that it leads to."""
    places = f" ({finding_places(finding)})" if finding.lines else ""
    line = f"{MARKS[finding.level]} {finding.says}{places}"
    if remedy := finding.remedy:
        does = "will be done" if report.choice.takes(remedy) else "left as it is"
        line += f" → *{remedy.says}*: {does}"
    return f"- {line}"


def finding_places(finding: Finding) -> str:
    """The lines of a finding, of many only the first."""
    lines = ", ".join(f"{line:,}" for line in finding.lines)
    more = " …" if finding.count > len(finding.lines) >= MOST_LINES else ""
    return f"{'line' if len(finding.lines) == 1 else 'lines'} {lines}{more}"


def buttons(draft: Draft, report: Report) -> tuple[Button, ...]:
    """All recommended changes first, or those chosen; then one for each change, and a way out."""
    says = f"/finetune prepare {draft.id}"
    apply = "Apply all recommended" if draft.chosen is None else "Apply these changes"
    toggles = [
        Button(toggle_label(remedy, report), f"{says} {toggle_sign(remedy, report)}{remedy.key}")
        for remedy in optional(report.findings)
    ]
    return (
        Button(apply if optional(report.findings) else "Make the dataset", f"{says} write"),
        *toggles[:MOST_BUTTONS],
        Button("Cancel", f"{says} drop"),
    )


def optional(findings: Sequence[Finding]) -> list[Remedy]:
    """The changes that may be declined, each once."""
    remedies = (finding.remedy for finding in findings)
    return [
        remedy
        for remedy in dict.fromkeys(remedies)
        if remedy and remedy.weight is not Weight.NECESSARY
    ]


def toggle_label(remedy: Remedy, report: Report) -> str:
    """What pressing a change's button does."""
    return f"Not: {remedy.says}" if report.choice.takes(remedy) else f"Also: {remedy.says}"


def toggle_sign(remedy: Remedy, report: Report) -> str:
    """A minus takes a change out, a plus takes it in."""
    return "-" if report.choice.takes(remedy) else "+"


def toggled(report: Report, change: str) -> frozenset[str]:
    """The changes that are chosen once one was taken in or out: "+drop-long", "-add-space"."""
    chosen = {each.key for each in optional(report.findings) if report.choice.takes(each)}
    sign, key = change[:1], change[1:]
    return frozenset(chosen | {key} if sign == "+" else chosen - {key})


def dataset_text(dataset: Dataset) -> str:
    """A dataset, and how to go on with it."""
    held_back = (
        f", {dataset.validation_examples:,} more for validation"
        if dataset.validation_examples
        else ""
    )
    lines = [
        f"**{quoted(dataset.name)}** is ready: {dataset.examples:,} {KINDS[dataset.kind]}"
        f"{held_back}{f', {dataset.tokens:,} tokens' if dataset.tokens else ''}.",
    ]
    if dataset.kind == "completion":
        lines.append(f"- Every prompt ends with {code(dataset.separator)}.")
        lines.append(f"- Every completion ends with {code(dataset.stop)}: the model stops there.")
    if dataset.labels:
        shown = ", ".join(code(label) for label in dataset.labels[:10])
        lines.append(f"- {len(dataset.labels):,} classes: {shown}")
    graded = " --grader equals:FIELD" if dataset.kind == "reinforcement" else ""
    lines.append(f"\n`/finetune start {dataset.name} MODEL{graded}` trains a model from it.")
    return "\n".join(lines)


def code(text: str) -> str:
    """A text as it stands in the file, with its blanks to be seen."""
    written = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return f"`{written.replace('`', chr(39))}`" if text else "nothing"
