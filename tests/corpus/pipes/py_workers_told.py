# py_workers_told.py - a parent waits for its workers, each of which reads from a pipe of its own, to which its handler writes.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the self-pipe of https://cr.yp.to/docs/selfpipe.html, as pre-forking servers have it, with a signal to load files again
import os
import signal

workers = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        reader, writer = os.pipe()
        signal.signal(signal.SIGUSR1, lambda *_: os.write(writer, b"x"))
        while True:
            os.read(reader, 1)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)
