"""A schema registry on 127.0.0.1: the requests of Confluent's serializers and of a worker, and the ways in which it can
fail."""

import base64
import http.server
import json
import re
import threading
import urllib.parse
import uuid


class Registry:
    """Serves until it is closed. `trouble` replaces its answers: a status, "nonsense", "huge" or "slow"."""

    def __init__(self, port=0, user=None, ssl_context=None):
        self.user = user
        self.trouble = None
        self.asked = []  # by workers
        self.schemas = []  # (text, type, references), by id - 1
        self.subjects = {}  # subject -> ids, by version - 1
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                if self.headers["User-Agent"] == "rejoinder":
                    outer.asked.append(self.path)
                self.answer(lambda path: outer.find(path))

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(lambda path: outer.register(path, body))

            def answer(self, make):
                status, body = 200, None
                if outer.trouble == "slow":
                    outer.released.wait(60)
                if isinstance(outer.trouble, int):
                    status, body = outer.trouble, {"error_code": outer.trouble, "message": "out of order"}
                elif outer.trouble == "nonsense":
                    body = b"<html>Welcome!</html>"
                elif outer.trouble == "huge":
                    body = b'{"schema":"' + b" " * (9 << 20) + b'"}'
                elif outer.user and self.headers.get("Authorization") != outer.authorization:
                    status, body = 401, {"error_code": 401, "message": "Unauthorized"}
                if body is None:
                    status, body = make(urllib.parse.urlsplit(self.path).path)
                if not isinstance(body, bytes):
                    body = json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.scheme = "http"
        if ssl_context:
            self.server.socket = ssl_context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def authorization(self):
        return "Basic " + base64.b64encode(self.user.encode()).decode()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    # --- Schemas ---------------------------------------------------------------------------------------------

    def add(self, subject, text, kind="AVRO", references=()):
        """Registers a schema; returns its id."""
        schema = (text, kind, tuple(references))
        if schema not in self.schemas:
            self.schemas.append(schema)
        number = self.schemas.index(schema) + 1
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    @staticmethod
    def guid(number):
        return uuid.uuid5(uuid.NAMESPACE_OID, f"schema {number}")

    def find(self, path):
        numbers = {str(self.guid(number)): number for number in range(1, len(self.schemas) + 1)}
        if match := re.fullmatch("/schemas/ids/([0-9]+)", path):
            number = int(match[1])
        elif match := re.fullmatch("/schemas/guids/(.+)", path):
            number = numbers.get(match[1], 0)
        elif match := re.fullmatch("/subjects/([^/]+)/versions/([0-9]+)", path):
            versions = self.subjects.get(urllib.parse.unquote(match[1]), [])
            if not 1 <= int(match[2]) <= len(versions):
                return 404, {"error_code": 40402, "message": "Version not found."}
            number = versions[int(match[2]) - 1]
        else:
            return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}
        if not 1 <= number <= len(self.schemas):
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, self.shown(number)

    def shown(self, number):
        text, kind, references = self.schemas[number - 1]
        shown = {"schema": text}
        if kind != "AVRO":
            shown["schemaType"] = kind
        if references:
            shown["references"] = [
                {"name": name, "subject": subject, "version": version} for name, subject, version in references
            ]
        return shown

    def register(self, path, body):
        match = re.fullmatch("/subjects/([^/]+)(/versions)?", path)
        subject = urllib.parse.unquote(match[1])
        number = self.add(subject, body["schema"], body.get("schemaType", "AVRO"))
        known = {"subject": subject, "id": number, "guid": str(self.guid(number))}
        return 200, known | {"version": self.subjects[subject].index(number) + 1} | self.shown(number)
