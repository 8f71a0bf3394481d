"""A service that calls when a job has ended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Knock, Signature
from bot.tuning.webhook import PATH, door, job_of


@pytest.mark.parametrize("kind", ["succeeded", "failed", "cancelled"])
async def test_job_that_ended_is_looked_at(kind: str) -> None:
    poked: list[str] = []
    hook = door("whsec_c2VjcmV0", poked.append)
    body = {"id": "evt_1", "type": f"fine_tuning.job.{kind}", "data": {"id": "ftjob-1"}}
    opened = await hook.opens(Knock({}, json.dumps(body).encode()))
    assert (opened.status, poked) == (200, ["ftjob-1"])
    assert (hook.path, hook.proof) == (PATH, Signature("standard", "whsec_c2VjcmV0"))


async def test_what_is_about_something_else_is_taken_and_left() -> None:
    poked: list[str] = []
    body = {"type": "batch.completed", "data": {"id": "batch_1"}}
    opened = await door("whsec_c2VjcmV0", poked.append).opens(Knock({}, json.dumps(body).encode()))
    assert (opened.status, poked) == (200, [])


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "data", "id"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=50) | json_values.map(lambda value: json.dumps(value).encode()))
def test_nothing_that_is_posted_is_an_error(body: bytes) -> None:
    assert isinstance(job_of(body), str)
