"""All figures of the README: `python -m benchmarks [--quick]`."""

from benchmarks import floor, store, turns

for figure in (turns, store, floor):
    figure.main()
