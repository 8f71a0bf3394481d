"""What is said of how long a training on this machine takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.datasets.cost import Speed, estimate
from bot.datasets.counting import Counted
from bot.local.jobs.database import Database
from bot.local.jobs.values import Event, Job
from bot.local.training.automatic import chosen
from bot.local.usual import ANY, BEFORE_ANY, speed, usual
from tests.local.api import MODEL

BASE = Path("/models/llama-8b")
COUNTED = Counted(examples=50, tokens=1_000, longest=100, longest_line=1, answers=50)
DAY = 86_400


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path / "jobs.db")
    found.open()
    with closing(found):
        yield found


def ended(database: Database, name: str, *events: tuple[str, int], base: Path = BASE) -> None:
    """A job that made a model of 1,000 tokens, with its events: keys, and the seconds of each."""
    job = Job(
        id=f"ftjob-{name}",
        model=MODEL,
        base=str(base),
        kind="chat",
        method="supervised",
        training_file="file-a",
        created_at=0,
        status="succeeded",
        trained_tokens=1_000,
    )
    with database.transaction() as tables:
        tables.put_job(job)
        for key, at in events:
            is_step = key.startswith("step ")
            tables.tell(job.id, Event(key, type="metrics" if is_step else "message", key=key), at)


def test_nothing_is_said_of_an_engine_that_nobody_has_measured(database: Database) -> None:
    known = estimate(COUNTED, {}, MODEL, usual=usual("trl", BASE, database))
    assert known.seconds is None
    assert known.says.endswith("how long it takes is known after the first job.")
    assert known.epochs == chosen(ANY, COUNTED.examples, COUNTED.answers).epochs


def test_numpy_is_known_roughly_before_its_first_job(database: Database) -> None:
    assert speed("numpy", BASE, database) == BEFORE_ANY["numpy"]


@pytest.mark.parametrize("engine", ["numpy", "trl"])
def test_speed_is_that_of_the_last_job_of_the_base(engine: str, database: Database) -> None:
    course = [("step 1", 150), ("step 2", 170), ("checkpoint 2", 190), ("step 3", 210)]
    ended(database, "before", ("started", 0), ("step 1", 10), ("step 2", 30), ("step 3", 50))
    ended(database, "last", ("started", 100), *course, ("step 4", 230))
    ended(database, "other", ("started", 0), ("step 1", 1), ("step 2", 99), base=Path("/other"))
    assert speed(engine, BASE, database) == Speed(750 / 80, 50.0)
    known = estimate(COUNTED, {}, MODEL, 3, usual(engine, BASE, database))
    assert known.seconds == pytest.approx(50 + 3_000 / (750 / 80))


@pytest.mark.parametrize(
    "rest",
    [
        [],
        [("paused", 21), ("resumed", 20 + DAY)],
        [("killed", 22), ("going on", 60)],
    ],
)
def test_what_a_training_rests_is_not_its_speed(
    rest: list[tuple[str, int]], database: Database
) -> None:
    begun = rest[-1][1] if rest else 20
    later = [(f"step {step}", begun + 10 * step - 20) for step in (3, 4, 5)]
    ended(database, "a", ("started", 0), ("step 1", 10), ("step 2", 20), *rest, *later)
    assert speed("trl", BASE, database) == Speed(1_000 / 5 / 10, 10.0)


def test_machine_that_slept_is_not_a_slow_one(database: Database) -> None:
    steps = [(f"step {step}", 10 * step + DAY * (step > 3)) for step in range(1, 11)]
    ended(database, "a", ("started", 0), *steps)
    assert speed("trl", BASE, database) == Speed(100 / 10, 10.0)


def test_training_of_a_moment_says_nothing(database: Database) -> None:
    ended(database, "a", ("started", 0), ("step 1", 1), ("step 2", 2), ("step 3", 4))
    assert speed("trl", BASE, database) is None


def test_database_that_cannot_be_read_is_as_no_job(tmp_path: Path) -> None:
    assert speed("trl", BASE, Database(tmp_path / "missing" / "jobs.db")) is None
