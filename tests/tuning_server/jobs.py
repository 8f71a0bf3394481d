"""A fine-tune job at the service, moved on by the test or by a story."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.tuning_server.values import Json

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

ENDS = {"succeeded", "failed", "cancelled"}


@dataclass(slots=True)
class Move:
    """Something that happens to a job at a time, in Unix seconds."""

    at: float
    happens: Callable[[], None]


@dataclass
class Job:
    """A job. `asked` is the body that made it; `moves` what is still to come of its story."""

    server: Service
    id: str
    asked: Json
    created_at: int
    legacy: bool = False
    status: str = "validating_files"
    finished_at: int | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    estimated_finish: int | None = None
    error: Json | None = None
    result_files: list[str] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    checkpoints: list[Json] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    moves: deque[Move] = field(default_factory=deque)
    moment: float = 0.0
    rested_at: float = 0.0
    before: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in ENDS

    # What happens to it

    def tell(self, message: str, level: str = "info", data: Json | None = None) -> None:
        """An event, now."""
        event: Json = {
            "object": "fine-tune-event" if self.legacy else "fine_tuning.job.event",
            "created_at": int(self.moment or self.server.now()),
            "level": level,
            "message": message,
        }
        if not self.legacy:
            event["id"] = f"ftevent-{self.server.number()}"
            event["type"] = "metrics" if data else "message"
            event["data"] = data or {}
        self.events.append(event)

    def queues(self, number: int | None = None) -> None:
        """It waits; with a number it says how many are before it."""
        if self.status != "queued" and self.legacy:
            self.tell("Fine-tune enqueued")
        elif self.status != "queued":
            self.tell("Files validated, moving job to queued state")
        self.status = "queued"
        if number is not None and self.legacy:
            self.tell(f"Fine-tune is in the queue. Queue number: {number}")
        elif number is not None:
            self.tell(f"Job enqueued. Waiting for jobs ahead to complete. Queue number: {number}.")

    def runs(self) -> None:
        """It is trained from now on."""
        self.status = "running"
        self.tell("Fine-tune started" if self.legacy else "Fine-tuning job started")

    def step(self, step: int, total: int, loss: float, valid_loss: float | None = None) -> None:
        """A step was made; the legacy surface does not tell of steps."""
        self.rows.append(f"{step},{loss},{0.5:.2f},{'' if valid_loss is None else valid_loss},")
        if self.legacy:
            return
        said = f"Step {step}/{total}: training loss={loss:.2f}"
        data: Json = {"step": step, "total_steps": total, "train_loss": loss}
        data["train_mean_token_accuracy"] = 0.5
        if valid_loss is not None:
            said += f", validation loss={valid_loss:.2f}"
            data["valid_loss"] = valid_loss
        self.tell(said, data=data)

    def epoch(self, number: int, total: int) -> None:
        """An epoch is through; OpenAI's surface tells steps instead."""
        if self.legacy:
            self.tell(f"Completed epoch {number}/{total}")

    def checkpoint(self, step: int, loss: float = 0.5) -> None:
        """A model of what was learned so far."""
        name = f"{self.model_name()}:ckpt-step-{step}"
        self.checkpoints.append(
            {
                "object": "fine_tuning.job.checkpoint",
                "id": f"ftckpt-{self.server.number()}",
                "created_at": int(self.moment or self.server.now()),
                "fine_tuned_model_checkpoint": name,
                "fine_tuning_job_id": self.id,
                "metrics": {"step": step, "train_loss": loss},
                "step_number": step,
            }
        )
        self.server.learn(self, name)
        self.tell(f"Checkpoint created at step {step}")

    def succeeds(self, tokens: int = 0) -> None:
        """It ends well: there are a model and a result file."""
        name = self.model_name()
        header = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
        table = "\n".join([header, *self.rows, ""]).encode()
        results = self.server.keep(f"{self.id}_results.csv", table, "fine-tune-results")
        self.result_files = [results.id]
        self.fine_tuned_model, self.trained_tokens = name, tokens or self.tokens()
        self.server.learn(self, name)
        if self.legacy:
            self.tell(f"Uploaded model: {name}")
            self.tell(f"Uploaded result file: {results.id}")
            self.tell("Fine-tune succeeded")
        else:
            self.tell(f"New fine-tuned model created: {name}")
            self.tell("The job has successfully completed")
        self._ends("succeeded")

    def fails(self, message: str = "The job failed.", line: int = 0, code: str = "") -> None:
        """It ends badly; a line of its file may be why."""
        if line:
            message = f"The job failed due to an invalid training file. Line {line}: {message}"
        self.error = {
            "code": code or ("invalid_training_file" if line else "server_error"),
            "message": message,
            "param": "training_file" if line else None,
        }
        self.tell(f"Fine-tune failed. {message}" if self.legacy else message, "error")
        self._ends("failed")

    def cancels(self) -> None:
        """Somebody ended it."""
        self.tell("Fine-tune cancelled" if self.legacy else "The job was cancelled")
        self._ends("cancelled")

    def pauses(self) -> None:
        """It rests; its story rests, too."""
        self.before, self.status = self.status, "paused"
        self.rested_at = self.server.now()
        self.tell("The job has been paused")

    def resumes(self) -> None:
        """It goes on; its story is later by so much."""
        self.status = self.before
        rested = self.server.now() - self.rested_at
        for move in self.moves:
            move.at += rested
        self.tell("The job has been resumed")

    def _ends(self, status: str) -> None:
        self.status = status
        self.finished_at = int(self.moment or self.server.now())
        self.moves.clear()
        self.server.webhooks.tell(self.id, status)

    def play(self, now: float) -> None:
        """Let happen what is due."""
        while self.moves and self.status != "paused" and self.moves[0].at <= now:
            move = self.moves.popleft()
            self.moment = move.at
            move.happens()
            self.moment = 0.0

    # What it says of itself

    def model_name(self) -> str:
        """The name of the model that it makes."""
        base, suffix, mark = self.asked["model"], self.asked.get("suffix"), self.id[-8:]
        if self.server.azure:
            return f"{base}.ft-{mark}"
        if self.legacy:
            return f"{base}:ft-{suffix or 'acme'}-{mark}"
        return f"ft:{base}:acme:{suffix or ''}:{mark}"

    def tokens(self) -> int:
        """What it was trained on: four characters a token."""
        file = self.server.files.get(self.asked["training_file"])
        return len(file.content) // 4 if file else 0
