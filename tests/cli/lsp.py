#!/usr/bin/env python3
"""What an editor's YAML server says of mapping files.

usage: lsp.py SERVER SCHEMA FILE...

Prints "FILE: clean" or "FILE: LINE:COLUMN: WHAT" for each, then "completion: …" for a field that is being typed. A FILE may
be a mapping, or a .case file, of which the part under "== mapping" counts; its schema is SCHEMA, whatever its modeline.
"""
import json
import pathlib
import queue
import re
import subprocess
import sys
import threading

PATIENCE_S = 60


class Server:
    """One language server over its standard streams."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.ask("initialize", {"processId": None, "rootUri": None,
                                "capabilities": {"workspace": {"configuration": True}}})
        self.send({"method": "initialized", "params": {}})

    def read(self):
        while True:
            length = 0
            for line in iter(lambda: self.process.stdout.readline().strip(), b""):
                name, value = line.split(b":", 1)
                if name.lower() == b"content-length":
                    length = int(value)
            if length == 0:
                return
            self.messages.put(json.loads(self.process.stdout.read(length)))

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def wait(self, wanted):
        while True:
            message = self.messages.get(timeout=PATIENCE_S)
            if "method" in message and "id" in message:  # a question of the server's
                items = message.get("params", {}).get("items", [])
                settings = {"validate": True, "completion": True, "schemaStore": {"enable": False}}
                self.send({"id": message["id"],
                           "result": [settings if i.get("section") == "yaml" else None for i in items]})
            elif wanted(message):
                return message

    def ask(self, method, params):
        self.send({"id": method, "method": method, "params": params})
        return self.wait(lambda m: m.get("id") == method)["result"]

    def judge(self, uri, text):
        self.send({"method": "textDocument/didOpen",
                   "params": {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}}})
        return self.wait(lambda m: m.get("method") == "textDocument/publishDiagnostics" and
                         m["params"]["uri"] == uri)["params"]["diagnostics"]


def text_of(path):
    data = pathlib.Path(path).read_bytes()
    if path.endswith(".case"):
        data = data.split(b"== mapping\n", 1)[1].split(b"\n== ", 1)[0] + b"\n"
    return re.sub(r"\A# yaml-language-server:.*\n", "", data.decode("utf-8", "replace"))


def main(program, schema, *paths):
    server = Server(program)
    modeline = f"# yaml-language-server: $schema={pathlib.Path(schema).resolve().as_uri()}\n"
    for number, path in enumerate(paths):
        said = server.judge(f"file:///mapping/{number}.yaml", modeline + text_of(path))
        at = said[0]["range"]["start"] if said else {}
        print(f"{path}:", f"{at['line']}:{at['character'] + 1}: {said[0]['message']}".splitlines()[0] if said else "clean")
    uri = "file:///mapping/typing.yaml"
    server.judge(uri, modeline + "version: 1\nfields:\n  em")
    found = server.ask("textDocument/completion",
                       {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 4}})
    print("completion:", *[item["label"] for item in found["items"]])
    server.process.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
