"""One file a figure in the README: `python -m benchmarks` runs them all."""
