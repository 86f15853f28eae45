"""The pages of the front desk: today, the board, single hours, agreements, clients, and who is away."""

from service.web.front_desk import agreements, away, board, clients, hours, moves, today
from service.web.front_desk.desk import pages

__all__ = ["agreements", "away", "board", "clients", "hours", "moves", "pages", "today"]
