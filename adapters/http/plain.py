"""Routes that read their requests by themselves, and stand in the OpenAPI document all the same."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from adapters.http.errors import Refusal
from adapters.http.schema import LONGEST_ID, NO_CONTROL

EVENT = {"event": {"type": "string"}, "data": {"type": "string"}}
EVENTS = {"text/event-stream": {"itemSchema": {"type": "object", "properties": EVENT}}}

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class Plain(APIRoute):
    """A route whose endpoint gets the request, with nothing before it."""

    def get_route_handler(self) -> Endpoint:
        """The endpoint itself."""
        endpoint: Endpoint = self.endpoint
        return endpoint


def require_json(request: Request) -> None:
    """Raises Refusal for a body that says that it is something else."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "The body must be JSON, with `Content-Type: application/json`.")


def header(name: str, description: str) -> dict[str, Any]:
    """What the document says about an id in a header."""
    schema = {"type": "string", "maxLength": LONGEST_ID, "pattern": NO_CONTROL}
    return {"name": name, "in": "header", "description": description, "schema": schema}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """What the document says about a body that the endpoint reads."""
    content = {"application/json": {"schema": inlined_schema(model)}}
    return {"requestBody": {"required": True, "content": content}}


def inlined_schema(model: type[BaseModel]) -> Any:
    """The schema of a model, without references."""
    schema = model.model_json_schema()
    return inlined(schema, schema.pop("$defs", {}))


def inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without references."""
    if isinstance(node, list):
        return [inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        return inlined(definitions[reference.rpartition("/")[2]], definitions)
    return {name: inlined(each, definitions) for name, each in node.items()}
