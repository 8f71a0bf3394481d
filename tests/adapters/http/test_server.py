"""The server itself: where it listens, how it ends, and whom it keeps waiting."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import httpx
import pytest
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs

from adapters.http import assembly, create
from adapters.http import server as server_module
from adapters.http.exchanges import Exchanges
from adapters.http.keys import Keys
from adapters.http.server import bind
from adapters.http.settings import Settings
from bot.errors import ConfigError
from bot.ports import Check, Core
from tests.adapters.http.stage import KEY, Server, exchange, serving

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
LONG_HEADER = b"X-Long: " + b"x" * 8000 + b"\r\n"


class Stream:
    """A route whose response goes on as the test says."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.gone = asyncio.Event()
        self.piece = "whole"

    def routes(self, core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:  # noqa: ARG002
        router = APIRouter()

        @router.get("/stream")
        async def stream() -> StreamingResponse:
            return StreamingResponse(self.pieces())

        return router

    async def pieces(self) -> AsyncGenerator[str, None]:
        try:
            yield "begun, "
            await self.go_on.wait()
            yield self.piece
        finally:
            self.gone.set()


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream()
    monkeypatch.setattr(assembly, "ROUTES", (*assembly.ROUTES, stream.routes))
    return stream


async def test_occupied_port_is_a_sentence_that_names_the_key(server: Server) -> None:
    with pytest.raises(ConfigError, match=rf"^adapters\.http\.port: {server.port} is used"):
        async with serving(port=server.port):
            pass


async def test_who_named_no_port_gets_a_free_one(server: Server) -> None:
    unnamed = Settings.model_construct(set(), **{**dict(Settings()), "port": server.port})
    with bind("http", unnamed) as other:
        assert other.getsockname()[1] not in {0, server.port}


async def test_small_events_do_not_wait_for_each_other() -> None:
    with bind("http", Settings(port=0)) as listener:
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_address_of_another_machine_is_a_sentence_that_names_the_key() -> None:
    with pytest.raises(ConfigError, match=r"^adapters\.http\.host: .*'192\.0\.2\.1'.*127\.0\.0\.1"):
        async with serving(host="192.0.2.1", environment={"TUNEBOT_API_KEYS": KEY}):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "bot.example.com"])  # noqa: S104
async def test_nobody_listens_beyond_this_machine_without_keys(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^adapters\.http\.host: .*TUNEBOT_API_KEYS"):
        async with serving(host=host):
            pass


async def test_port_is_free_again_at_once_after_a_stop() -> None:
    async with serving() as first:
        port = first.port
        await first.client.get("/healthz")
    async with serving(port=port) as second:
        assert (await second.client.get("/healthz")).text == "ok"


async def test_person_at_the_terminal_is_told_where_the_page_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    async with serving() as server:
        assert f"The page: http://127.0.0.1:{server.port}/\n" in capsys.readouterr().err


async def test_signals_stay_the_program_s_own() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    async with serving():
        assert before == [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]


async def test_answer_that_was_begun_is_given_to_its_end_after_the_stop(stream: Stream) -> None:
    async with serving() as server, server.client.stream("GET", "/stream") as response:
        pieces = response.aiter_text()
        text = await anext(pieces)
        await server.stop()
        closing = asyncio.create_task(server.adapter.close())
        stream.go_on.set()
        text += "".join([piece async for piece in pieces])
        await closing
        assert text == "begun, whole"


async def test_nobody_new_is_let_in_after_the_stop(stream: Stream) -> None:
    async with serving() as server, server.client.stream("GET", "/stream"):
        await server.stop()
        async with httpx.AsyncClient(base_url=server.adapter.address) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("/healthz")
        stream.go_on.set()


async def test_connection_that_waits_for_nothing_is_closed_by_the_stop(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(HEAD + f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode())
    assert b"200 OK" in await reader.readuntil(b"ok")
    await server.stop()
    assert await reader.read() == b""
    writer.close()


async def test_answer_that_does_not_end_is_cut_in_the_end(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "FLUSH_SECONDS", 0.05)
    before = asyncio.all_tasks()
    async with serving() as server, server.client.stream("GET", "/stream") as response:
        await anext(response.aiter_text())
        await server.stop()
        await server.adapter.close()
        assert stream.gone.is_set()
        assert asyncio.all_tasks() == before


async def test_head_that_does_not_end_is_cut() -> None:
    async with serving(header_seconds=0.05) as server:
        answer = await exchange(server, HEAD)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'{"error": {"message": "The head of the request took too long."}}' in answer


async def test_head_that_comes_byte_by_byte_is_cut() -> None:
    async with serving(header_seconds=0.1) as server:
        reader, writer = await server.connect()
        writer.write(HEAD)
        answer = b""
        while not answer:
            writer.write(b"X")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    answer = await reader.read(100)
        assert answer.startswith(b"HTTP/1.1 408 ")
        writer.close()


@pytest.mark.parametrize("slowly", [b"", b"\r\n", b"GET /healthz HT"])
async def test_second_head_on_a_connection_is_cut_too(slowly: bytes) -> None:
    async with serving(header_seconds=0.5) as server:
        host = f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()
        reader, writer = await server.connect()
        writer.write(b"GET /healthz HTTP/1.1\r\n" + host)
        await reader.readuntil(b"ok")
        writer.write(slowly or b"G")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_connection_without_a_request_is_closed() -> None:
    async with serving(header_seconds=0.05) as server:
        assert (await exchange(server)).startswith(b"HTTP/1.1 408 ")


async def test_head_without_an_end_is_not_kept(server: Server) -> None:
    answer = await exchange(server, HEAD, *[LONG_HEADER] * 9)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_head_without_an_end_is_not_kept_while_the_one_before_is_answered(
    stream: Stream,
) -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
        await reader.readuntil(b"begun, ")
        writer.write(HEAD + LONG_HEADER * 100)
        async with asyncio.timeout(5):
            with suppress(ConnectionResetError):
                assert await reader.read() == b"\r\n"
            await stream.gone.wait()
        writer.close()


async def test_refusal_of_the_next_head_is_not_read_as_the_answer_before(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def ready() -> Sequence[Check]:
        asked.set()
        await go_on.wait()
        return server.core.checks

    monkeypatch.setattr(server.core, "ready", ready)
    reader, writer = await server.connect()
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
    await asked.wait()
    writer.write(HEAD + LONG_HEADER * 100)
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    go_on.set()
    writer.close()


async def test_trailer_without_an_end_is_not_kept(server: Server) -> None:
    head = b"POST /api/question HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port
    chunked = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await exchange(server, head + chunked, b"1\r\n{\r\n0\r\n", LONG_HEADER * 100)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_one_connection_too_many_is_told_so_and_the_next_finds_room() -> None:
    async with serving(connections=2) as server:
        inside = [await server.connect() for _ in range(2)]
        assert (await exchange(server)).startswith(b"HTTP/1.1 503 ")
        for _, writer in inside:
            writer.close()
            await writer.wait_closed()
        assert (await server.client.get("/healthz")).text == "ok"


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01", b"GET / HTTP/9\r\n\r\n", b"CONNECT \xff\r\n"]
)
async def test_what_is_no_request_is_answered_with_a_sentence(
    server: Server, nonsense: bytes
) -> None:
    answer = await exchange(server, nonsense)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error": {"message": "This is not a request of HTTP/1.1."}}' in answer


async def test_body_that_breaks_off_its_form_is_answered_with_a_sentence(server: Server) -> None:
    head = b"POST /api/question HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port
    chunked = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with capture_logs() as logs:
        answer = await exchange(server, head + chunked, b"1\r\n{\r\n", b"no length\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert logs == []


async def test_nonsense_in_the_middle_of_an_answer_ends_the_connection(stream: Stream) -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
        await reader.readuntil(b"begun, ")
        with capture_logs() as logs:
            writer.write(b"\x00nonsense\r\n\r\n")
            with suppress(ConnectionResetError):
                assert b"HTTP/1.1" not in await reader.read()
            await stream.gone.wait()
        assert logs == []
        writer.close()


async def test_who_reads_slowly_is_served_and_who_does_not_is_hung_up_on(stream: Stream) -> None:
    stream.piece = "x" * 40_000_000  # more than the network between us holds
    stream.go_on.set()
    async with serving() as server:
        assert server.adapter._server
        reader, writer = await server.connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
        for _ in range(3):
            await reader.readexactly(5_000_000)
            await server.adapter._server.hang_up_on_stalled()
        for _ in range(100):
            await server.adapter._server.hang_up_on_stalled()
            await asyncio.sleep(0)
        assert len(await reader.read()) < 25_000_000  # only what was on its way already
        writer.close()


async def test_slow_heads_hold_up_nobody_else(server: Server) -> None:
    slow = [await server.connect() for _ in range(50)]
    for _, writer in slow:
        writer.write(HEAD)
    assert (await server.client.get("/healthz")).text == "ok"
    for _, writer in slow:
        writer.close()


async def test_check_says_that_the_port_is_free() -> None:
    async with serving() as server:
        port = server.port
        running = await server.adapter.check()
    assert all(check.works for check in running)
    async with serving() as other:
        other.adapter._settings = Settings(port=port)
        address, keys = await other.adapter.check()
    assert (address.works, address.found) == (True, f"free to listen at http://127.0.0.1:{port}/")
    assert "TUNEBOT_API_KEYS is empty" in keys.found


async def test_check_says_who_each_key_is_without_the_key() -> None:
    adapter = create("http", Settings(port=0), {"TUNEBOT_API_KEYS": KEY})
    _, keys = await adapter.check()
    caller = Keys({"TUNEBOT_API_KEYS": KEY}).find(KEY.encode())
    assert keys.found == f"TUNEBOT_API_KEYS has key 1 (a-ke…) as {caller}"
    assert KEY not in keys.found


async def test_who_comes_through_a_proxy_needs_a_key() -> None:
    with pytest.raises(ConfigError, match=r"^adapters\.http\.hosts: .*TUNEBOT_API_KEYS"):
        async with serving(hosts=["chat.example.com"]):
            pass
    async with serving(hosts=["chat.example.com"], environment={"TUNEBOT_API_KEYS": KEY}):
        pass


async def test_check_knows_a_running_tunebot(server: Server) -> None:
    other = type(server.adapter)("http", Settings(port=server.port), server.adapter._keys)
    address, _ = await other.check()
    assert address.works
    assert address.found == f"a running tunebot answers at {server.adapter.address}"


async def test_check_says_that_something_else_has_the_port(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(5)
        port = taken.getsockname()[1]
        other = type(server.adapter)("http", Settings(port=port), server.adapter._keys)
        asking = asyncio.create_task(other.check())
        loop = asyncio.get_running_loop()
        connection, _ = await loop.run_in_executor(None, taken.accept)
        connection.close()
        address, _ = await asking
    assert not address.works
    assert f"adapters.http.port: {port} is used by another program" in address.found
