"""OpenAI's chat completions: existing clients talk to a profile as to a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError

from adapters.http.chat import MOST_STOPS, ChatRequest, Unusable, read
from adapters.http.chat_reply import Completed, Failed, Models, Reply, failure
from adapters.http.exchanges import NAME, Exchanges
from adapters.http.plain import EVENTS, Plain, header, json_body, require_json
from adapters.http.presence import present
from adapters.http.question import whole
from adapters.http.schema import LONGEST_ID, Id
from adapters.http.settings import Settings
from adapters.http.sse import SILENCE, EventStream, as_json
from bot.errors import BotError
from bot.messages import Chunk, ConversationId, Ending, IncomingMessage, Person
from bot.ports import Core

FINISH = {Ending.LENGTH: "length", Ending.FILTERED: "content_filter"}
ID: TypeAdapter[str] = TypeAdapter(Id)
CONVERSATION, QUESTION = "X-Conversation-Id", "X-Question-Id"
HEADERS = [
    header(CONVERSATION, "Only the last message is asked, in the conversation of this name."),
    header(QUESTION, "The same again in a conversation has the same answer, and asks no model."),
]


def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:  # noqa: ARG001
    """/v1/models and /v1/chat/completions."""
    router = APIRouter(tags=["OpenAI"], route_class=Plain)

    @router.get("/v1/models", responses={200: {"model": Models}})
    async def models(_: Request) -> Response:
        """List the profiles, each of which is a model here."""
        listed = [
            {"id": each.name, "object": "model", "created": 0, "owned_by": each.provider}
            for each in core.profiles
        ]
        return JSONResponse({"object": "list", "data": listed})

    @router.post(
        "/v1/chat/completions",
        openapi_extra={**json_body(ChatRequest), "parameters": HEADERS},
        responses={
            200: {"model": Completed, "content": EVENTS},
            **{status: {"model": Failed} for status in (400, 403, 404, 415, 429, 502, 503)},
        },
    )
    async def complete(request: Request) -> Response:
        """Complete a chat as OpenAI does, with a profile as the model.

        System messages replace the profile's own; parameters go on to its provider. What no profile
        offers (tools, images, several answers) is refused, what is not known is passed over.
        Nothing is remembered, unless X-Conversation-Id names a conversation of this key. There,
        commands work, and a model that fails is an answer.
        """
        require_json(request)
        try:
            asked = read(await request.body())
            chunks = answers(core, exchanges, request, asked)
        except Unusable as error:
            return failure(error)
        reply = Reply(asked.model)
        if asked.stream:
            options = asked.stream_options
            usage = bool(options and options.include_usage)
            return EventStream(reply.events(chunks, usage=usage), failure)
        try:
            async with present(request.receive), aclosing(chunks):
                return Response(as_json(await reply.whole(chunks)), media_type="application/json")
        except BotError as error:
            return failure(error)

    return router


def answers(
    core: Core, exchanges: Exchanges, request: Request, asked: ChatRequest
) -> AsyncGenerator[Chunk, None]:
    """The answer to a request, not asked for yet. Raises Unusable."""
    profile = next((each for each in core.profiles if each.name == asked.model), None)
    if profile is None:
        raise Unusable(f"There is no model {asked.model!r}.", "model", 404, "model_not_found")
    person = Person(f"{NAME}:{asked.user or request.state.caller or 'v1'}")
    name = given_id(request, CONVERSATION)
    if not name:
        changed = asked.changed(profile)
        if len(changed.stop) > MOST_STOPS:
            raise Unusable(f"stop: with the model's own, there are over {MOST_STOPS}.", "stop")
        return core.complete(person, changed, asked.turns)
    question_id = given_id(request, QUESTION) or given_id(request, "Idempotency-Key")
    message = IncomingMessage(
        ConversationId(NAME, f"v1:{request.state.caller}", name),
        person,
        asked.question,
        question_id=question_id or uuid4().hex,
        profile=profile.name,
    )
    return remembered(core, exchanges, message, stream=bool(asked.stream))


def given_id(request: Request, name: str) -> str:
    """An id in a header, "" where there is none. Raises Unusable."""
    value = request.headers.get(name, "")
    try:
        return ID.validate_python(value) if value else ""
    except ValidationError:
        raise Unusable(f"{name} is no id: 1 to {LONGEST_ID} characters.", name) from None


async def remembered(
    core: Core, exchanges: Exchanges, message: IncomingMessage, *, stream: bool
) -> AsyncGenerator[Chunk, None]:
    """An answer in a conversation, as if a model gave it.

    OpenAI's stream takes nothing back, and a snapshot may end with a sentence that the next one no
    longer has. So each is given once the next goes on where it ends.
    """
    given = held = ""
    async with (
        exchanges.ask(core, message, withdraws=True) as exchange,
        aclosing(exchange.growths(SILENCE)) as growths,
    ):
        yield Chunk()  # it is taken
        async for growth in growths:
            sure = stream and held.startswith(given) and goes_on(held, growth.text)
            yield Chunk(held.removeprefix(given) if sure else "")
            given, held = held if sure else given, growth.text
        said = exchange.said
        finish = FINISH.get(said.ending, "stop")
        yield Chunk(rest(given, whole(said)), finish=finish, usage=said.usage)


def goes_on(text: str, longer: str) -> bool:
    """Whether a text is continued by another one."""
    return text != longer and longer.startswith(text)


def rest(given: str, text: str) -> str:
    """What is still to be given of a text; all of it, below, where something else was given."""
    if text.startswith(given):
        return text.removeprefix(given)
    return f"\n\n{text}"
