"""samehour: standing appointments kept at the same hour, with the same person, in the same place.

This package imports nothing: importing `service.domain` must not load a web framework or a database.
"""
