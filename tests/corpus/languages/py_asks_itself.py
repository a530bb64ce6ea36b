# py_asks_itself.py - a request to one's own http.server under a lock that the handler wants.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: http.server.ThreadingHTTPServer whose handler takes the lock that its own client holds
import http.server
import threading
import urllib.request

lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with lock:
            self.send_response(204)
            self.end_headers()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with lock:
    urllib.request.urlopen("http://127.0.0.1:%d/" % server.server_port).read()
