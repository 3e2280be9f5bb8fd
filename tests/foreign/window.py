"""A window platform of another vendor: standard library only, written from docs/api.md alone.

    python window.py --hub http://127.0.0.1:18000 --node example-window --key key.json --port 9000

It keeps its catalogue, pushes changes to the hub, beats, reads its messages and answers them, serves its
own catalogue, and runs the conformance suite. `--broken` makes the mistakes that such programs make.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KNOWN_TYPES = {
    "conformance.asked.v1", "match.computed.v1", "invitation.issued.v1", "quotation.viewed.v1",
    "quotation.submitted.v1", "quotation.declined.v1",
}  # fmt: skip
TAKEN = {"created", "updated", "unchanged"}


def utc(moment=None):
    return (moment or datetime.now(UTC)).isoformat().replace("+00:00", "Z")


class HubClient:
    """Calls of the hub with this platform's own key."""

    def __init__(self, base, node, key):
        self.base, self.node, self.key = base.rstrip("/"), node, key
        self.token, self.until = None, 0.0
        self.lock = threading.Lock()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def bearer(self):
        with self.lock:
            if time.monotonic() > self.until:
                pair = f"{self.key['client_id']}:{self.key['client_secret']}".encode()
                request = urllib.request.Request(
                    f"{self.base}/oauth/token",
                    urllib.parse.urlencode({"grant_type": "client_credentials"}).encode(),
                    {"Authorization": "Basic " + base64.b64encode(pair).decode()},
                )
                with self.opener.open(request, timeout=10) as answer:
                    told = json.load(answer)
                self.token, self.until = told["access_token"], time.monotonic() + told["expires_in"] - 60
            return self.token

    def call(self, method, path, body=None, media="application/json", token=None, timeout=40):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.bearer()}", "Accept-Language": "en"}
        if data is not None:
            headers["Content-Type"] = media
        request = urllib.request.Request(
            f"{self.base}/v1/nodes/{self.node}{path}", data, headers, method=method
        )
        try:
            with self.opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


class Window:
    """The platform: its records, its demands, and what it heard."""

    def __init__(self, hub, broken):
        self.hub, self.broken = hub, broken
        self.records = {}  # (noun, id) -> line with "hash" and "place"
        self.history = []  # lines in the order they were written, for the feed
        self.heard = []  # ids of messages, in order
        self.matches, self.quotations, self.invitations = {}, {}, {}
        self.applied_seq = 0
        self.stuck = False
        self.lock = threading.RLock()

    # Its catalogue

    def keep(self, line):
        with self.lock:
            self.history.append(dict(line))
            self.records[line["noun"], line["id"]] = dict(line) | {"place": len(self.history)}

    def push(self, lines, token=None):
        """The outcome of each line, in order."""
        body = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
        status, answer = self.hub.call("POST", "/catalogue/changes", body, "application/x-ndjson", token)
        if status != 200:
            return [f"http-{status}"] * len(lines)
        told = json.loads(answer)["lines"]
        for line, result in zip(lines, told, strict=True):
            if result["outcome"] in TAKEN:
                self.keep(line)
        return [result["outcome"] for result in told]

    def learn_hashes(self):
        """Read back what the hub holds: it writes every record in one normal form, and says its hash."""
        after = ""
        while True:
            status, answer = self.hub.call("GET", f"/catalogue/changes?limit=200{after}")
            assert status == 200, answer
            page = json.loads(answer)
            with self.lock:
                for item in page["items"]:
                    mine = self.records.get((item["noun"], item["id"]))
                    if mine and (mine["epoch"], mine["version"]) == (item["epoch"], item["version"]):
                        mine["hash"] = item["content_hash"]
            if not page["more"]:
                return
            after = "&after=" + urllib.parse.quote(page["next_cursor"])

    def digest(self):
        """Over 256 buckets by the last byte of the id: count, xor and sum of the marks, 8 bytes each."""
        buckets = [[0, 0, 0] for _ in range(256)]
        with self.lock:
            for (noun, id), line in self.records.items():
                if line["deleted"]:
                    continue
                text = f"{noun}:{id}:{line['epoch']}:{line['version']}:{line.get('hash', '')}"
                mark = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
                bucket = buckets[uuid.UUID(id).bytes[-1]]
                bucket[0] += 1
                bucket[1] ^= mark
                bucket[2] = (bucket[2] + mark) % 2**64
        return hashlib.sha256(b"".join(n.to_bytes(8, "big") for b in buckets for n in b)).hexdigest()

    # Its heart and its ears

    def beat(self):
        now = datetime.now(UTC) + (timedelta(minutes=10) if "clock" in self.broken else timedelta())
        return self.hub.call(
            "POST", "/heartbeats",
            {
                "node": self.hub.node, "epoch": 1, "sent_at": utc(now), "feed_seq": 0,
                "applied_seq": 0 if "confirm" in self.broken else self.applied_seq, "unsent": 0, "unconfirmed": 0,
                "dead_letters": 0, "release": "foreign 1.0",
            },
        )  # fmt: skip

    def beat_for_ever(self, every):
        while True:
            with contextlib.suppress(OSError):  # the hub is away; the next beat is as good
                self.beat()
            time.sleep(every)

    def listen_for_ever(self):
        while True:
            try:
                status, answer = self.hub.call("GET", f"/messages?after={self.applied_seq}&wait=20")
            except OSError:
                status, answer = 0, b""
            if status != 200 or self.stuck:
                time.sleep(0.5)
                continue
            for line in answer.splitlines():
                message = json.loads(line)
                if message["type"] not in KNOWN_TYPES and "unknown" in self.broken:
                    self.stuck = True
                    break
                self.hear(message)
                self.applied_seq = message["feedseq"]

    def hear(self, message):
        with self.lock:
            if message["id"] in self.heard:
                return
            self.heard.append(message["id"])
            data = message["data"]
            if message["type"] == "match.computed.v1":
                self.matches[data["demand_id"]] = data
            elif message["type"].startswith("quotation."):
                self.quotations[data["id"]] = data

    # Its demands

    def say(self, type, data, case, recipient=None):
        envelope = {
            "specversion": "1.0", "id": str(uuid.uuid4()), "type": type, "source": self.hub.node,
            "subject": data["id"], "time": utc(), "datacontenttype": "application/json",
            "entityversion": data["version"], "entityepoch": 1, "correlationid": case, "data": data,
        }  # fmt: skip
        if recipient:
            envelope["recipient"] = recipient
        status, answer = self.hub.call(
            "POST", "/messages", json.dumps(envelope, ensure_ascii=False).encode(), "application/x-ndjson"
        )
        told = json.loads(answer)
        if status != 200 or told["done"] != 1:
            raise RuntimeError(f"{status}: {told}")

    def demand(self, wanted):
        id, now = str(uuid.uuid4()), utc()
        data = {
            "id": id, "version": 1, "number": f"EX-{id[:6]}", "industry": "C", "size_class": "small", "example": True,
            "state": "submitted", "submitted_at": now, "changed_at": now,
        } | wanted  # fmt: skip
        self.say("demand.submitted.v1", data, id)
        return data

    def invite(self, demand, candidate):
        id, now = str(uuid.uuid4()), datetime.now(UTC)
        summary = {name: demand[name] for name in ("number", "title", "text", "division", "size_class")}
        data = {
            "id": id, "version": 1, "demand_id": demand["id"], "demand_window": self.hub.node,
            "platform": candidate["platform"], "provider_id": candidate["provider_id"],
            "provider_name": candidate["provider_name"], "offering_id": candidate["offering_id"],
            "offering_version": candidate["offering_version"], "offering_title": candidate["title"],
            "demand": summary, "respond_by": utc(now + timedelta(days=3)), "state": "issued", "issued_at": utc(now),
        }  # fmt: skip
        self.say("invitation.issued.v1", data, demand["id"], candidate["platform"])
        self.invitations[id] = data
        return data

    # The conformance suite

    def conform(self, token=None):
        """Do what the script of a run says; the run with its report."""
        status, answer = self.hub.call("POST", "/conformance", {"mode": "exchange"}, token=token)
        if status != 201:
            return {"status": status, "answer": json.loads(answer)}
        run = json.loads(answer)
        outcomes = {}
        for step in run["script"]["steps"]:
            lines = [self.spoilt(step["name"], line) for line in step["lines"]]
            if "all-or-nothing" in self.broken and step["name"] == "bad-row":
                outcomes[step["name"]] = ["rejected", "rejected"]
                continue
            outcomes[step["name"]] = self.push(lines, token)
        until = time.monotonic() + 20
        while not set(run["probes"]) <= set(self.heard) and time.monotonic() < until and not self.stuck:
            time.sleep(0.1)
        self.beat()
        self.beat()
        self.learn_hashes()
        told = {
            "outcomes": outcomes, "messages": [id for id in self.heard if id in run["probes"]],
            "digest": self.digest(),
        }  # fmt: skip
        status, answer = self.hub.call("POST", f"/conformance/{run['number']}/completion", told, token=token)
        self.push(run["script"]["clean_up"], token)
        return {"status": status, "answer": json.loads(answer)}

    def spoilt(self, step, line):
        """The mistakes of the broken one."""
        if step == "update" and "version" in self.broken:
            return line | {"version": 1}
        if step == "resurrection" and "resurrect" in self.broken:
            return line | {"version": 9}
        if step == "mend-row" and "contacts" in self.broken:
            return line | {"data": line["data"] | {"attributes": {"phone": "13800000000"}}}
        return line

    # What it serves

    def feed(self, query):
        limit = min(int(query.get("limit", "200")), 1000)
        after = query.get("after")
        if after is not None and not after.isdigit():
            if "cursor" in self.broken:
                raise RuntimeError("no such cursor")
            return 400, {"type": "about:blank", "title": "bad cursor", "status": 400, "code": "bad-cursor",
                         "detail": "read from the start without after"}  # fmt: skip
        position, until = int(after or "0"), time.monotonic() + int(query.get("wait", "0"))
        while True:
            with self.lock:
                if "history" in self.broken:
                    rows = [dict(line) | {"place": n} for n, line in enumerate(self.history, 1)]
                else:
                    rows = sorted(self.records.values(), key=lambda line: line["place"])
                behind = [line for line in rows if line["place"] > position]
            if behind or time.monotonic() >= until:
                break
            time.sleep(0.05)
        shown = behind[:limit]
        last = shown[-1]["place"] if shown else position
        if "skips" in self.broken and len(behind) > limit:
            last += 1
        names = ("noun", "id", "epoch", "version", "deleted", "data")
        items = [{name: line[name] for name in names} for line in shown]
        return 200, {"items": items, "next_cursor": str(last), "more": len(behind) > limit}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body, ensure_ascii=False).encode()
        media = "application/problem+json" if status >= 400 else "application/json"
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")

    def act(self, window, path, query):
        if path == "/healthz":
            return 200, {"status": "alive", "node": window.hub.node}
        if path == "/v1/catalogue/changes":
            return window.feed(query)
        # The rest is for its own staff.
        if path == "/staff/records":
            return 200, window.push(self.body())
        if path == "/staff/conformance":
            return 200, window.conform(self.body().get("token"))
        if path == "/staff/demands":
            return 200, window.demand(self.body())
        if path == "/staff/invitations":
            told = self.body()
            return 200, window.invite(told["demand"], told["candidate"])
        if path == "/staff/state":
            window.learn_hashes()
            return 200, {
                "digest": window.digest(), "heard": len(window.heard), "applied_seq": window.applied_seq,
                "matches": window.matches, "quotations": window.quotations,
            }  # fmt: skip
        return 404, {"type": "about:blank", "title": "not found", "status": 404, "code": "not-found"}

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = {name: values[-1] for name, values in urllib.parse.parse_qs(parts.query).items()}
        try:
            status, body = self.act(self.server.window, parts.path, query)
        except Exception as error:
            status, body = (
                500,
                {"type": "about:blank", "title": "error", "status": 500, "detail": repr(error)},
            )
        self.answer(status, body)

    do_POST = do_GET


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hub", required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--beat", type=float, default=5.0)
    parser.add_argument("--broken", default="")
    told = parser.parse_args()
    key = json.loads(Path(told.key).read_text(encoding="utf-8"))
    window = Window(HubClient(told.hub, told.node, key), set(told.broken.split(",")))
    server = ThreadingHTTPServer(("127.0.0.1", told.port), Handler)
    server.window = window
    for work in (lambda: window.beat_for_ever(told.beat), window.listen_for_ever):
        threading.Thread(target=work, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
