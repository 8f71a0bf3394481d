"""Graders of reinforcement training: what judges the answers that a model tries out. Pure.

A grader is kept and sent as it was written. It is only looked at, so that what a service would
refuse is said before it is asked: specs/openai.json, GraderStringCheck and its neighbours.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import ErrorDetails, from_json

from bot.datasets.examples import strings
from bot.tuning.quoting import quoted

Grader = dict[str, Any]

ANSWER = "{{sample.output_text}}"
ITEM = re.compile(r"\{\{\s*item\.(\w+)")
SAMPLE = re.compile(r"\{\{\s*sample\.")
FIELD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
HOW = (
    "write equals:FIELD, contains:FIELD or similar:FIELD, or a whole grader as JSON between single "
    "quotes: '{\"type\": …}'."
)
MOST_NAMED = 5  # fields in a sentence
Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(strict=True)]
Metric = Literal[
    "cosine", "fuzzy_match", "bleu", "gleu", "meteor",
    "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
]  # fmt: skip


class StringCheck(BaseModel):
    """Whether two texts are the same, or the first contains the second (ilike: in any case)."""

    type: Literal["string_check"]
    name: Text
    input: Text
    reference: Text
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(BaseModel):
    """How like two texts are."""

    type: Literal["text_similarity"]
    name: Text
    input: Text
    reference: Text
    evaluation_metric: Metric


class Python(BaseModel):
    """A program that judges."""

    type: Literal["python"]
    name: Text
    source: Text
    image_tag: Text | None = None

    @field_validator("source")
    @classmethod
    def has_grade(cls, source: str) -> str:
        """It defines `grade`, as every service calls it."""
        try:
            body = ast.parse(source).body
        except SyntaxError as error:
            raise ValueError(f"line {error.lineno} is no Python ({error.msg})") from None
        except (ValueError, RecursionError, MemoryError):
            raise ValueError("it is no Python") from None
        if not any(isinstance(each, ast.FunctionDef) and each.name == "grade" for each in body):
            raise ValueError("it has no function grade(sample, item)")
        return source


class Said(BaseModel):
    """A message to a model that judges."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Text | dict[str, Any] | list[Any]


class ScoreModel(BaseModel):
    """A model that gives a score. Its tokens are billed, too."""

    type: Literal["score_model"]
    name: Text
    model: Text
    input: Annotated[list[Said], Field(min_length=1)]
    sampling_params: dict[str, Any] | None = None
    range: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None


class LabelModel(BaseModel):
    """A model that chooses a label; a part of several graders only."""

    type: Literal["label_model"]
    name: Text
    model: Text
    input: Annotated[list[Said], Field(min_length=1)]
    labels: Annotated[list[Text], Field(min_length=1)]
    passing_labels: Annotated[list[Text], Field(min_length=1)]


One = StringCheck | TextSimilarity | Python | ScoreModel
PART = TypeAdapter[Any](Annotated[One | LabelModel, Field(discriminator="type")])


class Multi(BaseModel):
    """Several graders and a formula over their scores."""

    type: Literal["multi"]
    name: Text
    graders: dict[str, Any] | list[Any]
    calculate_output: Text

    @field_validator("graders")
    @classmethod
    def are_graders(cls, graders: dict[str, Any] | list[Any]) -> dict[str, Any] | list[Any]:
        """One grader, a list of them, or an object in which each has the name that the formula
        knows: the specification and its example differ, and services take the last.
        """
        parts = graders if isinstance(graders, list) else [*graders.values()]
        for part in [graders] if "type" in graders else parts:
            try:
                PART.validate_python(part)
            except ValidationError as error:
                raise ValueError(problem(error.errors()[0])) from None
        if not parts:
            raise ValueError("there is none in it")
        return graders


GRADER = TypeAdapter[Any](Annotated[One | Multi, Field(discriminator="type")])


def string_check(word: str, operation: str) -> Callable[[str], Grader]:
    """Makes graders that compare the answer with a field."""
    return lambda field: {
        "type": "string_check",
        "name": f"{word}-{field}",
        "input": ANSWER,
        "reference": f"{{{{item.{field}}}}}",
        "operation": operation,
    }


def similarity(field: str) -> Grader:
    """How like the answer is to a field, letter by letter."""
    return {
        "type": "text_similarity",
        "name": f"similar-{field}",
        "input": ANSWER,
        "reference": f"{{{{item.{field}}}}}",
        "evaluation_metric": "fuzzy_match",
    }


SHORT: Mapping[str, Callable[[str], Grader]] = {
    "equals": string_check("equals", "eq"),
    "contains": string_check("contains", "ilike"),
    "similar": similarity,
}


def grader_of(text: str) -> Grader:
    """Reads a grader: "equals:answer", or a whole one as JSON. Raises ValueError with a sentence
    about what is wrong with it.
    """
    text = text.strip()
    if text.startswith("{"):
        return checked(text)
    kind, _, field = text.partition(":")
    if kind not in SHORT or not FIELD.fullmatch(field):
        raise ValueError(HOW)
    return SHORT[kind](field)


def checked(text: str) -> Grader:
    """A grader that is written as JSON. Raises ValueError."""
    try:
        grader = from_json(text)
        json.dumps(grader, allow_nan=False)  # 1e999 is infinite, too, which no request can carry
    except ValueError:
        raise ValueError(f"that is no JSON; {HOW}") from None
    try:
        GRADER.validate_python(grader)
    except ValidationError as error:
        raise ValueError(f"{problem(error.errors()[0])}.") from None
    if not any(map(SAMPLE.search, strings(grader))) and '"python"' not in text:
        raise ValueError(f"it never looks at the model's answer: {ANSWER} stands for it.")
    return dict(grader)


def problem(error: ErrorDetails) -> str:
    """What is wrong with a grader, without a full stop."""
    where = ".".join(str(each) for each in error["loc"] if each not in TYPES)
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"`{where}` is missing"
        case "literal_error":
            return f"`{where}` may be {context['expected']}"
        case "union_tag_invalid" | "union_tag_not_found":
            return "`type` may be string_check, text_similarity, python, score_model or multi"
        case "value_error":
            return f"`{where}`: {context['error']}"
    said = error["msg"]
    return f"`{where}`: {said[:1].lower()}{said[1:]}"


TYPES = {"string_check", "text_similarity", "python", "score_model", "label_model", "multi"}


def fields_of(grader: Mapping[str, Any]) -> set[str]:
    """The fields of an example that a grader reads by {{item.FIELD}}; what a program reads cannot
    be known.
    """
    return {name for text in strings(grader) for name in ITEM.findall(text)}


def missing(grader: Mapping[str, Any], there: Collection[str]) -> str:
    """That a grader reads a field that some examples do not have; "" where it reads none such."""
    lacking = sorted(fields_of(grader) - set(there))
    if not lacking:
        return ""
    named = ", ".join(quoted(name) for name in sorted(there)[:MOST_NAMED])
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    has = f"all have {named}{more}" if there else "no field is in all of them"
    return f"The grader reads {{{{item.{lacking[0]}}}}}, which not every example has: {has}."
