"""Who may come in, how much of it, how slowly and how often."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request
from structlog.testing import capture_logs

from adapters.http import assembly, limits
from adapters.http.errors import Refusal
from adapters.http.exchanges import Exchanges
from adapters.http.keys import Keys
from adapters.http.limits import Rate
from adapters.http.settings import Settings
from bot import log
from bot.errors import ConfigError
from bot.ports import Core
from tests.adapters.http.stage import KEY, Server, exchange, serving
from tests.clock import HeldClock

OTHER = "another-key-with-30-characters"
KEYS = {"TUNEBOT_API_KEYS": f"{KEY},\n{OTHER}"}
everywhere = partial(serving, host="0.0.0.0", environment=KEYS)  # noqa: S104 - it is tested


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """/size says how long a body is, /bug has one."""

    def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:  # noqa: ARG001
        router = APIRouter()

        @router.post("/size")
        async def size(request: Request) -> int:
            return len(await request.body())

        @router.post("/ignored")
        async def ignored() -> str:
            return "Not read."

        @router.get("/bug")
        async def bug() -> None:
            raise RuntimeError("sk-secret in a traceback")

        return router

    monkeypatch.setattr(assembly, "ROUTES", (*assembly.ROUTES, routes))


def sentence(response: httpx.Response) -> str:
    """The error in a response, which is one."""
    error = response.json()["error"]
    assert error["message"].endswith(".")
    return str(error["message"])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
async def test_this_machine_s_own_names_are_answered(server: Server, name: str) -> None:
    headers = {"host": f"{name}:{server.port}", "origin": f"http://{name}:{server.port}"}
    assert (await server.client.post("/size", content=b"12", headers=headers)).json() == 2


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost", "localhost:1", "127.0.0.1.", ""]
)
async def test_name_that_was_bound_to_our_address_is_refused(server: Server, host: str) -> None:
    host = host.format(port=server.port)
    for path in ("/", "/size", "/healthz", "/openapi.json"):
        response = await server.client.get(path, headers={"host": host})
        assert response.status_code == 421
        assert "adapters.http.hosts" in sentence(response)


async def test_reverse_proxy_s_name_is_answered_once_it_is_configured() -> None:
    headers = {"host": "chat.example.com", "origin": "https://chat.example.com"}
    headers["authorization"] = f"Bearer {KEY}"
    keys = {"TUNEBOT_API_KEYS": KEY}
    async with serving(hosts=["chat.example.com"], environment=keys) as server:
        assert (await server.client.post("/size", headers=headers)).status_code == 200
        headers["origin"] = "https://evil.example"
        assert (await server.client.post("/size", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://", ""],
)
async def test_web_page_elsewhere_cannot_use_it(server: Server, origin: str) -> None:
    response = await server.client.post("/size", headers={"origin": origin})
    assert response.status_code == 403
    assert sentence(response) == "A web page elsewhere may not use this server."
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
async def test_picture_or_script_elsewhere_cannot_point_here(server: Server, site: str) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    for path in ("/", "/metrics", "/openapi.json"):
        assert (await server.client.get(path, headers=headers)).status_code == 403


async def test_link_elsewhere_opens_the_page_and_nothing_more(server: Server) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await server.client.get("/", headers=headers)).status_code != 403
    assert (await server.client.get("/metrics", headers=headers)).status_code == 403
    assert (await server.client.post("/", headers=headers)).status_code == 403
    framed = {**headers, "sec-fetch-dest": "iframe"}
    assert (await server.client.get("/", headers=framed)).status_code == 403


async def test_without_a_key_nothing_is_told_but_whether_it_lives() -> None:
    async with serving(environment=KEYS) as server:
        for path in ("/metrics", "/docs", "/openapi.json", "/bug", "/nowhere", "/api/page/start"):
            response = await server.client.get(path)
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
        assert (await server.client.post("/size")).status_code == 401
        assert (await server.client.post("/")).status_code == 401
        for path in ("/healthz", "/readyz"):
            assert (await server.client.get(path)).status_code == 200
        for path in ("/", "/page/nothing"):
            assert (await server.client.get(path)).status_code != 401


@pytest.mark.parametrize(
    "header",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {OTHER}"},
        {"x-api-key": KEY},
    ],
)
async def test_each_key_opens_under_any_name_of_the_server(header: dict[str, str]) -> None:
    async with everywhere() as server:
        headers = {**header, "host": "bot.example.com"}
        assert (await server.client.post("/size", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": f"Bearer {KEY}{OTHER}"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": "Bearer"},
        {"authorization": KEY},
        {"x-api-key": ""},
        {"x-api-key": "é"},
        {"cookie": f"key={KEY}"},
    ],
)
async def test_anything_but_a_key_does_not_open(header: dict[str, str]) -> None:
    async with everywhere() as server:
        headers = [(name.encode(), value.encode()) for name, value in header.items()]
        assert (await server.client.post("/size", headers=headers)).status_code == 401


def test_every_key_is_compared_whichever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    keys, compared = Keys(KEYS), []
    real = hmac.compare_digest

    def compare(ours: bytes, given: bytes) -> bool:
        compared.append(len(given))
        return real(ours, given)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert keys.find(KEY.encode()) == Keys({"TUNEBOT_API_KEYS": KEY}).find(KEY.encode()) != ""
    assert keys.find(b"no key") == ""
    assert compared == [32] * 5  # hashes, all of the same length


def test_keys_are_kept_as_hashes_only() -> None:
    keys = Keys(KEYS)
    assert KEY not in repr(vars(keys))
    assert OTHER not in repr(vars(keys))


def test_short_key_s_name_shows_nothing_of_it() -> None:
    assert Keys({"TUNEBOT_API_KEYS": "0123456789abcdef"}).names == ["key 1"]


@pytest.mark.parametrize("bad", ["short", "fifteen-letters", "schlüssel-mit-umlaut-lang-genug"])
def test_key_that_cannot_be_used_is_a_sentence_without_it(bad: str) -> None:
    with pytest.raises(ConfigError, match=r"^TUNEBOT_API_KEYS: key 2 ") as error:
        Keys({"TUNEBOT_API_KEYS": f"{KEY} {bad}"})
    assert bad not in str(error.value)
    assert KEY not in str(error.value)


async def test_no_key_is_in_the_log(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: log.configure("WARNING"))
    log.configure("DEBUG")
    async with serving(environment=KEYS) as server:
        for key in (KEY, "not-the-key-but-secret"):
            headers = {"authorization": f"Bearer {key}"}
            await server.client.get("/bug", headers=headers)
            await server.client.get(f"/metrics?key={key}", headers=headers)
        await exchange(server, b"GET / HTTP/1.1\r\nX-API-Key: " + KEY.encode() + b"\r\n\xff\r\n")
    written = capsys.readouterr().err
    assert '"keys": ["key 1 (a-ke\\u2026)", "key 2 (anot\\u2026)"]' in written
    assert "sk-secret" in written  # a bug's own text
    for secret in (KEY, OTHER, "not-the-key-but-secret"):
        assert secret[:5] not in written


async def test_body_that_says_it_is_too_long_is_refused_unread(server: Server) -> None:
    response = await server.client.post("/size", content=b"x" * 1_048_577)
    assert response.status_code == 413
    assert sentence(response) == "The body has more than 1048576 bytes."
    assert response.json()["error"]["field"] == "body"
    assert (await server.client.post("/size", content=b"x" * 1_048_576)).json() == 1_048_576


async def test_body_of_unknown_length_is_cut_where_it_is_too_long(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.guard.LINGER_SECONDS", 0.01)
    assert (await endless(server, "/size")).startswith(b"HTTP/1.1 413 ")


async def test_body_that_nobody_reads_is_not_taken_in(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.guard.LINGER_SECONDS", 0.01)
    assert (await endless(server, "/ignored")).startswith(b"HTTP/1.1 200 ")
    assert (await endless(server, "/nowhere")).startswith(b"HTTP/1.1 404 ")


async def endless(server: Server, path: str) -> bytes:
    """What a client reads that sends on and on, until the server hangs up."""
    reader, writer = await server.connect()
    writer.write(post(server, b"Transfer-Encoding: chunked", path))
    answer = asyncio.create_task(reader.read(100))
    with suppress(ConnectionError):
        while not reader.at_eof():
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            await writer.drain()
            await asyncio.wait([answer], timeout=0)
    writer.close()
    return await answer


async def test_upload_may_be_longer_than_a_question() -> None:
    async with serving(max_body=100, max_upload=1000) as server:
        for length, status in ((1000, 413), (101, 404)):
            path = "/api/page/files/none"
            response = await server.client.post(path, content=b"x" * (length + 1))
            assert response.status_code == status, length


async def test_body_that_does_not_come_is_cut() -> None:
    async with serving(body_seconds=0.05) as server:
        answer = await exchange(server, post(server, b"Content-Length: 10"), b"12345")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"The body of the request came too slowly." in answer


async def test_body_that_comes_byte_by_byte_is_cut() -> None:
    async with serving(body_seconds=0.1) as server:
        reader, writer = await server.connect()
        writer.write(post(server, b"Transfer-Encoding: chunked"))
        answer = asyncio.create_task(reader.read(100))
        while not answer.done():
            writer.write(b"1\r\nx\r\n")
            await asyncio.wait([answer], timeout=0.01)
        assert answer.result().startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_long_body_that_comes_steadily_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SLOWEST", 0.5)
    async with serving(body_seconds=0.01) as server:
        head = post(server, b"Content-Length: 6")
        reader, writer = await server.connect()
        writer.write(head + b"12345")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        writer.write(b"6")
        assert (await reader.readuntil(b"6")).startswith(b"HTTP/1.1 200 ")
        writer.close()


def post(server: Server, header: bytes, path: str = "/size") -> bytes:
    """The head of a POST."""
    host = b"Host: 127.0.0.1:%d" % server.port
    return b"\r\n".join([b"POST %b HTTP/1.1" % path.encode(), host, header, b"", b""])


async def test_refusal_is_read_by_who_is_still_sending() -> None:
    async with serving(environment=KEYS) as server:
        response = await server.client.post("/size", content=b"x" * 1_000_000)
        assert response.status_code == 401


async def test_more_requests_than_a_minute_has_are_told_when_to_come_back() -> None:
    async with serving(environment=KEYS, requests_per_minute=3) as server:
        ours = {"authorization": f"Bearer {KEY}"}
        other = {"authorization": f"Bearer {OTHER}"}
        statuses = [(await server.client.get("/docs", headers=ours)) for _ in range(4)]
        assert [each.status_code for each in statuses] == [200, 200, 200, 429]
        assert 0 < int(statuses[-1].headers["retry-after"]) <= 20
        assert (await server.client.get("/docs", headers=other)).status_code == 200
        assert (await server.client.get("/healthz")).status_code == 200


async def test_who_guesses_keys_is_counted_by_address() -> None:
    async with serving(environment=KEYS, requests_per_minute=2) as server:
        guesses = [{"authorization": f"Bearer {number}"} for number in range(3)]
        statuses = [(await server.client.get("/docs", headers=guess)) for guess in guesses]
        assert [each.status_code for each in statuses] == [401, 401, 429]


async def test_who_sits_at_this_machine_is_not_counted() -> None:
    async with serving(requests_per_minute=2) as server:
        statuses = [(await server.client.get("/docs")).status_code for _ in range(3)]
        assert statuses == [200, 200, 200]


def test_rate_fills_again_with_time() -> None:
    clock = HeldClock()
    rate = Rate(60, clock.now)
    for _ in range(60):
        rate.take("one")
    with pytest.raises(Refusal, match="come back in 1 s") as refusal:
        rate.take("one")
    assert refusal.value.headers == {"retry-after": "1"}
    clock.advance(1)
    rate.take("one")
    clock.advance(3600)
    for _ in range(60):
        rate.take("one")
    with pytest.raises(Refusal):
        rate.take("one")


def test_rate_remembers_no_more_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CALLERS", 3)
    rate = Rate(60)
    for caller in "abcdef":
        rate.take(caller)
    assert list(rate._buckets) == ["d", "e", "f"]


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/bug", "/openapi.json", "/docs", "/"])
async def test_every_response_tells_browsers_to_be_careful(server: Server, path: str) -> None:
    headers = (await server.client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


async def test_bug_is_logged_and_apologised_for_with_its_reference(server: Server) -> None:
    with capture_logs() as logs:
        response = await server.client.get("/bug")
    assert response.status_code == 500
    (line,) = [line for line in logs if line["event"] == "bug"]
    assert line["reference"] in sentence(response)
    assert "sk-secret" not in response.text
    assert isinstance(line["exc_info"], RuntimeError)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/none", 404), ("GET", "/size", 405)]
)
async def test_what_is_not_there_is_a_sentence(
    server: Server, method: str, path: str, status: int
) -> None:
    response = await server.client.request(method, path)
    assert response.status_code == status
    assert sentence(response) == f"{HTTPStatus(status).phrase}."


async def test_settings_refuse_what_they_do_not_know() -> None:
    for wrong in ({"prot": 1}, {"port": 70_000}, {"connections": 0}, {"body_seconds": -1}):
        values: dict[str, Any] = {**wrong}
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Settings(**values)
