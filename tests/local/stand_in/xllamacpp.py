"""What stands for llama.cpp in a child process: it asks the test what to answer.

See tests.local.scripted.ScriptedLlama. Nothing of the project is imported here.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

llama_pooling_type = SimpleNamespace(LLAMA_POOLING_TYPE_MEAN="mean")


class CommonParams(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(
            model=SimpleNamespace(),
            cpuparams=SimpleNamespace(),
            cpuparams_batch=SimpleNamespace(),
            lora_adapters=[],
            embedding=False,
            n_batch=2048,
        )


class CommonAdapterLoraInfo(SimpleNamespace):
    pass


class Server:
    def __init__(self, params: Any) -> None:
        for adapter in params.lora_adapters:
            if b"broken" in Path(adapter.path).read_bytes():
                raise RuntimeError(f"failed to load {adapter.path}")
        if params.embedding and b"no embeddings" in Path(params.model.path).read_bytes():
            raise RuntimeError("failed to pool")
        Handler.params = params
        self._http = ThreadingHTTPServer(("127.0.0.1", params.port), Handler)
        self.listening_address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Each request is a connection to the test, which sends back what is to be answered."""

    protocol_version = "HTTP/1.1"
    params: Any

    def do_GET(self) -> None:
        self.pass_on({})

    def do_POST(self) -> None:
        self.pass_on(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def pass_on(self, body: Any) -> None:
        loaded = [[Path(one.path).name, one.scale] for one in self.params.lora_adapters]
        asked = {
            "path": self.path,
            "body": body,
            "adapters": loaded,
            "embeds": self.params.embedding,
            "batch": self.params.n_batch,
            "threads": [
                self.params.cpuparams_batch.n_threads,
                self.params.cpuparams.n_threads,
            ],
            "cache": self.params.cache_ram_mib,
            "key": self.headers["Authorization"].removeprefix("Bearer ") in self.params.api_keys,
            "process": os.getpid(),
        }
        port = int(os.environ["SCRIPTED_LLAMA"])
        with socket.create_connection(("127.0.0.1", port)) as test:
            test.sendall(json.dumps(asked).encode() + b"\n")
            self.answer(test)
        self.close_connection = True

    def answer(self, test: socket.socket) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([test, self.connection], [], [])
            if self.connection in ready:
                return  # the client has gone, and says nothing else
            if not (piece := test.recv(65536)):
                return
            heard += piece
            *lines, heard = heard.split(b"\n")
            for line in lines:
                order = json.loads(line)
                if "status" in order:
                    self.send_response(order["status"])
                    for name, value in order["headers"].items():
                        self.send_header(name, value)
                    self.end_headers()
                if "content" in order:
                    self.wfile.write(order["content"].encode())
                    self.wfile.flush()
                if "end" in order:
                    return

    def log_message(self, *_: Any) -> None:
        """Nothing."""
