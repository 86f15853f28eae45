"""Everything one can ask of samehour: one public function each, in modules by noun.

Each opens one transaction and goes the same way: find, may, decide, write, record, tell. What is written is audited
and put in the outbox in that transaction. `by` says on whose behalf, `now` what time it is.
"""
