"""The training data of this tunebot: files that are being prepared, and datasets that are ready."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from bot.apart import Died, apart
from bot.datasets.findings import Finding
from bot.datasets.preparation import Report
from bot.datasets.spoken import Conversations
from bot.errors import CommandError, DatasetError
from bot.messages import Attachment, ConversationId, Profile
from bot.ports import Clock
from bot.store import Store, datasets, spoken
from bot.store.datasets import Draft
from bot.training import Dataset, Kind
from bot.tuning.folder import clear, copied, file_name, in_a_folder, put_lines
from bot.tuning.preparing import Written, described, examined, rewritten, written

P = ParamSpec("P")
T = TypeVar("T")
DAY = 86_400.0
DRAFT_DAYS = 7  # that a file may wait for its decisions
DATA = (".csv", ".tsv", ".xlsx", ".json", ".jsonl")

log = structlog.get_logger()


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


Stoppable = Callable[[Awaitable[Written]], Awaitable[Written]]


async def to_the_end(work: Awaitable[Written]) -> Written:
    """What a work returns that nobody stops."""
    return await work


class Library:
    """Everything that a person prepares and trains from. Files are in `folder`, by draft."""

    def __init__(self, store: Store, folder: Path, clock: Clock) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._writing: set[int] = set()

    async def draft(self, attachment: Attachment, person: str) -> Draft:
        """Keep a copy of what a person sent, to be prepared."""
        source = Path(attachment.path)
        return await self._placed(attachment.name, person, partial(copied, source))

    async def again(self, dataset: Dataset, person: str) -> Draft:
        """A draft of what a dataset trains from."""
        source = Path(dataset.training_file)
        return await self._placed(source.name, person, partial(copied, source))

    async def rewritten(
        self, dataset: Dataset, kind: Kind, person: str
    ) -> tuple[Draft, Sequence[Finding]]:
        """A draft of what a dataset trains from, as examples of another kind; and what was left
        out. Raises DatasetError where nothing can be written so.
        """
        source = Path(dataset.training_file)
        draft = await self._placed(f"{dataset.name}-{kind}.jsonl", person, in_a_folder)
        try:
            findings = await self._apart(rewritten, source, Path(draft.path), kind, dataset)
        except BaseException:
            await self.drop(draft)
            raise
        return draft, findings

    async def spoken(
        self, where: ConversationId, profile: Profile, wanted: Wanted, person: str
    ) -> tuple[Draft, Sequence[Finding]]:
        """A draft of what was said in a conversation, or with no thread in all of its channel;
        and what was left out. Raises CommandError where nothing is to be learnt from it.
        """
        lines, findings = await self._examples(where, profile, wanted)
        if not lines:
            raise CommandError("There is nothing to train from: no whole answers are stored here.")
        draft = await self._placed(f"{wanted.name}.jsonl", person, partial(put_lines, lines))
        return draft, findings

    async def _placed(self, name: str, person: str, put: Callable[[Path], None]) -> Draft:
        """A draft whose file `put` puts into a folder of its own. Raises DatasetError."""
        path = self._folder / secrets.token_hex(8) / file_name(name)
        now = self._clock.now()
        number = await self._store.insist(datasets.draft, path.name, str(path), person, now)
        try:
            await asyncio.to_thread(put, path)
        except OSError as error:
            await self.drop(await self.drafted(number))
            raise DatasetError(f"{path.name} cannot be kept: {error.strerror}.") from None
        return await self.drafted(number)

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
        return await self._apart(examined, Path(draft.path), draft.chosen)

    async def choose(self, draft: Draft, chosen: frozenset[str] | None) -> Draft:
        """Remember which changes are accepted; None for the recommended ones."""
        await self._store.insist(datasets.choose, draft.id, chosen)
        return await self.drafted(draft.id)

    async def finish(self, draft: Draft, stoppable: Stoppable = to_the_end) -> Dataset:
        """Write a draft as it was chosen; it becomes a dataset. What is `stoppable` may be ended
        and leaves nothing. Raises DatasetError.
        """
        path = Path(draft.path)
        self._begin(draft)
        try:
            files = await stoppable(self._written(path, draft.chosen))
            dataset = described(files, draft.name, draft.person, self._clock.now())
            dataset = await self._store.insist(datasets.put, dataset, draft.id)
        finally:
            self._writing.discard(draft.id)
        await self._remove(draft)
        return dataset

    async def _written(self, path: Path, chosen: frozenset[str] | None) -> Written:
        """The files of a draft. Those of a process that was ended are deleted."""
        try:
            return await self._apart(written, path, path.parent, chosen)
        except BaseException:
            if path.parent.parent == self._folder:
                await asyncio.to_thread(clear, path.parent, {path})
            raise

    async def drop(self, draft: Draft) -> None:
        """Forget a draft and its file."""
        self._begin(draft)
        self._writing.discard(draft.id)
        await self._store.insist(datasets.drop, draft.id)
        await self._remove(draft)

    def _begin(self, draft: Draft) -> None:
        """Raise CommandError for a draft that somebody has written just now."""
        if draft.id in self._writing:
            raise CommandError(f"{draft.name} is being made a dataset just now.")
        self._writing.add(draft.id)

    async def _apart(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Work in a process of its own. Raises DatasetError where that did not live to its end."""
        try:
            return await apart(work, *args, **kwargs)
        except Died as error:
            log.warning("preparation died", reason=str(error))
            raise DatasetError(
                "The file could not be worked on to its end: it may need more memory than there "
                "is. Send it in parts, or prepare it with `tunebot prepare`."
            ) from None

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
        for path in files_of(dataset):
            await asyncio.to_thread(Path(path).unlink, missing_ok=True)

    async def sweep(self) -> None:
        """Delete the drafts that nobody decided on for a week, and the files of those that were
        dealt with when a crash came.
        """
        before = self._clock.now() - DRAFT_DAYS * DAY
        for draft in await self._store.insist(datasets.dropped, before):
            if draft.id not in self._writing:
                await self._remove(draft)

    async def _remove(self, draft: Draft) -> None:
        """Delete the folder of a draft, but for what became a dataset. No other folder is touched,
        whatever the database says.
        """
        folder = Path(draft.path).parent
        if folder.parent == self._folder:
            kept = {Path(path) for each in await self.all() for path in files_of(each)}
            await asyncio.to_thread(clear, folder, kept)
        await self._store.insist(datasets.gone, draft.id)


def files_of(dataset: Dataset) -> list[str]:
    """The files of a dataset."""
    return [path for path in (dataset.training_file, dataset.validation_file) if path]
