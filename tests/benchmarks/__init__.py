"""How fast, measured on this machine against a floor or a peer in the same run.

`python -m tests.benchmarks` runs every `p*.py`, prints one line a figure and writes `latest.json`;
`python -m tests.benchmarks p1 p4` runs those and leaves the other rows as they were. Each module has
`run()`, which returns a `Figure` or several. No part of the tests: a noisy machine fails nothing.
"""
