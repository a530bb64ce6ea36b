# py_fork_told.py - a child reads from a pipe to which its own handler writes, and its parent waits for it.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of py_fork_reads.py
import os
import signal

reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, lambda *_: os.write(writer, b"x"))
    os.read(reader, 1)
    os._exit(0)
os.waitpid(pid, 0)
