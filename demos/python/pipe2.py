#!/usr/bin/env python3
# pipe2.py - messages of one line each in a pipe, and unused ends closed.
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
        os.write(out, b"Spam %03d\n" % (n % 5))
    os._exit(0)


reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(reader)
    child(writer)
os.close(writer)  # or the loop below would never see end of file
with open(reader) as lines:
    for line in lines:
        print(f'Parent {os.getpid()} got "{line[:-1]}" at {time.time():f}', flush=True)
os.waitpid(pid, 0)
