"""OpenAI's own description of its API, where it stands beside the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.shared import FOLDER

NAME = "specs/openai.json"
REQUESTS = {"POST fine_tuning/jobs": "CreateFineTuningJobRequest"}
ANSWERS = {
    "POST fine_tuning/jobs": "FineTuningJob",
    "GET fine_tuning/jobs": "ListPaginatedFineTuningJobsResponse",
    "GET fine_tuning/jobs/{id}": "FineTuningJob",
    "POST fine_tuning/jobs/{id}/cancel": "FineTuningJob",
    "POST fine_tuning/jobs/{id}/pause": "FineTuningJob",
    "POST fine_tuning/jobs/{id}/resume": "FineTuningJob",
    "GET fine_tuning/jobs/{id}/events": "ListFineTuningJobEventsResponse",
    "GET fine_tuning/jobs/{id}/checkpoints": "ListFineTuningJobCheckpointsResponse",
    "POST files": "OpenAIFile",
    "GET files": "ListFilesResponse",
    "GET files/{id}": "OpenAIFile",
    "DELETE files/{id}": "DeleteFileResponse",
    "GET models": "ListModelsResponse",
    "GET models/{id}": "Model",
    "DELETE models/{id}": "DeleteModelResponse",
    "error": "ErrorResponse",
}
# What may stand in the query of a list.
QUERIES = {
    "GET fine_tuning/jobs": {"after", "limit", "metadata"},
    "GET fine_tuning/jobs/{id}/events": {"after", "limit"},
    "GET fine_tuning/jobs/{id}/checkpoints": {"after", "limit"},
    "GET files": {"purpose", "limit", "order", "after"},
}
NEEDED = {
    *REQUESTS.values(),
    *ANSWERS.values(),
    "WebhookFineTuningJobSucceeded",
    "WebhookFineTuningJobFailed",
    "WebhookFineTuningJobCancelled",
}


class Specification:
    """The schemas that the server needs, each compiled once."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._schemas = described["components"]["schemas"]
        # The description has calls that pause a job, and no word for one that rests.
        self._schemas["FineTuningJob"]["properties"]["status"]["enum"].append("paused")
        kept = {"components": {"schemas": self._closure(NEEDED)}}
        self._validators = {
            name: Draft202012Validator({"$ref": f"#/components/schemas/{name}", **kept})
            for name in NEEDED
        }

    def problem(self, name: str, value: Any) -> str:
        """What is wrong with a value; "" if nothing is."""
        error = next(iter(self._validators[name].iter_errors(value)), None)
        where = ".".join(map(str, error.absolute_path)) if error else ""
        return f"{name} {where}: {error.message}" if error else ""

    def unknown(self, name: str, value: Mapping[str, Any]) -> set[str]:
        """The fields of an object that the description does not have."""
        return set(value) - set(self._schemas[name]["properties"])

    def _closure(self, names: set[str]) -> dict[str, Any]:
        """Schemas with all that they refer to; what is left over is mended."""
        found: dict[str, Any] = {}
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found[name] = modern(self._schemas[name])
                todo += [ref.rpartition("/")[2] for ref in references(self._schemas[name])]
        return found


def references(schema: Any) -> Iterator[str]:
    """All that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(ref := schema.get("$ref"), str):
            yield ref
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def modern(schema: Any) -> Any:
    """A schema in which what is left over from before OpenAPI 3.1 means what it did there."""
    if isinstance(schema, list):
        return [modern(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: modern(value) for key, value in schema.items() if key != "nullable"}
    if made.get("exclusiveMinimum") is True:
        made["exclusiveMinimum"] = made.pop("minimum")
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made


@cache
def specification() -> Specification | None:
    """The description; None where the file is not."""
    file = FOLDER / NAME
    return Specification(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None
