"""Pages, by reader: parse, ask a use-case, present."""
