# py_fork_reads.py - a child reads from a pipe whose write end it has itself, and its parent waits for it: only Python catches ^C.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: https://docs.python.org/3/library/os.html#os.pipe, with fork; "read() never returns because the write end is still open"
import os
import signal

# In the background a shell has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(reader, 1)
    os._exit(0)
os.waitpid(pid, 0)
