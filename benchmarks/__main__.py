"""All figures of the README: `python -m benchmarks [--quick]`."""

from benchmarks import floor, http, store, telegram, turns

for figure in (turns, http, telegram, store, floor):
    figure.main()
