"""Calendars that people subscribe to on their phones: read-only, one secret address each, no client named unasked."""
