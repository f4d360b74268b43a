"""What stands between leadsync and the API when it is not on this machine: a TLS end before a sandbox, and a proxy.

  wire.py tls CERT KEY [--behind http://127.0.0.1:PORT] [--answer FILE]
  wire.py proxy LOG [--answer FILE] [--cut BYTES [--keep SHARE]] [--cuts N] [--die]

Both print their port first. `tls` passes on what it hears to the sandbox, or answers
every connection with the bytes of a file. `proxy` takes nothing but CONNECT; LOG gets what it was sent in clear and, as
it came, all that went through its tunnels to the API. With --answer it opens none and says what is in the file. With
--cut a tunnel through which more than BYTES were sent dies at the answer to that: SHARE of what comes first still gets
through (0.5); the server has done what it was asked. N tunnels do so (1), the others live; with --die the proxy dies with the first.
"""
import argparse
import os
import signal
import socket
import ssl
import sys
import threading

lock = threading.Lock()


def serve(handle):
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=guarded, args=(handle, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    signal.pause()


def guarded(handle, connection):
    try:
        handle(connection)
    except OSError:
        pass  # whoever hangs up in the middle is what this is for
    finally:
        connection.close()


def pump(source, to, passes=lambda chunk: chunk):
    """Until the source ends, or passes() says None."""
    try:
        while chunk := source.recv(65536):
            chunk = passes(chunk)
            if chunk is None:
                break
            to.sendall(chunk)
    except OSError:
        pass
    for end in (source, to):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(near, far, heard=lambda chunk: chunk, answered=lambda chunk: chunk):
    back = threading.Thread(target=pump, args=(far, near, answered), daemon=True)
    back.start()
    pump(near, far, heard)
    back.join()
    far.close()


def address(text):
    host, port = text.rstrip("/").split("//")[-1].rsplit(":", 1)
    return host, int(port)


def tls(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)

    def handle(connection):
        near = context.wrap_socket(connection, server_side=True)
        if options.answer is not None:
            near.recv(65536)
            with open(options.answer, "rb") as f:
                near.sendall(f.read())
            near.close()
            return
        join(near, socket.create_connection(address(options.behind)))

    serve(handle)


class Proxy:
    def __init__(self, options):
        self.options, self.cuts = options, options.cuts if options.cut is not None else 0

    def log(self, data):
        with lock, open(self.options.log, "ab") as f:
            f.write(data)

    def handle(self, near):
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = near.recv(65536)
            if not chunk:
                return
            head += chunk
        self.log(head)
        words = head.split(None, 2)
        if self.options.answer is not None or words[0] != b"CONNECT":
            with open(self.options.answer or "/dev/null", "rb") as f:
                near.sendall(f.read())
            return
        host, port = address(words[1].decode())
        far = socket.create_connection((host, port))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.tunnel(near, far)

    def tunnel(self, near, far):
        sent = 0

        def heard(chunk):
            nonlocal sent
            sent += len(chunk)
            self.log(chunk)
            return chunk

        def answered(chunk):
            with lock:
                if self.cuts == 0 or sent <= self.options.cut:
                    return chunk
                self.cuts -= 1
            print(f"cut after {sent} bytes", file=sys.stderr, flush=True)
            if part := chunk[:int(len(chunk) * self.options.keep)]:
                near.sendall(part)
            if self.options.die:
                os._exit(0)
            return None

        join(near, far, heard, answered)


def main():
    parser = argparse.ArgumentParser()
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("tls")
    one.add_argument("cert")
    one.add_argument("key")
    one.add_argument("--behind")
    one.add_argument("--answer")
    one = kinds.add_parser("proxy")
    one.add_argument("log")
    one.add_argument("--answer")
    one.add_argument("--cut", type=int)
    one.add_argument("--cuts", type=int, default=1)
    one.add_argument("--keep", type=float, default=0.5)
    one.add_argument("--die", action="store_true")
    options = parser.parse_args()
    if options.kind == "tls":
        tls(options)
    else:
        serve(Proxy(options).handle)


if __name__ == "__main__":
    main()
