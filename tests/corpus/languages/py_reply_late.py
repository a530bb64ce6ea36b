# py_reply_late.py - main waits under a lock for a reply that takes long; the thread that is to send it wants no lock.
# SPDX-License-Identifier: MIT
# forbid: stuck deadlock pipe-end-leak
# source: the healthy twin of py_reply_under_lock.py
import socket
import threading

ask, answer = socket.socketpair()
lock = threading.Lock()


def serve():
    while question := answer.recv(64):
        if question == b"last":
            threading.Event().wait(2)
        answer.send(b"ok")


threading.Thread(target=serve, daemon=True).start()
for _ in range(1500):
    ask.send(b"next")
    ask.recv(64)
with lock:
    ask.send(b"last")
    ask.recv(64)
