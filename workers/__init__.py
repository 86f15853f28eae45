"""From the outbox to the world: one more face of the use-cases, whose user is the clock."""
