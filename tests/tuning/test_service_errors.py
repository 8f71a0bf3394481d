"""What a person reads when a service does not do what it is asked, and what is tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import TuningBusy, TuningError, TuningSpent, TuningUnreached
from bot.messages import Provider
from bot.training import NewJob
from bot.tuning.services import services
from bot.tuning.services.failures import tunable
from bot.tuning.services.openai import OpenAiTuning
from bot.tuning.services.values import events_of, job_of
from tests.clock import HeldClock
from tests.tuning.conftest import CHAT, Services
from tests.tuning_server import KEY, Drop, Fail, Fault, Hang, Raw, TuningServer

MODEL = "gpt-4o-mini"
CREATE, LIST = "POST fine_tuning/jobs", "GET fine_tuning/jobs"


async def refused(awaitable: Awaitable[Any]) -> TuningError:
    """The error that something raises."""
    with pytest.raises(TuningError) as raised:
        await awaitable
    return raised.value


def wanted(tuning: TuningServer) -> NewJob:
    """A job that could be made."""
    return NewJob(MODEL, tuning.keep("support.jsonl", CHAT).id)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
async def test_reading_is_tried_again(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock, status: int
) -> None:
    tuning.fails("GET models", Fail(status), times=2)
    assert await service.models()
    assert clock.waits == [0.5, 1.0]


async def test_reading_is_tried_again_after_a_dropped_connection(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    tuning.fails("GET models", Drop(), times=3)  # aiohttp asks once more by itself
    assert await service.models()
    assert clock.waits == [0.5]


async def test_the_wait_that_a_service_asks_for_is_kept(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    tuning.limit(7)
    assert await service.models()
    assert clock.waits == [7.0]


async def test_a_wait_too_long_is_left_to_the_caller(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    tuning.limit(90)
    error = await refused(service.models())
    assert isinstance(error, TuningBusy)
    assert (error.retry_after, error.status, clock.waits) == (90.0, 429, [])
    assert str(error) == (
        "The provider openai limits how often it may be asked (429) and asks for a pause of 90 s."
        " It was asked once in 0 s; try again later. It says: Rate limit reached."
    )


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (Fail(429), TuningBusy, "limits how often it may be asked (429). It was asked 5 times"),
        (Fail(503), TuningUnreached, "is overloaded (503). It was asked 5 times in"),
        (Drop(), TuningUnreached, "The provider openai dropped the connection. It was"),
    ],
)
async def test_reading_is_given_up_after_a_while(
    service: OpenAiTuning,
    tuning: TuningServer,
    clock: HeldClock,
    fault: Fault,
    kind: type[TuningError],
    said: str,
) -> None:
    tuning.fails("", fault, times=99)
    error = await refused(service.job("ftjob-1"))
    assert type(error) is kind
    assert said in str(error)
    assert sum(clock.waits) <= 15


Changes = dict[str, Callable[[OpenAiTuning, NewJob], Awaitable[Any]]]
CHANGES: Changes = {
    "POST fine_tuning/jobs": lambda service, job: service.create(job),
    "POST fine_tuning/jobs/{id}/cancel": lambda service, _: service.cancel("ftjob-1"),
    "POST fine_tuning/jobs/{id}/pause": lambda service, _: service.pause("ftjob-1"),
    "POST fine_tuning/jobs/{id}/resume": lambda service, _: service.resume("ftjob-1"),
    "DELETE files/{id}": lambda service, job: service.delete_file(job.training_file),
    "DELETE models/{id}": lambda service, _: service.delete_model("ft:x"),
}


@pytest.mark.parametrize("call", CHANGES)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fail(429, retry_after=3), TuningBusy),
        (Fail(409), TuningBusy),
        (Fail(500), TuningUnreached),
        (Fail(503), TuningUnreached),
        (Fail(400), TuningError),
        (Raw(b"<html>gateway</html>", content_type="text/html"), TuningUnreached),
        (Raw(b"<html>gateway</html>", 502, "text/html"), TuningUnreached),
        (Raw(b"", 301, headers={"Location": "http://127.0.0.1:9/"}), TuningError),
    ],
)
async def test_a_change_is_never_tried_again(
    service: OpenAiTuning,
    tuning: TuningServer,
    clock: HeldClock,
    call: str,
    fault: Fault,
    kind: type[TuningError],
) -> None:
    job = wanted(tuning)
    for each in (call, "GET files"):
        tuning.fails(each, fault)
    error = await refused(CHANGES[call](service, job))
    assert type(error) is kind
    assert (tuning.counts[call], clock.waits) == (1, [])


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_leaves_open_whether_there_is_a_job(
    service: OpenAiTuning, tuning: TuningServer, after: bool
) -> None:
    tuning.fails(CREATE, Drop(after=after))
    error = await refused(service.create(wanted(tuning)))
    assert isinstance(error, TuningUnreached)
    assert "it is not known whether it was done" in str(error)
    assert (tuning.counts[CREATE], len(tuning.jobs)) == (1, int(after))


async def test_silence_leaves_open_whether_there_is_a_job(
    tuning: TuningServer, service_of: Services
) -> None:
    tuning.fails(CREATE, Hang(asyncio.Event()))
    service = service_of(tuning, idle_timeout=0.05)
    error = await refused(service.create(wanted(tuning)))
    assert isinstance(error, TuningUnreached)
    assert "sent nothing for 0.1 s" in str(error)


async def test_a_service_that_is_not_there_has_done_nothing(
    tuning: TuningServer, service_of: Services
) -> None:
    service = service_of(tuning, base_url="http://user:password@127.0.0.1:9/v1")
    error = await refused(service.create(NewJob(MODEL, "file-1")))
    assert isinstance(error, TuningBusy)
    assert "cannot be reached at 127.0.0.1:9" in str(error)
    assert "password" not in str(error)


async def test_the_limit_of_a_day_rises_at_once(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    tuning.jobs_a_day = 1
    job = wanted(tuning)
    await service.create(job)
    error = await refused(service.create(job))
    assert isinstance(error, TuningSpent)
    assert error.code == "daily_rate_limit_exceeded"
    assert "has reached its limit for today: try again tomorrow." in str(error)
    tuning.fails("GET models", Fail(429, code="daily_rate_limit_exceeded"))
    assert isinstance(await refused(service.models()), TuningSpent)
    assert clock.waits == []


async def test_an_organisation_that_may_not_is_told_so_and_what_remains(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.eligible = False
    error = await refused(service.create(wanted(tuning)))
    assert str(error) == (
        "The provider openai says that this organisation is not eligible for fine-tuning: use"
        ' another provider of the configuration, or train on this machine (kind = "local"). It'
        " says: Your organization does not have permission to create fine-tuning jobs."
    )


async def test_a_model_that_cannot_be_trained_has_others_named(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.trainable = {"gpt-4.1-mini-2025-04-14": None, "davinci-002": None}
    error = await refused(service.create(wanted(tuning)))
    assert (error.code, type(error)) == ("model_not_available", TuningError)
    assert str(error).startswith(
        "The provider openai does not fine-tune gpt-4o-mini: choose gpt-4.1-mini-2025-04-14 or"
        " davinci-002. It says: Model gpt-4o-mini is not available for fine-tuning"
    )


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        ("Model gpt-4o-mini is not available. Available: gpt-4.1-nano.", ["gpt-4.1-nano"]),
        ("invalid base model: x (must be one of ada, curie or a fine-tune)", ["ada", "curie"]),
        (
            "Choose meta/Llama-3.2-1B or davinci-002 for file-1",
            ["meta/Llama-3.2-1B", "davinci-002"],
        ),
        ("The model `gpt-4o-mini` does not exist", []),
    ],
)
def test_models_are_found_in_a_reason(reason: str, names: list[str]) -> None:
    assert tunable("gpt-4o-mini", reason) == names


async def test_a_file_that_is_still_read_is_waited_for_by_the_caller(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.reading = None
    error = await refused(service.create(wanted(tuning)))
    assert isinstance(error, TuningBusy)
    assert "still reads the file" in str(error)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            Fail(400, "invalid schema (20): line 17 has no role", "invalid_training_file"),
            "refuses a fine-tune job of gpt-4o-mini (400). It says: invalid schema (20): line 17"
            " has no role",
        ),
        (Fail(403, "Not for you."), "is not eligible for fine-tuning"),
        (Fail(429, "x", "insufficient_quota"), "has no credit left: add some there. It says: x"),
        (
            Fail(404, "Invalid URL (POST /v1/fine_tuning/jobs)"),
            "offers no fine-tuning at 127.0.0.1",
        ),
        (Raw(b'{"detail":"Not Found"}', 404), "offers no fine-tuning at 127.0.0.1:"),
        (
            Raw(b'{"detail":[{"loc":["body","seed"],"msg":"Input should be an integer"}]}', 422),
            "(422). It says: body.seed: Input should be an integer",
        ),
        (Raw(b"", 405), "offers no fine-tuning at 127.0.0.1:"),
        (Raw(b"", 501), "offers no fine-tuning at 127.0.0.1:"),
        (
            Raw(b'{"error": "No base model"}', 400),
            "refuses a fine-tune job of",
        ),
        (
            Fail(401, f"Incorrect API key provided: {KEY}.", "invalid_api_key"),
            "refuses the key in OPENAI_API_KEY: set a valid one. It says: Incorrect API key"
            " provided: ….",
        ),
        (
            Fail(401, "Insufficient permissions. Missing scopes: api.fine_tuning.jobs.write."),
            "refuses the key in OPENAI_API_KEY: set a valid one. It says: Insufficient",
        ),
        (Fail(413, "Too large."), "finds a fine-tune job of gpt-4o-mini too large"),
        (Raw(b"", 307), "has moved from 127.0.0.1:"),
    ],
)
async def test_a_refusal_is_a_sentence_with_the_reason_of_the_service(
    service: OpenAiTuning, tuning: TuningServer, fault: Fault, said: str
) -> None:
    tuning.fails(CREATE, fault)
    error = await refused(service.create(wanted(tuning)))
    assert type(error) is TuningError
    assert str(error).startswith("The provider openai ")
    assert said in str(error)
    assert KEY not in str(error)


async def test_what_is_not_there_is_named(service: OpenAiTuning) -> None:
    for call, what in (
        (service.job("ftjob-9"), "has not the fine-tune job ftjob-9"),
        (service.events("ftjob-9"), "has not the events of the fine-tune job ftjob-9"),
        (service.content("file-9"), "has not the file file-9"),
        (service.delete_model("ft:9"), "has not the model ft:9"),
    ):
        error = await refused(call)
        assert what in str(error)
        assert error.status == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"key": ""}, "wants a key: name its variable as api_key_env"),
        ({"key": "sk-wrong-0123456789"}, "refuses the key in OPENAI_API_KEY"),
        ({"key": "sk-ü"}, "has characters that no key has"),
        ({"base_url": "localhost"}, "is no address"),
    ],
)
async def test_what_is_configured_wrongly_is_said(
    tuning: TuningServer, service_of: Services, fields: dict[str, str], said: str
) -> None:
    error = await refused(service_of(tuning, **fields).models())
    assert type(error) is TuningError
    assert said in str(error)
    assert "0123456789" not in str(error)


NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        *("id", "data", "object", "error", "status", "model", "message", "created_at", "method"),
        *("hyperparameters", "supervised", "n_epochs", "events", "metrics", "has_more", "bytes"),
        *("training_files", "result_files", "metadata", "step_number", "level", "type", "code"),
        *(
            "fine_tuned_model_checkpoint",
            "shutdown_date",
            "filename",
            "estimated_finish",
            "seed",
            "detail",
        ),
    ]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)
CALLS: list[Callable[[OpenAiTuning], Awaitable[Any]]] = [
    lambda service: service.create(NewJob(MODEL, "file-1")),
    lambda service: service.job("j"),
    lambda service: service.jobs(),
    lambda service: service.jobs("a", {"k": "v"}),
    lambda service: service.cancel("j"),
    lambda service: service.events("j", "a"),
    lambda service: service.checkpoints("j"),
    lambda service: service.file("f"),
    lambda service: service.files(),
    lambda service: service.content("f"),
    lambda service: service.delete_file("f"),
    lambda service: service.models(),
    lambda service: service.delete_model("m"),
]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    answer=ANYTHING,
    status=st.sampled_from([200, 200, 200, 201, 302, 400, 401, 403, 404, 409, 429, 500]),
    kind=st.sampled_from(["openai", "azure", "legacy"]),
    raw=st.none() | st.binary(max_size=20),
)
async def test_any_answer_is_a_value_or_a_sentence(
    answer: Any, status: int, kind: Any, raw: bytes | None
) -> None:
    content = json.dumps(answer).encode() if raw is None else raw
    async with TuningServer(keep_calls=False) as tuning:
        provider = Provider("any", kind, tuning.base_url)
        service = services({"any": provider}, {}, HeldClock())["any"]
        tuning.fails("", Raw(content, status, after=False), times=10_000)
        sentences = [await sentence(call(service)) for call in CALLS]
        await service.aclose()
    assert all(each.startswith("The provider any ") for each in sentences if each)


async def sentence(awaitable: Awaitable[Any]) -> str:
    """What a person reads of something, "" where it is done."""
    try:
        await awaitable
    except TuningError as error:
        return str(error)
    return ""


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "created_at": SCALARS,
            "estimated_finish": SCALARS,
            "trained_tokens": SCALARS,
            "seed": SCALARS,
            "hyperparameters": ANYTHING,
            "metadata": ANYTHING,
            "result_files": ANYTHING,
            "message": SCALARS,
        },
    )
)
def test_whatever_is_read_can_be_stored_and_shown(answer: dict[str, Any]) -> None:
    job = job_of(answer, "j")
    (event,) = events_of([answer], newest_first=True)
    for at in (job.created_at, job.estimated_finish, event.at):
        assert datetime.fromtimestamp(at, UTC)
    numbers = (job.trained_tokens, job.seed or 0, job.hyperparameters.epochs or 0)
    assert all(isinstance(each, int) and abs(each) < 2**63 for each in numbers)
    assert job.id == "j"
    assert event.id
