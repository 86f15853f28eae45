"""`python -m service.commands …` is `samehour …`, for callers that know only their interpreter."""

from service.commands import main

main(prog_name="samehour")
