"""A service of fine-tune jobs to try a bot with.

    python -m tests.tuning_server [--port 8090] [--azure] [--steps 303 --pace 2]

The first line is the base URL. Jobs live a story by themselves, and are moved over /control: see
tests.tuning_server.control.
"""

from __future__ import annotations

import asyncio

import click

from tests.tuning_server.control import Controlled
from tests.tuning_server.service import KEY
from tests.tuning_server.stories import Story


async def serve(server: Controlled) -> None:
    """Say where the server is and run until the process is ended."""
    async with server:
        click.echo(server.base_url)
        click.echo(f"export OPENAI_API_KEY={server.key}")
        await asyncio.get_running_loop().create_future()


@click.command()
@click.option("--port", default=0, help="0 takes any free one.")
@click.option("--key", default=KEY, help="The key that it wants.")
@click.option("--azure", is_flag=True, help="Speak as Azure does.")
@click.option("--steps", default=303, help="Steps of a job; 0: jobs are moved over /control only.")
@click.option("--pace", default=2.0, help="Seconds a step.")
def main(port: int, key: str, azure: bool, steps: int, pace: float) -> None:
    """Serve fine-tune jobs; the first line says the base URL."""
    story = Story(steps=steps, pace=pace, reading=5.0, waiting=5.0) if steps else None
    try:
        asyncio.run(
            serve(Controlled(key=key, azure=azure, story=story, port=port, keep_calls=False))
        )
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
