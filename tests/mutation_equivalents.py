"""Mutants that no test can tell from the code, each with the reason why: (module, source line, what stands there)."""

EQUIVALENT: dict[tuple[str, str, str], str] = {}
