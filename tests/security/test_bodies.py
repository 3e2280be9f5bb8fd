"""Every hostile body against every call that takes one: refused in plain words, or kept as text. Never a 500."""

import json
from itertools import count

import pytest

from tests.security.bodies import BODIES, MARK, Body, huge

REFUSED = {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428}
DONE = {200, 201}
LONGEST = 8192
# They take whole catalogues; what those may hold is tried by itself.
FILES = {"PUT /v1/nodes/{id}/catalogue"}
LANGUAGES = {"zh-CN": "zh-CN,zh;q=0.9", "en": "en-GB,en;q=0.9,zh;q=0.1"}
_turn = count()


def taking_bodies(platform):
    return [operation for operation in platform.operations if operation.media]


def wrong(operation, body, answer, language, *, echo=MARK):
    """What is wrong with an answer."""
    place = f"{operation.name} {body.media} {body.data[:60]!r} → {answer.status_code} {answer.text[:300]}"
    allowed = REFUSED | (DONE if body.text or operation.media == "application/x-ndjson" else set())
    if answer.status_code not in allowed:
        return f"status: {place}"
    if len(answer.content) > LONGEST:
        return f"{len(answer.content)} bytes: {place}"
    if answer.status_code in DONE:
        return None if operation.media != "application/x-ndjson" else _unread(place, body, answer)
    said = answer.json()
    if operation.path == "/oauth/token" and answer.status_code != 413:  # RFC 6749 has its own form
        ok = said["error"] and said["error_description"]
        return f"echo: {place}" if echo in answer.text else None if ok else f"form: {place}"
    if answer.headers["content-type"] != "application/problem+json" or not (said["code"] and said["detail"]):
        return f"form: {place}"
    if answer.headers["content-language"] != language or said["detail"].isascii() is (language == "zh-CN"):
        return f"language: {place}"
    # A field is named as it was sent; its value is never repeated.
    names = [said.get("field") or "", *(error["field"] for error in said.get("errors") or ())]
    text = json.dumps(said, ensure_ascii=False)
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(json.dumps(name)[1:-1], "") if name else text
    return f"echo: {place}" if echo in text else None


def _unread(place, body, answer):
    said = answer.json()
    taken = said["created"] + said["updated"] + said["unchanged"]
    if any(MARK in (line["message"] or "") for line in said["lines"]):
        return f"echo: {place}"
    # Lines are lines whatever they are called.
    kept = body.text or body.media != "application/json"
    return f"taken: {place}" if taken and not kept else None


def example_of(operation):
    """An example of lines is its first."""
    return (
        json.loads(operation.example.splitlines()[0])
        if isinstance(operation.example, str)
        else operation.example
    )


async def sent(platform, operation, body, who):
    language = list(LANGUAGES)[next(_turn) % 2]
    # The media a call asks for; another one only where that is the point.
    media = operation.media if body.media == "application/json" else body.media
    headers = who | {"Content-Type": media, "Accept-Language": LANGUAGES[language], "If-Match": '"1.1"'}
    if body.coding:
        headers["Content-Encoding"] = body.coding
    answer = await platform.http.request(
        operation.method, operation.url(), content=body.data, headers=headers
    )
    return answer, language


@pytest.mark.parametrize("name", BODIES)
async def test_no_body_breaks_a_call(writable, name):
    who, found, tried = writable.anybody(), [], 0
    for operation in taking_bodies(writable):
        for body in BODIES[name](example_of(operation)):
            answer, language = await sent(writable, operation, body, who)
            tried += 1
            if problem := wrong(operation, body, answer, language):
                found.append(problem)
    assert found == [], f"{len(found)} of {tried}"
    assert tried > 0
    assert await writable.alive()


async def test_ten_megabytes_are_refused_without_repeating_them(writable):
    who, found = writable.anybody(), []
    for operation in taking_bodies(writable):
        if operation.name in FILES:
            continue
        answer, language = await sent(writable, operation, huge(example_of(operation)), who)
        if answer.status_code != 413 or len(answer.content) > 1024:
            found.append(f"{operation.name}: {answer.status_code}, {len(answer.content)} bytes")
        elif problem := wrong(operation, huge({}), answer, language):
            found.append(problem)
    assert found == []
    assert await writable.alive()


async def test_a_body_without_a_length_is_cut_off_too(writable):
    async def endless():
        for _ in range(200):
            yield b'"' + b"0" * 65_536

    headers = writable.anybody() | {"If-Match": '"1.1"', "Content-Type": "application/json"}
    for operation in taking_bodies(writable):
        if operation.media == "application/json":
            answer = await writable.http.request(
                operation.method, operation.url(), content=endless(), headers=headers
            )
            assert (operation.name, answer.status_code) == (operation.name, 413)


async def test_the_examples_themselves_are_not_refused_for_their_form(writable):
    """Else the tests above would pass for the wrong reason: nothing would get past the first look."""
    who, found = writable.anybody(), []
    for operation in taking_bodies(writable):
        data = operation.example if isinstance(operation.example, str) else json.dumps(operation.example)
        answer, _ = await sent(writable, operation, Body(data.encode()), who)
        said = answer.json()
        if (
            said.get("code") in ("invalid-input", "bad-request", "body-too-large")
            or answer.status_code >= 500
        ):
            found.append(f"{operation.name}: {answer.text[:200]}")
    assert found == []
