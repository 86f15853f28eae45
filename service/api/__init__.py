"""JSON by noun under /api/v1: parse, ask a use-case, present."""
