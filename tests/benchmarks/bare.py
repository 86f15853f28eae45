"""The floor for an unchanged feed: Flask with one view that says 304, and nothing else around it."""

from flask import Flask, Response

app = Flask("bare")


@app.get("/feeds/<secret>.ics")
def feed(secret: str) -> Response:
    response = Response(status=304)
    response.headers["ETag"] = '"0123456789abcdef0123456789abcdef"'
    return response
