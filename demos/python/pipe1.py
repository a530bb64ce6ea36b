#!/usr/bin/env python3
# pipe1.py - messages without a separator in a pipe: some are read together.
# SPDX-License-Identifier: MIT
# Try: --delay 0.1 --count 12
import argparse
import itertools
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=1, help="sleep 0 to 4 times this many seconds before each message (1)")
parser.add_argument("--count", type=int, help="how many messages (endless)")
options = parser.parse_args()


def child(out):
    for n in itertools.count() if options.count is None else range(options.count):
        if n % 5:
            time.sleep(n % 5 * options.delay)
        os.write(out, b"Spam %03d" % (n % 5))
    os._exit(0)


reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    child(writer)
# A reader in no hurry: it does not take the processor from the writer the moment that a message is there. So 004 and
# 000, written without a pause between them, are read as one.
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
# The write end stays open here too, so that end of file never comes: only counting tells when it is over. pipe2 does it right.
left = None if options.count is None else options.count * len("Spam 000")
while left is None or left > 0:
    text = os.read(reader, 32)
    print(f'Parent {os.getpid()} got "{text.decode()}" at {time.time():f}', flush=True)
    if left is not None:
        left -= len(text)
os.waitpid(pid, 0)
