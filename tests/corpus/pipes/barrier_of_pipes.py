# barrier_of_pipes.py - processes meet at a barrier made of a pipe: each polls its read end, for reading and writing, until the parent closes the other end.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the barriers of many test suites; select.poll().register asks for reading and writing by default
import os
import select
import time

gate, opener = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        os.close(opener)
        poll = select.poll()
        poll.register(gate)
        poll.poll()
        os._exit(0)
os.close(gate)
time.sleep(60)
