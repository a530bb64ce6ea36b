# py_reply_under_lock.py - main waits for a reply under a lock that the thread wants which is to send it, after many that came.
# SPDX-License-Identifier: MIT
# expect: stuck deadlock
# source: joan2937/pigpio#189, CESNET/libnetconf#233: the lock of a connection is held for a reply that needs it
import socket
import threading

ask, answer = socket.socketpair()
lock = threading.Lock()


def serve():
    while question := answer.recv(64):
        if question == b"last":
            with lock:
                answer.send(b"done")
        else:
            answer.send(b"ok")


threading.Thread(target=serve, daemon=True).start()
for _ in range(1500):
    ask.send(b"next")
    ask.recv(64)
with lock:
    ask.send(b"last")
    ask.recv(64)
