"""An admin port without a worker: a history and a line a second, for programs that look at workers."""

import http.server
import json
import socketserver
import threading
import time

from throughput_logs import MadeUpWorker


class AdminPort:
    """Answers GET /history and GET /events as a worker does, until it is closed."""

    def __init__(self, name, port=0, history=True, line=None, seed=1, **worker):
        self.name = name
        self.options = line or {}
        self.closing = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                if self.path == "/history" and history:
                    self.answer_history()
                elif self.path == "/events":
                    try:
                        self.answer_events()
                    except (BrokenPipeError, ConnectionResetError):
                        pass
                else:
                    self.send_error(404)

            def answer_history(self):
                now = time.time()
                past = MadeUpWorker(name, start=now - 90_000, seed=seed, **worker)
                past.now = now - 3_600
                lines = past.lines(200) + past.lines(1, dead={"schema": 7, "invalid-json": 2}) + past.lines(158)
                body = json.dumps(lines).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def answer_events(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.chunk(b": hello\n\n")
                now = time.time()
                present = MadeUpWorker(name, start=now - 90_000, interval=1.0, seed=seed + 1, **worker)
                present.now = now
                while not outer.closing.is_set():
                    data = b"data: " + json.dumps(present.line(**outer.options)).encode() + b"\n\n"
                    # In two pieces, as a network may cut it.
                    self.chunk(data[:100])
                    self.chunk(data[100:])
                    outer.closing.wait(1)
                self.close_connection = True

            def chunk(self, data):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
