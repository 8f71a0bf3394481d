"""Whether what goes over the wire is what OpenAI's description of its API says."""

from __future__ import annotations

from typing import Any

from tests.tuning_server.specification import ANSWERS, QUERIES, REQUESTS, specification
from tests.tuning_server.values import Call


def request_problem(call: Call, *, azure: bool) -> str:
    """What is wrong with a request; "" if nothing is, or where the description is not there."""
    name = f"{call.method} {call.route}"
    for field in call.query:
        if name in QUERIES and field.partition("[")[0] not in QUERIES[name] | {"api-version"}:
            return f"{name}: {field} is no parameter"
    described = specification()
    if not described or name not in REQUESTS or not isinstance(call.body, dict):
        return ""
    body = {key: value for key, value in call.body.items() if key != "trainingType" or not azure}
    if nulls := [key for key, value in body.items() if value is None]:
        return f"{name}: {nulls} are null"
    if {"method", "hyperparameters"} <= body.keys():
        return f"{name}: method and hyperparameters"
    if unknown := described.unknown(REQUESTS[name], body):
        return f"{name}: {sorted(unknown)} are unknown"
    return described.problem(REQUESTS[name], body)


def answer_problem(call: Call, status: int, value: Any) -> str:
    """What is wrong with an answer; "" if nothing is, or where nothing is said of it."""
    described = specification()
    name = ANSWERS.get(f"{call.method} {call.route}" if status < 400 else "error")
    return described.problem(name, value) if described and name else ""
