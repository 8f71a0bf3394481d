"""The training data of this tunebot: files that are being prepared, and datasets that are ready."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bot.apart import apart
from bot.datasets.findings import Finding
from bot.datasets.preparation import Report
from bot.datasets.spoken import Conversations
from bot.errors import CommandError
from bot.messages import Attachment, ConversationId, Profile
from bot.ports import Clock
from bot.store import Store, datasets, spoken
from bot.store.datasets import Draft
from bot.training import Dataset, Kind
from bot.tuning.preparing import described, examined, written

DAY = 86_400.0
DRAFT_DAYS = 7  # that a file may wait for its decisions
DATA = (".csv", ".tsv", ".xlsx", ".json", ".jsonl")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the stored conversations are wanted: since a Unix time, `liked` only, answered by
    the profile's model only; as what kind of examples, None for the profile's own.
    """

    name: str
    since: float = 0.0
    liked: bool = False
    only_profile: bool = False
    kind: Kind | None = None


class Library:
    """Everything that a person prepares and trains from. Files are in `folder`, by draft."""

    def __init__(self, store: Store, folder: Path, clock: Clock) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock

    async def draft(self, attachment: Attachment, person: str) -> Draft:
        """Keep a copy of what a person sent, to be prepared."""
        now = self._clock.now()
        name = Path(attachment.name).name or "data"
        number = await self._store.insist(datasets.draft, name, "", person, now)
        path = self._folder / str(number) / name
        await asyncio.to_thread(copied, Path(attachment.path), path)
        await self._store.insist(datasets.place, number, str(path))
        return await self.drafted(number)

    async def spoken(
        self, where: ConversationId, profile: Profile, wanted: Wanted, person: str
    ) -> tuple[Draft, Sequence[Finding]]:
        """A draft of what was said in a conversation, or with no thread in all of its channel;
        and what was left out. Raises CommandError where nothing is to be learnt from it.
        """
        lines, findings = await self._examples(where, profile, wanted)
        if not lines:
            raise CommandError("There is nothing to train from: no whole answers are stored here.")
        name = f"{wanted.name}.jsonl"
        now = self._clock.now()
        number = await self._store.insist(datasets.draft, name, "", person, now)
        path = self._folder / str(number) / name
        await asyncio.to_thread(put_lines, path, lines)
        await self._store.insist(datasets.place, number, str(path))
        return await self.drafted(number), findings

    async def _examples(
        self, where: ConversationId, profile: Profile, wanted: Wanted
    ) -> tuple[list[str], Sequence[Finding]]:
        """The examples of stored conversations as lines of JSON, and what was left out."""
        maker = Conversations(profile, liked_only=wanted.liked)
        made = {
            "chat": maker.chat,
            "completion": maker.completions,
            "preference": maker.preferences,
        }[wanted.kind or ("completion" if profile.api == "completions" else "chat")]
        lines = []
        for row in await self._store.insist(spoken.places, where):
            model = profile.model if wanted.only_profile else ""
            for turns in await self._store.insist(spoken.said, row, wanted.since, model):
                lines += [json.dumps(each.fields, ensure_ascii=False) for each in made(turns)]
        return lines, maker.findings()

    async def drafted(self, number: int) -> Draft:
        """A draft. Raises CommandError when it is not there any more."""
        draft = await self._store.insist(datasets.drafted, number)
        if draft is None:
            raise CommandError("That file is prepared already, or was dropped: send it again.")
        return draft

    async def look(self, draft: Draft) -> Report:
        """What is to be said of a draft with what was chosen for it. Raises DatasetError."""
        return await apart(examined, Path(draft.path), draft.chosen)

    async def choose(self, draft: Draft, chosen: frozenset[str] | None) -> Draft:
        """Remember which changes are accepted; None for the recommended ones."""
        await self._store.insist(datasets.choose, draft.id, chosen)
        return await self.drafted(draft.id)

    async def finish(self, draft: Draft) -> Dataset:
        """Write a draft as it was chosen; it becomes a dataset. Raises DatasetError."""
        path = Path(draft.path)
        files = await apart(written, path, path.parent, draft.chosen)
        dataset = described(files, draft.name, draft.person, self._clock.now())
        dataset = await self._store.insist(datasets.put, dataset, draft.id)
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return dataset

    async def drop(self, draft: Draft) -> None:
        """Forget a draft and its file."""
        await self._store.insist(datasets.drop, draft.id)
        await asyncio.to_thread(shutil.rmtree, Path(draft.path).parent, ignore_errors=True)

    async def named(self, name: str) -> Dataset:
        """The dataset of a name. Raises CommandError with the nearest one."""
        dataset = await self._store.insist(datasets.named, name)
        if dataset:
            return dataset
        known = [each.name for each in await self.all()]
        nearest = get_close_matches(name, known, n=1, cutoff=0.4)
        remedy = f"did you mean {nearest[0]!r}?" if nearest else "/finetune datasets lists them."
        raise CommandError(f"There is no dataset named {name!r}: {remedy}")

    async def all(self) -> Sequence[Dataset]:
        """All datasets, newest first."""
        return await self._store.insist(datasets.listed)

    async def delete(self, dataset: Dataset) -> None:
        """Delete a dataset and its files."""
        await self._store.insist(datasets.delete, dataset.name)
        for path in filter(None, (dataset.training_file, dataset.validation_file)):
            await asyncio.to_thread(Path(path).unlink, missing_ok=True)

    async def sweep(self) -> None:
        """Delete drafts that nobody decided on for a week."""
        before = self._clock.now() - DRAFT_DAYS * DAY
        for path in await self._store.insist(datasets.old_drafts, before):
            await asyncio.to_thread(shutil.rmtree, Path(path).parent, ignore_errors=True)


def put_lines(path: Path, lines: Sequence[str]) -> None:
    """Write lines into a file in a folder of its own, which only its owner may read."""
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def copied(source: Path, target: Path) -> None:
    """Copy a file into a folder of its own, which only its owner may read."""
    target.parent.mkdir(mode=0o700, parents=True)
    shutil.copyfile(source, target)
