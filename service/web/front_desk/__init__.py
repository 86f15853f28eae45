"""The pages of the front desk: today, the board, single hours, agreements, clients, and who is away."""

from flask import Blueprint

pages = Blueprint("front_desk", __name__)
