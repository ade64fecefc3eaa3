"""The server: takes a free port, serves pictures of its own cases alone, and names none in a log."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Sequence
from importlib.resources import files

from dash import Dash
from flask import Response, abort, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from werkzeug.serving import BaseWSGIServer, make_server

from primum.core.check import InputError, PrimumError
from primum.explore import pictures
from primum.explore.app import hosts, layout
from primum.explore.app.stage import Stage
from primum.report import scripting

TRIED = 50
LARGEST_UPLOAD = 64 * 2**20
POLICY = (  # plotly compiles the shaders of large flat scatters with eval
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "script-src 'self' 'unsafe-eval' {}"
)
NO_PICTURE = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 120 120'>"
    "<rect width='120' height='120' fill='#f5f7f9'/>"
    "<text x='60' y='64' font-family='sans-serif' font-size='11' fill='#5d6b78' text-anchor='middle'>"
    "image missing</text></svg>"
)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on ``port``, or on the next free one of the fifty after it.

    Raises:
        InputError: when none is free, or the machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for tried in range(port, min(port + TRIED, 65536)):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, tried))
            listening.listen(128)
        except (TypeError, UnicodeError):  # no name that a network knows
            listening.close()
            raise InputError(f"--host: an address was expected, {host[:60]!r} arrived") from None
        except OSError as error:
            listening.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                continue
            raise InputError(
                f"--host {host}: this machine has no such address; use 127.0.0.1, or 0.0.0.0 for all"
            ) from None
        return listening
    raise InputError(
        f"--port {port}: none of the ports {port} to {min(port + TRIED, 65536) - 1} is free; name another"
    )


def make_app(stages: Sequence[Stage], host: str = hosts.LOOPBACK[0]) -> Dash:
    """The app over scenes that nobody changes: whatever a user chooses stays in that user's browser.

    Args:
        stages: what is shown, one per run or table.
        host: the address it will be served on; under other host names nothing is answered, see ``hosts``.
    """
    quiet()
    app = Dash(
        "primum.explore",
        serve_locally=True,
        include_assets_files=False,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        update_title="",
        index_string=_index(f"{stages[0].scene.name} · primum explorer"),
        enable_mcp=False,
    )
    hosts.guard(app.server, host)
    app.server.config["MAX_CONTENT_LENGTH"] = LARGEST_UPLOAD
    app.server.add_url_rule("/picture", "picture", lambda: _picture(stages, "picture"))
    app.server.add_url_rule("/map", "map", lambda: _picture(stages, "map"))
    app.layout = layout.page(stages)
    layout.connect(app, stages)
    script_source = scripting.source((files("primum.explore.app") / "saving.js").read_text("utf-8"))
    policy = POLICY.format(" ".join([script_source, *app.csp_hashes()]))
    app.server.after_request(lambda answer: _closed(answer, policy))
    return app


def open_server(app: Dash, listening: socket.socket) -> BaseWSGIServer:
    """A threaded server on a socket that :func:`bind` made."""
    host, port = listening.getsockname()[:2]
    return make_server(host, port, app.server, threaded=True, fd=listening.fileno())


def quiet() -> None:
    """Requests name cases, so they are not logged; errors of the app are."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


def _index(title: str) -> str:
    """The frame of the page, with the places that Dash fills; names are escaped, for Dash does not."""
    report, app_files = files("primum.report"), files("primum.explore.app")
    style = (report / "page.css").read_text("utf-8") + (app_files / "explorer.css").read_text("utf-8")
    environment = Environment(
        loader=PackageLoader("primum.explore.app", ""), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("index.html.jinja").render(
        title=Markup(str(escape(title)).replace("{", "&#123;")),  # or a name could be one of Dash's places
        style=Markup(style),
        script=Markup((app_files / "saving.js").read_text("utf-8")),
        placed=lambda name: Markup("".join(("{%", name, "%}"))),
    )


def _picture(stages: Sequence[Stage], kind: str) -> Response:
    """The picture, or the map, of one case of a scene by its row; anything else is not found."""
    arguments = {name: request.args.get(name, "") for name in ("scene", "case", "size")}
    numbers = {name: int(value) for name, value in arguments.items() if value.isascii() and value.isdecimal()}
    if any(value and name not in numbers for name, value in arguments.items()):
        abort(404)
    number, row, size = (numbers.get(name) for name in ("scene", "case", "size"))
    if number is None or row is None or number >= len(stages) or row >= len(stages[number].scene):
        abort(404)
    scene = stages[number].scene
    key = scene.cases["key"][row]
    headers = {"Cache-Control": "no-store"}  # pictures of patients stay in no cache
    try:
        content = pictures.heat(scene, key) if kind == "map" else pictures.png(scene, key, size)
    except PrimumError:
        content = None
    if content is None:
        return Response(NO_PICTURE, status=404, mimetype="image/svg+xml", headers=headers)
    return Response(content, mimetype="image/png", headers=headers)


def _closed(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"  # no picture in a page elsewhere
    return response
