"""Doors: who proves itself is let in; nobody else learns anything."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from hashlib import sha256
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.http import Http, Settings, create
from adapters.http.doors import proved
from bot.errors import ConfigError, StoreBusy
from bot.ports import Door, Knock, Opened, SecretHeader, Signature
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.stage import Server, serving

NOW = 1_800_000_000
BODY = b'{"text": "\xc3\xa4 \xff"}'
SECRET = "a secret of the platform"
KEY = b"\x00\xff 24 bytes of a secret"

Headers = dict[str, str]

TELEGRAM = SecretHeader("X-Telegram-Bot-Api-Secret-Token", SECRET)
SLACK = Signature("slack", SECRET)
STANDARD = Signature("standard", f"whsec_{base64.b64encode(KEY).decode()}")
RAW = Signature("standard", SECRET)


def slack(at: int = NOW, body: bytes = BODY, secret: str = SECRET) -> Headers:
    """The headers of a request by Slack."""
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, sha256).hexdigest()
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": f"v0={digest}"}


def standard(at: int = NOW, body: bytes = BODY, key: bytes = KEY, id_: str = "wh_1") -> Headers:
    """The headers of a request by OpenAI; its second signature is the one that counts."""
    digest = hmac.new(key, f"{id_}.{at}.".encode() + body, sha256).digest()
    signatures = (
        f"v1,{base64.b64encode(b'other' * 6).decode()} v1,{base64.b64encode(digest).decode()}"
    )
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": signatures,
    }


class House:
    """Core and doors: what was let in stands in `knocks`."""

    def __init__(self) -> None:
        self.knocks: list[Knock] = []
        self.failure: Exception | None = None

    async def open(self, knock: Knock) -> Opened:
        """Let it in."""
        if self.failure:
            raise self.failure
        self.knocks.append(knock)
        return Opened(202, b'{"ok": true}', "application/json")

    def core(self, adapter: Http) -> FakeCore:
        core = FakeCore(adapter)
        core.doors = [
            Door("/telegram", TELEGRAM, self.open),
            Door("/slack/events", SLACK, self.open),
            Door("/openai", STANDARD, self.open),
            Door("/raw", RAW, self.open, most_bytes=100),
        ]
        adapter._now = lambda: NOW
        return core


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def server(house: House) -> object:
    async with serving(core=house.core, environment={"TUNEBOT_API_KEYS": "k" * 32}) as server:
        yield server


PROVED = [
    ("/telegram", {"x-telegram-bot-api-secret-token": SECRET}),
    ("/slack/events", slack()),
    ("/slack/events", slack(NOW - 300)),
    ("/slack/events", slack(NOW + 300)),
    ("/openai", standard()),
    ("/openai", standard(NOW - 299)),
    ("/raw", standard(key=SECRET.encode())),
]

NOT_PROVED = [
    ("/telegram", {}),
    ("/telegram", {"x-telegram-bot-api-secret-token": ""}),
    ("/telegram", {"x-telegram-bot-api-secret-token": SECRET[:-1]}),
    ("/telegram", {"x-telegram-bot-api-secret-token": f"{SECRET}x"}),
    ("/slack/events", {}),
    ("/slack/events", slack(secret="another")),
    ("/slack/events", slack(body=BODY + b" ")),
    ("/slack/events", slack(NOW - 301)),
    ("/slack/events", slack(NOW + 301)),
    ("/slack/events", {**slack(), "x-slack-request-timestamp": str(NOW + 1)}),
    ("/slack/events", {**slack(), "x-slack-request-timestamp": "soon"}),
    ("/slack/events", {**slack(), "x-slack-signature": slack()["x-slack-signature"][3:]}),
    ("/slack/events", {"x-slack-signature": slack()["x-slack-signature"]}),
    ("/openai", {}),
    ("/openai", standard(key=b"another")),
    ("/openai", standard(NOW - 301)),
    ("/openai", standard(NOW + 301)),
    ("/openai", standard(body=b"")),
    ("/openai", {**standard(), "webhook-id": "wh_2"}),
    ("/openai", {**standard(), "webhook-signature": standard()["webhook-signature"][:-4]}),
    ("/openai", {**standard(), "webhook-signature": ""}),
    ("/openai", slack()),
]


@pytest.mark.parametrize(("path", "headers"), PROVED)
async def test_who_is_proved_is_let_in_without_a_key(
    server: Server, house: House, path: str, headers: Headers
) -> None:
    elsewhere = {"host": "hooks.example.com", "origin": "https://slack.com", **headers}
    response = await server.client.post(path, content=BODY, headers=elsewhere)
    assert (response.status_code, response.json()) == (202, {"ok": True})
    (knock,) = house.knocks
    assert knock.body == BODY
    assert headers.items() <= dict(knock.headers).items()


@pytest.mark.parametrize(("path", "headers"), NOT_PROVED)
async def test_who_is_not_proved_is_not_let_in_and_not_told_why(
    server: Server, house: House, path: str, headers: Headers
) -> None:
    response = await server.client.post(path, content=BODY, headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": {"message": "Who calls is not proved."}}
    assert not house.knocks


async def test_refused_proof_is_logged_without_it(server: Server) -> None:
    with capture_logs() as logs:
        await server.client.post("/telegram", headers={TELEGRAM.header: "guess"})
    assert logs == [{"event": "door refused", "log_level": "warning", "path": "/telegram"}]


async def test_door_takes_no_more_than_its_own_limit(server: Server, house: House) -> None:
    for body, status in ((b"x" * 100, 202), (b"x" * 101, 413)):
        headers = standard(body=body, key=SECRET.encode())
        response = await server.client.post("/raw", content=body, headers=headers)
        assert response.status_code == status
    assert len(house.knocks) == 1


async def test_platform_delivers_again_what_could_not_be_stored(
    server: Server, house: House
) -> None:
    house.failure = StoreBusy("The database /home/me/tunebot.db is busy.")
    headers = {TELEGRAM.header: SECRET}
    response = await server.client.post("/telegram", content=BODY, headers=headers)
    assert response.status_code == 503
    assert "tunebot.db" not in response.text
    house.failure = None
    response = await server.client.post("/telegram", content=BODY, headers=headers)
    assert response.status_code == 202


async def test_bug_behind_a_door_is_logged_and_answered_with_its_reference(
    server: Server, house: House
) -> None:
    house.failure = ValueError("a secret in a bug")
    with capture_logs() as logs:
        response = await server.client.post("/telegram", headers={TELEGRAM.header: SECRET})
    assert response.status_code == 500
    assert logs[0]["reference"] in response.json()["error"]["message"]
    assert "secret" not in response.text


async def test_door_is_opened_by_post_only(server: Server, house: House) -> None:
    response = await server.client.get("/telegram", headers={TELEGRAM.header: SECRET})
    assert response.status_code == 405
    assert not house.knocks


async def nobody(_: Knock) -> Opened:
    """Never called."""
    raise AssertionError


@pytest.mark.parametrize(
    ("doors", "sentence"),
    [
        ([Door("/a", TELEGRAM, nobody), Door("/a", SLACK, nobody)], "^/a is the path of two"),
        ([Door("/healthz", TELEGRAM, nobody)], "^/healthz is the path of two"),
        ([Door("/a", SecretHeader("x", ""), nobody)], "^The secret for /a cannot be used"),
        ([Door("/a", Signature("slack", ""), nobody)], "^The secret for /a cannot be used"),
        ([Door("/a", Signature("standard", "whsec_"), nobody)], "^The secret for /a"),
        ([Door("/a", Signature("standard", "whsec_cut in copying"), nobody)], "^The secret for /a"),
    ],
)
async def test_doors_that_cannot_be_opened_end_the_start(doors: list[Door], sentence: str) -> None:
    adapter = create("http", Settings(port=0), {})
    core = FakeCore(adapter)
    core.doors = doors
    with pytest.raises(ConfigError, match=sentence) as error:
        await adapter.run(core)
    assert "copying" not in str(error.value)


@given(
    st.sampled_from([TELEGRAM, SLACK, STANDARD, RAW]),
    st.dictionaries(
        st.sampled_from([*slack(), *standard(), TELEGRAM.header.lower()]),
        st.text(st.characters(max_codepoint=255)) | st.sampled_from(["9" * 5000, "²", "-1", "1e9"]),
    ),
    st.binary(),
)
def test_nothing_that_is_sent_breaks_a_proof(
    proof: SecretHeader | Signature, headers: Headers, body: bytes
) -> None:
    assert not proved(proof, Knock(headers, body), NOW)


@pytest.mark.parametrize(("proof", "sign"), [(SLACK, slack), (STANDARD, standard)])
def test_signatures_are_compared_in_a_time_that_tells_nothing(
    proof: Signature, sign: Callable[[], Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = Mock(wraps=hmac.compare_digest)
    monkeypatch.setattr(hmac, "compare_digest", compared)
    assert proved(proof, Knock(sign(), BODY), NOW)
    compared.assert_called()
