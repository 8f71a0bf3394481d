"""All figures of the README: `python -m benchmarks [--quick]`."""

from benchmarks import floor, http, prepare, store, telegram, turns

for figure in (turns, http, telegram, store, floor, prepare):
    figure.main()
