# py_asks_itself_slow.py - a request to one's own http.server under a lock that the handler wants when it has answered, which takes its time.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of py_asks_itself.py
import http.server
import threading
import time
import urllib.request

lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(600)
        self.send_response(204)
        self.end_headers()
        with lock:
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with lock:
    urllib.request.urlopen("http://127.0.0.1:%d/" % server.server_port).read()
