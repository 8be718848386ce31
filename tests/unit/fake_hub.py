"""A hub on this machine with one repository, acme/rays, that answers what the hub libraries ask."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

COMMIT = "a" * 40


@contextmanager
def hub(
    files: dict[str, bytes], answers: bool = True, kind: str = "dataset", bytes_per_s: float = 0.0,
    names: str = "rays",
) -> Iterator[str]:  # fmt: skip
    """Serve files of acme/rays while the block runs; yields the address.

    Args:
        files: By name.
        answers: False never says a word.
        kind: `dataset` or `model`.
        bytes_per_s: How fast a file comes; 0 for at once.
        names: Under which it is known, a pattern without groups.
    """
    api, root = (
        f"/api/{kind}s/acme/(?:{names})",
        f"{'/datasets' if kind == 'dataset' else ''}/acme/(?:{names})",
    )
    end = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not answers:
                end.wait(60)
                return
            path = self.path.split("?")[0]
            if re.fullmatch(api + r"(/revision/\w+)?", path):
                names = [listed(name, "blobs=" in self.path) for name in files]
                self.reply(
                    {"id": "acme/rays", "sha": COMMIT, "private": False, "gated": False, "siblings": names}
                )
            elif found := re.fullmatch(api + r"/tree/\w+/?(.*)", path):
                self.reply([entry(name) for name in files if name.startswith(found[1])])
            elif found := re.fullmatch(root + r"/resolve/\w+/(.+)", path):
                self.file(found[1])
            else:
                self.send(404, b"", {"X-Error-Code": "RepoNotFound"})

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            paths = parse_qs(body).get("paths", [])
            self.reply([entry(name) for name in files if name in paths])

        def file(self, name: str) -> None:
            if name in files:
                etag = hashlib.sha1(files[name]).hexdigest()
                self.send(200, files[name], {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
            else:
                self.send(404, b"", {"X-Error-Code": "EntryNotFound"})

        def reply(self, value: object) -> None:
            self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            step = max(1, int(bytes_per_s / 20)) if bytes_per_s and len(body) > bytes_per_s / 4 else len(body)
            for start in range(0, len(body), max(step, 1)):
                self.wfile.write(body[start : start + step])
                if step < len(body):
                    end.wait(0.05)

        def log_message(self, format: str, *values: object) -> None:
            pass

    def listed(name: str, with_metadata: bool) -> dict[str, object]:
        data = files[name]
        facts = {"size": len(data), "blobId": hashlib.sha1(data).hexdigest()} if with_metadata else {}
        return {"rfilename": name, **facts}

    def entry(name: str) -> dict[str, object]:
        data = files[name]
        return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        end.set()
        server.shutdown()
        server.server_close()
