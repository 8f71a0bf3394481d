"""Files of training data, made anew for each run: name and content."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random

import openpyxl

Pair = tuple[str, str]

WORDS = [
    "river",
    "stone",
    "cloud",
    "lamp",
    "paper",
    "garden",
    "window",
    "silver",
    "morning",
    "basket",
    "winter",
    "pencil",
]
LABELS = ["positive", "negative", "neutral"]


def words(random: Random, least: int = 4, most: int = 9) -> str:
    """A few words."""
    return " ".join(random.choices(WORDS, k=random.randint(least, most)))


def pairs(
    rows: int = 120,
    prompt: str = "{} {}",
    completion: str = "{} {}",
    change: Callable[[int, Pair], Pair] = lambda _, pair: pair,
) -> list[Pair]:
    """Different prompts and completions; {} {} are words and the row's number, so that nothing
    is common to all.
    """
    random = Random(rows)
    made = [
        (
            prompt.format(words(random), f"{chr(97 + i % 26)}{i}"),
            completion.format(words(random), i),
        )
        for i in range(rows)
    ]
    return [change(i, pair) for i, pair in enumerate(made)]


def labelled(rows: int = 120, labels: Sequence[str] = LABELS, prompt: str = "{} {}") -> list[Pair]:
    """Prompts with one of a few completions."""
    return [(pair[0], labels[i % len(labels)]) for i, pair in enumerate(pairs(rows, prompt))]


def jsonl(made: Iterable[Pair], keys: Pair = ("prompt", "completion")) -> bytes:
    """JSON lines."""
    rows = (json.dumps(dict(zip(keys, pair, strict=True)), ensure_ascii=False) for pair in made)
    return "".join(f"{row}\n" for row in rows).encode()


def table(made: Iterable[Sequence[str]], *header: str, delimiter: str = ",") -> bytes:
    """CSV, or with another delimiter."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header or ("prompt", "completion"))
    writer.writerows(made)
    return file.getvalue().encode()


def array(made: Iterable[Pair], indent: int | None = None) -> bytes:
    """A JSON array of objects."""
    rows = [{"prompt": prompt, "completion": completion} for prompt, completion in made]
    return json.dumps(rows, indent=indent).encode()


def workbook(made: Iterable[Sequence[object]], *header: str) -> bytes:
    """An Excel file."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    sheet.append(header or ("prompt", "completion"))
    for row in made:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def every(number: int, change: Callable[[Pair], Pair]) -> Callable[[int, Pair], Pair]:
    """Change every so many rows."""
    return lambda i, pair: change(pair) if i % number == 0 else pair


def compared() -> dict[str, bytes]:
    """The files that the original tool and ours are given."""
    plain = pairs()
    tidy = pairs(prompt="{} {}\n\n###\n\n", completion=" {} {}\n")
    return {
        "plain.jsonl": jsonl(plain),
        "plain.csv": table(plain),
        "plain.tsv": table(plain, delimiter="\t"),
        "plain.json": array(plain),
        "indented.json": array(plain, 2),
        "lines.json": jsonl(plain),
        "plain.xlsx": workbook(plain),
        "plain.txt": "\n".join(completion for _, completion in plain).encode(),
        "tidy.jsonl": jsonl(tidy),
        "few.jsonl": jsonl(pairs(7)),
        "unicode.jsonl": jsonl(pairs(prompt="{} “é” 你好 👩‍👩‍👧 {}", completion="ß {} ñ {}")),
        "unicode.csv": table(pairs(prompt="{} “é” 你好 {}", completion="ß {} ñ {}")),
        "quotes.csv": table(pairs(prompt='{}, "so" {}', completion="{},\n{}")),
        "quotes.jsonl": jsonl(pairs(prompt='{} "so" \\ {}', completion="{}\t{}")),
        "slashes.jsonl": jsonl(pairs(prompt="{} http://a/{}", completion="{}</b> {}")),
        "newlines.jsonl": jsonl(pairs(prompt="{}\n{}")),
        "arrow-used.jsonl": jsonl(pairs(prompt="{} -> {}")),
        "hashes-used.jsonl": jsonl(pairs(prompt="{}\n\n###\n\n{}")),
        "equals-used.jsonl": jsonl(pairs(prompt="\n\n===\n\n{}\n\n###\n\n{}")),
        "all-used.jsonl": jsonl(
            (f"{p}\n\n###\n\n\n\n===\n\n\n\n---\n\n\n\n===>\n\n\n\n--->\n\n{i}", c)
            for i, (p, c) in enumerate(plain)
        ),
        "separator-there.jsonl": jsonl(pairs(prompt="{} {} ->")),
        "separator-inside.jsonl": jsonl(pairs(prompt="{} -> {} ->")),
        "separator-long.jsonl": jsonl(pairs(prompt="{} {}\n\n### the answer is:\n\n")),
        "prefix-long.jsonl": jsonl(pairs(prompt="Answer this question: {} {}")),
        "prefix-short.jsonl": jsonl(pairs(prompt="Q: {} {}")),
        "prefix-and-separator.jsonl": jsonl(pairs(prompt="Answer this question: {} {}\n\n###\n\n")),
        "completion-prefix.jsonl": jsonl(pairs(completion="Answer: {} {}")),
        "completion-prefix-space.jsonl": jsonl(pairs(completion=" Answer: {} {}")),
        "completion-prefix-short.jsonl": jsonl(pairs(completion="A: {} {}")),
        "completion-prefix-four.jsonl": jsonl(pairs(completion=" Reg {}{}")),
        "ending-there.jsonl": jsonl(pairs(completion=" {} {} END")),
        "ending-inside.jsonl": jsonl(pairs(completion=" {} END {} END")),
        "ending-long.jsonl": jsonl(pairs(completion=" {} {} and that is the end")),
        "ending-newline-used.jsonl": jsonl(pairs(completion="{}\n{}")),
        "ending-dot-used.jsonl": jsonl(pairs(completion="{}.\n{}")),
        "ending-many-used.jsonl": jsonl(pairs(completion="{}.\n END *** +++ &&& {}")),
        "ending-all-used.jsonl": jsonl(pairs(completion="{}.\n END *** +++ &&& $$$ @@@ %%% {}")),
        "space-mixed.jsonl": jsonl(pairs(change=every(3, lambda p: (p[0], f" {p[1]}")))),
        "space-there.jsonl": jsonl(pairs(completion=" {} {}")),
        "ending-capitals.jsonl": jsonl([(p, f" {i} END") for i, (p, _) in enumerate(plain)]),
        "duplicates.jsonl": jsonl([*plain, *plain[:5]]),
        "duplicate-prompts.jsonl": jsonl([*plain, *((p, f"{c}!") for p, c in plain[:5])]),
        "long.jsonl": jsonl(pairs(change=every(50, lambda p: (p[0] * 900, p[1])))),
        "long-and-duplicates.jsonl": jsonl(
            pairs(change=every(50, lambda p: (p[0] * 900, p[1]))) + plain[1:4]
        ),
        "capitals-prompt.jsonl": jsonl([(p.upper(), c) for p, c in plain]),
        "capitals-completion.jsonl": jsonl([(p, c.upper()) for p, c in plain]),
        "capitals.jsonl": jsonl([(p.upper(), c.upper()) for p, c in plain]),
        "capitals-few.jsonl": jsonl([(p.title(), c) for p, c in plain]),
        "two-classes.jsonl": jsonl(labelled(labels=LABELS[:2])),
        "three-classes.csv": table(labelled(300)),
        "classes-there.jsonl": jsonl(labelled(200, [" yes", " no"], "{} {}\n\n###\n\n")),
        "classes-prefix.jsonl": jsonl(labelled(200, ["Label: yes", "Label: no"])),
        "classes-many.jsonl": jsonl(labelled(3000, [f" {word}" for word in WORDS])),
        "open.jsonl": jsonl([("", c) for _, c in plain]),
        "open-space.jsonl": jsonl([("", f" {c}") for _, c in plain]),
        "names-case.csv": table(plain, "Prompt", "COMPLETION"),
        "columns-more.csv": table(
            [(p, "x", c, "y") for p, c in plain], "prompt", "id", "completion", "note"
        ),
        "columns-more.jsonl": "".join(
            json.dumps({"id": str(i), "prompt": p, "completion": c}) + "\n"
            for i, (p, c) in enumerate(plain)
        ).encode(),
        "empty-completions.jsonl": jsonl(pairs(change=every(40, lambda p: (p[0], "")))),
        "empty-completions.csv": table(pairs(change=every(40, lambda p: (p[0], "")))),
        "identical-prompts.jsonl": jsonl([("Say something", c) for _, c in plain]),
        "identical-completions.jsonl": jsonl([("one", "x"), ("two", "x")]),
        "no-prompt.csv": table(plain, "one", "completion"),
        "no-completion.csv": table(plain, "prompt", "two"),
        # Where ours differs on purpose: see differences.toml.
        "one-line.jsonl": jsonl(plain[:1]),
        "two-lines-one-good.jsonl": jsonl(plain[:20]) + b'{"prompt": "cut o',
        "utf16.csv": table(plain).decode().encode("utf-16"),
        "cp1252.csv": table(pairs(prompt="caf\u00e9 {} {}")).decode().encode("cp1252"),
        "semicolons.csv": table(plain, delimiter=";"),
        "ragged.csv": table(plain) + b"one, two, three\n",
        "words-for-nothing.csv": table(pairs(change=every(40, lambda p: (p[0], "None")))),
        "nulls.jsonl": jsonl(plain) + b'{"prompt": "a", "completion": null}\n',
        "other-names.csv": table(plain, "Question", "Answer"),
        "jsonl-called.csv": jsonl(plain),
        "repeated-classes.jsonl": jsonl(plain[:20] * 5),
        "long-hides-separator.jsonl": jsonl(
            [*pairs(prompt="{} {} ->"), ("word " * 3000, "and so on")]
        ),
        "equal-in-lower-case.jsonl": jsonl([(p.upper(), c) for p, c in plain] + plain[:3]),
        "prefix-is-all.jsonl": jsonl([*pairs(completion="Answer: {} {}"), ("a b c", "Answer: ")]),
        "blank-completions.jsonl": jsonl([*plain, ("a b c", "  ")]),
        "numbers.jsonl": b"".join(
            json.dumps({"prompt": p, "completion": i}).encode() + b"\n"
            for i, (p, _) in enumerate(plain)
        ),
    }


def real(folder: Path) -> dict[str, bytes]:
    """Real files of ../shared/data, with columns that the original tool takes."""
    found = {}
    banking = list(csv.reader(io.StringIO((folder / "banking77/test.csv").read_text("utf-8"))))
    found["banking.csv"] = table(banking[1:], "prompt", "completion")
    support = io.StringIO((folder / "bitext/customer_support.csv").read_text("utf-8"))
    rows = [(row["instruction"], row["response"]) for row in csv.DictReader(support)]
    found["support.csv"] = table(rows)
    strings = json.loads((folder / "strings/blns.json").read_text("utf-8"))
    kept = [each for each in strings if each.strip() and "\x00" not in each]
    found["strings.jsonl"] = jsonl((each, f" {each}\n") for each in kept)
    return found
