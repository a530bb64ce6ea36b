# py_timed_by_name.py - two threads try for a second at a time to get each other's lock, in a script that was executed by its own name.
# SPDX-License-Identifier: MIT
# expect: stuck
# misses: why a wait with a time-out is live
# misses: ebpf who has a lock of Python is not in its memory
# source: the idiom "while not lock.acquire(timeout=1): pass"; threading's documentation, Lock.acquire
import os
import sys
import tempfile
import threading


def execute_by_name():
    with open(__file__) as f, tempfile.NamedTemporaryFile('w', delete=False) as copy:
        copy.write('#!' + sys.executable + '\n' + f.read())
    os.chmod(copy.name, 0o700)
    os.execv(copy.name, [copy.name, 'copy'])


def acquire(lock):
    while not lock.acquire(timeout=1):
        pass


def take(first, second):
    acquire(first)
    both.wait()
    acquire(second)


if len(sys.argv) < 2:
    execute_by_name()
os.unlink(__file__)
a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
for pair in (a, b), (b, a):
    threading.Thread(target=take, args=pair).start()
