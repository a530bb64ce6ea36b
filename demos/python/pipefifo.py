#!/usr/bin/env python3
# pipefifo.py - two unrelated programs meet in a named pipe.
# SPDX-License-Identifier: MIT
# Try: --both --delay 0.1 --count 6
import argparse
import itertools
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("-child", "--child", action="store_true", help="write instead of reading")
parser.add_argument("--both", action="store_true", help="start the writer as well")
parser.add_argument("--path", default="/tmp/pipefifo", help="the named pipe (/tmp/pipefifo)")
parser.add_argument("--delay", type=float, default=1, help="sleep 0 to 4 times this many seconds before each message (1)")
parser.add_argument("--count", type=int, help="how many messages to write (endless)")
options = parser.parse_args()


def child():
    out = os.open(options.path, os.O_WRONLY)  # waits until the other side opens it too
    for n in itertools.count() if options.count is None else range(options.count):
        if n % 5:
            time.sleep(n % 5 * options.delay)
        os.write(out, b"Spam %03d\n" % (n % 5))
    os.close(out)


def parent():
    with open(options.path) as lines:
        for line in lines:
            print(f'Parent {os.getpid()} got "{line[:-1]}" at {time.time():f}', flush=True)


try:
    os.mkfifo(options.path, 0o600)
    is_ours = True
except FileExistsError:
    is_ours = False
if options.both and os.fork() == 0:
    child()
    os._exit(0)
if options.child:
    child()
else:
    parent()
if is_ours:
    os.unlink(options.path)
if options.both:
    os.wait()
