"""What the server gives out, and to whom."""

from __future__ import annotations

import html
import io
import re
import socket
from dataclasses import replace

import pytest
from PIL import Image

from primum.core.check import InputError
from primum.explore.app import server
from primum.report import scripting


@pytest.fixture
def client(pictured):
    return server.make_app([pictured]).server.test_client()


def test_the_picture_of_a_case(client) -> None:
    answer = client.get("/picture?scene=0&case=0")
    assert answer.status_code == 200
    assert answer.mimetype == "image/png"
    assert answer.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(answer.data)).size == (20, 12)
    small = client.get("/picture?scene=0&case=0&size=10")
    assert Image.open(io.BytesIO(small.data)).size == (10, 6)


@pytest.mark.parametrize(
    "asked",
    [
        "scene=0&case=1", "scene=0&case=2", "scene=0&case=3", "scene=1&case=0", "scene=0&case=-1", "scene=0",
        "case=0", "", "scene=0&case=../secret.png", "scene=0&case=0&size=../..", "scene=0&case=²",
        "scene=x&case=0",
    ],
)  # fmt: skip
def test_anything_else_is_not_found(client, asked) -> None:
    answer = client.get(f"/picture?{asked}")
    assert answer.status_code == 404
    assert b"PNG" not in answer.data


@pytest.mark.parametrize(
    "path", ["/picture/../secret.png", "/images/here.png", "/assets/../here.png", "/map?scene=0&case=0"]
)
def test_no_file_is_served_by_its_path(client, path) -> None:
    assert b"PNG" not in client.get(path).data


def test_another_host_name_is_not_answered(client) -> None:
    assert client.get("/", headers={"Host": "127.0.0.1:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "localhost:8050"}).status_code == 200
    assert client.get("/picture?scene=0&case=0", headers={"Host": "elsewhere.example"}).status_code == 400


def test_the_page_names_no_address_elsewhere(client) -> None:
    page = client.get("/")
    text = page.data.decode()
    assert "primum explorer" in text
    named = re.findall(r"(?:src|href|action)=[\"']([^\"']+)", text) + re.findall(r"url\(([^)]+)\)", text)
    assert named
    assert [one for one in named if re.match(r"(https?:)?//", one)] == []
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_every_script_of_the_page_is_served_here(client) -> None:
    scripts = re.findall(r"<script[^>]* src=[\"']([^\"']+)", client.get("/").data.decode())
    assert scripts
    assert {client.get(script).status_code for script in scripts} == {200}


def test_a_taken_port_gives_way_to_the_next() -> None:
    with server.bind("127.0.0.1", 0) as first:
        taken = first.getsockname()[1]
        with server.bind("127.0.0.1", taken) as second:
            assert taken < second.getsockname()[1] <= taken + server.TRIED


def test_no_free_port_is_refused(monkeypatch, refused) -> None:
    monkeypatch.setattr(server, "TRIED", 1)
    with server.bind("127.0.0.1", 0) as first:
        refused(lambda: server.bind("127.0.0.1", first.getsockname()[1]), "--port", "name another")


def test_an_address_this_machine_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="no such address"):
        server.bind("203.0.113.7", 0)


def test_only_this_machine_is_listened_to() -> None:
    with server.bind("127.0.0.1", 0) as listening:
        assert listening.family == socket.AF_INET
        assert listening.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "name", ["x<", "title><img src=x>", "e&lt;&#47;title&gt;</title><script>1", "{%config%}"]
)
def test_a_name_stays_text_in_the_title(pictured, name) -> None:
    staged = replace(pictured, scene=replace(pictured.scene, name=name))
    page = server.make_app([staged]).server.test_client().get("/").data.decode()
    (title,) = re.findall("<title>(.*?)</title>", page, re.DOTALL)
    assert "<" not in title
    assert html.unescape(title) == f"{name} · primum explorer"


def test_the_page_runs_its_own_scripts_alone(client) -> None:
    page = client.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy.partition("script-src")[2]
    inline = re.findall(
        r"<script(?![^>]*(?:src=|application/json))[^>]*>(.*?)</script>", page.data.decode(), re.DOTALL
    )
    assert inline
    for script in inline:
        assert scripting.source(script) in policy
