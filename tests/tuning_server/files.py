"""Files: uploaded, read after a while, listed, fetched, deleted."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.tuning_server.values import Answered, Call, Json, Refused

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

LARGEST = 512 * 1024**2


@dataclass(slots=True)
class File:
    """A file at the service. It is read at `ready_at`, None while the test holds it back."""

    id: str
    name: str
    content: bytes
    purpose: str
    created_at: int
    ready_at: float | None = None
    status: str = "uploaded"
    reason: str = ""
    metadata: Json = field(default_factory=dict)

    def read(self) -> None:
        """The service has read it, or found what it cannot read."""
        line, reason = first_fault(self.content) if self.purpose == "fine-tune" else (0, "")
        self.status = "processed"
        if line:
            self.refuse(f"Invalid file format. Line {line}: {reason}")

    def refuse(self, reason: str) -> None:
        """The service cannot read it."""
        self.status, self.reason = "error", reason

    def json(self, *, azure: bool = False) -> Json:
        """The object as it goes out."""
        status = "pending" if azure and self.status == "uploaded" else self.status
        told: Json = {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "filename": self.name,
            "purpose": self.purpose,
            "status": status,
        }
        return told | ({"status_details": self.reason} if self.reason else {})


def first_fault(content: bytes) -> tuple[int, str]:
    """The first line that is no JSON object, and why; (0, "") if all are."""
    for number, line in enumerate(content.splitlines(), 1):
        try:
            if not isinstance(json.loads(line), dict):
                return number, "expected an object."
        except ValueError:
            return number, "not valid JSON."
    return (0, "") if content.strip() else (1, "the file is empty.")


def create(server: Service, call: Call) -> Answered:
    """Take a file."""
    given = call.body if isinstance(call.body, dict) else {}
    if given.get("purpose") != "fine-tune":
        raise Refused(
            400, f"'{given.get('purpose')}' is not one of ['fine-tune'].", param="purpose"
        )
    if not call.filename:
        raise Refused(400, "'file' is a required property", param="file")
    if len(call.content) > LARGEST:
        raise Refused(413, "Maximum content size limit (536870912) exceeded")
    file = server.keep(call.filename, call.content)
    return Answered(file.json(azure=server.azure), 201 if server.azure else 200)


def listed(server: Service, call: Call) -> Answered:
    """The files, newest first."""
    purpose = call.query.get("purpose")
    files = [file for file in server.files.values() if purpose in {None, file.purpose}]
    files.sort(key=lambda file: (file.created_at, int(file.id.rpartition("-")[2])), reverse=True)
    page = server.page([file.json(azure=server.azure) for file in files], call, 10_000)
    ids = [each["id"] for each in page["data"]] or [""]
    return Answered(page | {"first_id": ids[0], "last_id": ids[-1]})


def retrieve(server: Service, call: Call) -> Answered:
    """One file."""
    return Answered(found(server, call.id).json(azure=server.azure))


def content(server: Service, call: Call) -> Answered:
    """What is in a file; result files are base64 where the server is one of those."""
    file = found(server, call.id)
    packed = server.base64_results and file.purpose == "fine-tune-results"
    body = base64.encodebytes(file.content) if packed else file.content
    return Answered(content=body, content_type="application/octet-stream")


def delete(server: Service, call: Call) -> Answered:
    """Have a file no more."""
    file = found(server, call.id)
    del server.files[file.id]
    return Answered({"id": file.id, "object": "file", "deleted": True})


def found(server: Service, id_: str) -> File:
    """The file of an id."""
    if id_ not in server.files:
        raise Refused(404, f"No such File object: {id_}", param="id")
    return server.files[id_]
