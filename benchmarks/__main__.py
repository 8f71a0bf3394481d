"""All figures of the README: `python -m benchmarks [--quick]`."""

from benchmarks import floor, http, prepare, slack, store, telegram, training, tuning, turns

for figure in (turns, http, telegram, slack, store, floor, prepare, training):
    figure.main()
tuning.main(())
