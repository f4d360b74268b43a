"""A proxy between leadsync and the sandbox that does to answers what no decent server does. Requests are carried out (but
for those that say otherwise), so that the state of the sandbox and the answers differ as much as they can.

HELL maps a name to a function (answer, hell) -> raw bytes, an iterator of them, or None for an end without an answer.
NOT_CARRIED_OUT are dropped before they reach the sandbox. `hell.trap` is another server's address: a client that follows a
redirect is heard there.

  hell.py URL ROUTE FAULT LAST COMMAND...   runs the command with INSTANTLY_API_URL at a proxy before URL, which answers the
                                            first LAST requests of the route in this way
"""
import gzip
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

ROUTES = {
    "add": r"POST /api/v2/leads/add$",
    "move": r"POST /api/v2/leads/move$",
    "delete": r"DELETE /api/v2/leads$",
    "patch": r"PATCH /api/v2/leads/",
    "list": r"POST /api/v2/leads/list$",
    "jobs": r"GET /api/v2/background-jobs",
    "names": r"GET /api/v2/(campaigns|lead-lists)",
}


def raw(status, body, *headers, length=None):
    head = [f"HTTP/1.1 {status} Hell", "Content-Type: application/json", *headers]
    if length is not None or not any(h.startswith("Transfer-Encoding") for h in headers):
        head.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def edited(edit):
    """The real answer, its JSON changed."""
    def play(answer, _):
        return raw(answer.status, json.dumps(edit(json.loads(answer.body or b"null"))).encode())
    return play


def every(value, change):
    if isinstance(value, dict):
        return {k: every(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [every(v, change) for v in value]
    return change(value)


def wrong_type(value):
    if isinstance(value, (bool, int)):
        return f"{value}x"
    return {"was": value} if isinstance(value, str) else value


def wrong_count(value):
    return value * 7 + 3 if isinstance(value, int) and not isinstance(value, bool) else value


def with_index(change):
    def edit(answer):
        created = answer.get("created_leads", []) if isinstance(answer, dict) else []
        for place, lead in enumerate(created):
            lead["index"] = change(place, lead.get("index"))
        return answer
    return edited(edit)


def unknown(answer):
    if isinstance(answer, dict):
        if "status" in answer and isinstance(answer["status"], str):
            answer["status"] = "entangled"
        answer = dict(answer, surprise={"deep": [1, None, {"x": "y"}]}, next_thing=None)
        answer["items"] = [dict(i, surprise="!", **({"status": "entangled"} if isinstance(i.get("status"), str) else {}))
                           for i in answer["items"]] if isinstance(answer.get("items"), list) else answer.get("items")
        if answer["items"] is None:
            del answer["items"]
    return answer


def standing(answer):
    return dict(answer, next_starting_after="stuck") if isinstance(answer, dict) else answer


def redirect(status):
    return lambda answer, hell: raw(status, b"", f"Location: {hell.trap}/api/v2/leads/add")


def large(start, piece, times, end, *headers):
    """The real answer with megabytes more before its last bracket, never whole in memory here."""
    def play(answer, _):
        body = answer.body[:-1] + (b"," if len(answer.body) > 2 else b"") + start
        yield raw(answer.status, body, *headers, length=len(body) + times * len(piece) + len(end) + 1)
        for _ in range(times):
            yield piece
        yield end + b"}"
    return play


def packed(answer, _):
    """Sixty megabytes of text in 60 KB."""
    pack = gzip.compress(answer.body[:-1] + b',"padding":"' + b"x" * (60 << 20) + b'"}', 9)
    return raw(answer.status, pack, "Content-Encoding: gzip")


def fixed(status, body, *headers):
    return lambda answer, hell: raw(status, body, *headers)


HTML = b"<!DOCTYPE html><html><body>Bad gateway<p>Ray ID 1234</body></html>"
HELL = {
    "lost": lambda answer, hell: None,
    "late": lambda answer, hell: None,
    "dropped": lambda answer, hell: None,
    "half": lambda answer, hell: raw(answer.status, answer.body)[:-1 - len(answer.body) // 2],
    "head only": lambda answer, hell: b"HTTP/1.1 200 OK\r\nContent-Le",
    "chunked, cut": lambda answer, hell: raw(answer.status, f"{len(answer.body):x}\r\n".encode() + answer.body,
                                             "Transfer-Encoding: chunked"),
    "chunked, wrong size": lambda answer, hell: raw(answer.status, b"fffffff\r\n" + answer.body + b"\r\n0\r\n\r\n",
                                                    "Transfer-Encoding: chunked"),
    "too long a length": lambda answer, hell: raw(answer.status, answer.body, length=len(answer.body) + 9),
    "too short a length": lambda answer, hell: raw(answer.status, answer.body, length=len(answer.body) // 2),
    "two lengths": lambda answer, hell: raw(answer.status, answer.body, "Content-Length: 3"),
    "html": fixed(200, HTML, "Content-Type: text/html"),
    "error key": fixed(200, b'{"error":"something went wrong"}'),
    "empty": fixed(200, b""),
    "no content": lambda answer, hell: b"HTTP/1.1 204 No Content\r\n\r\n",
    "null": fixed(200, b"null"),
    "array": fixed(200, b"[]"),
    "number": fixed(200, b"1e999"),
    "nul bytes": fixed(200, b'{"items":[\0\0]}'),
    "not utf-8": fixed(200, b'{"items":[{"id":"\xff\xfe"}],"created_leads":"\xff"}'),
    "deep": fixed(200, b"[" * 100000),
    "wrong types": edited(lambda a: every(a, wrong_type)),
    "wrong counts": edited(lambda a: every(a, wrong_count)),
    "index far": with_index(lambda place, index: 100000 + place),
    "index negative": with_index(lambda place, index: -1),
    "index twice": with_index(lambda place, index: 0),
    "unknown things": edited(unknown),
    "cursor stands": edited(standing),
    "thirty megabytes": lambda answer, hell: raw(answer.status, answer.body[:-1] + b" " * (30 << 20) + answer.body[-1:]),
    "fifty megabytes of text": large(b'"padding":"', b"x" * (1 << 20), 50, b'"'),
    "fifty megabytes of objects": large(b'"padding":[{}', b",{}" * (1 << 18), 67, b"]"),
    "fifty megabytes of numbers": large(b'"padding":[0', b",0" * (1 << 19), 50, b"]"),
    "sixty megabytes, packed": packed,
    "fifty megabytes of error": lambda answer, hell: large(b'"message":"', b"no " * (1 << 18), 67, b'"')(
        Answer(500, b"{}"), hell),
    "100 first": lambda answer, hell: b"HTTP/1.1 100 Continue\r\n\r\n" + raw(answer.status, answer.body),
    "103 first": lambda answer, hell: b"HTTP/1.1 103 Early Hints\r\nRetry-After: 99\r\n\r\n" + raw(answer.status, answer.body),
    "301": redirect(301), "302": redirect(302), "303": redirect(303), "307": redirect(307), "308": redirect(308),
    "500": fixed(500, HTML), "520": fixed(520, HTML), "524": fixed(524, HTML), "599": fixed(599, b""),
    "429": fixed(429, b'{"statusCode":429,"message":"Rate limit exceeded"}', "Retry-After: 0"),
    "no gzip": fixed(200, b"nope", "Content-Encoding: gzip"),
    "gzip, cut": lambda answer, hell: raw(answer.status, gzip.compress(answer.body)[:-6], "Content-Encoding: gzip"),
    "http/2": lambda answer, hell: b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff",
    "ssh": lambda answer, hell: b"SSH-2.0-OpenSSH_9.2\r\n",
}
NOT_CARRIED_OUT = {"dropped", "429", "301", "302", "303", "307", "308"}
# Lies that no client can tell from the truth, and what makes no sense for a route.
SENSELESS = {(route, "wrong counts") for route in ("list", "names")} | \
            {(route, f"index {what}") for route in ROUTES if route != "add" for what in ("far", "negative", "twice")} | \
            {(route, "cursor stands") for route in ("add", "move", "delete", "patch")}
LATE_S = 0.025


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body


class Hell:
    """Use it as a context; `plan` is (route, name of a fault, first request that has it, last one)."""

    def __init__(self, behind, route, fault, first=1, last=1 << 30):
        self.behind = behind.split("//")[1]
        self.pattern, self.fault, self.first, self.last = re.compile(ROUTES[route]), fault, first, last
        self.asked, self.hit, self.trapped = 0, 0, []
        self.lock = threading.Lock()
        self.trap_listener, self.listener = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
        self.trap = f"http://127.0.0.1:{self.trap_listener.getsockname()[1]}"
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = []

    def __enter__(self):
        for listener, serve in ((self.listener, self.serve), (self.trap_listener, self.fall)):
            threading.Thread(target=self.accept, args=(listener, serve), daemon=True).start()
        return self

    def __exit__(self, *_):
        for listener in (self.listener, self.trap_listener):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self.threads:
            thread.join(60)

    def accept(self, listener, serve):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def fall(self, connection):
        connection.settimeout(1)
        try:
            self.trapped.append(connection.recv(65536))
        except OSError:
            self.trapped.append(b"connected")
        connection.close()

    def carry_out(self, method, path, headers, body):
        c = http.client.HTTPConnection(self.behind, timeout=300)
        c.request(method, path, body or None, {k: v for k, v in headers.items() if k not in ("host", "accept-encoding")})
        answer = c.getresponse()
        result = Answer(answer.status, answer.read())
        c.close()
        return result

    def play(self, method, path, headers, body):
        """(bytes or None, is it the last of this connection?)"""
        with self.lock:
            is_hit = False
            if self.pattern.match(f"{method} {path}"):
                self.asked += 1
                is_hit = self.first <= self.asked <= self.last
                self.hit += is_hit
        if is_hit and self.fault == "late":
            # The client is gone, and the request is still on its way.
            timer = threading.Timer(LATE_S, self.carry_out, (method, path, headers, body))
            self.threads.append(timer)
            timer.start()
            return None, True
        answer = Answer(0, b"")
        if not is_hit or self.fault not in NOT_CARRIED_OUT:
            answer = self.carry_out(method, path, headers, body)
        if is_hit:
            return HELL[self.fault](answer, self), True
        return raw(answer.status, answer.body), False

    def serve(self, connection):
        with connection, connection.makefile("rb") as f:
            try:
                while True:
                    first = f.readline().split()
                    if len(first) < 2:
                        return
                    headers = {}
                    while (line := f.readline().strip()) != b"":
                        name, value = line.decode("latin-1").split(":", 1)
                        headers[name.lower()] = value.strip()
                    body = f.read(int(headers.get("content-length", 0)))
                    answer, last = self.play(first[0].decode(), first[1].decode(), headers, body)
                    for piece in [answer] if isinstance(answer, bytes) else answer or ():
                        connection.sendall(piece)
                    if last:
                        connection.shutdown(socket.SHUT_WR)
                        time.sleep(0.005)
                        return
            except OSError:
                return


def main():
    url, route, fault, last, *command = sys.argv[1:]
    with Hell(url, route, fault, last=int(last)) as hell:
        sys.exit(subprocess.call(command, env=dict(os.environ, INSTANTLY_API_URL=hell.url)))


if __name__ == "__main__":
    main()
