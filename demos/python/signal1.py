#!/usr/bin/env python3
# signal1.py - print a line for each signal that arrives.
# SPDX-License-Identifier: MIT
# Try: 10 --sender --count 3 --delay 0.2
import argparse
import os
import signal
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, help="signals before it ends (unlimited)")
parser.add_argument("--sender", action="store_true", help="start a process that sends them (else: use kill)")
parser.add_argument("--delay", type=float, default=1, help="seconds before each signal that it sends (1)")
parser.add_argument("signal", nargs="?", type=int, default=int(signal.SIGUSR1))
options = parser.parse_args()
left = options.count


def on_signal(number, frame):
    global left
    print(f"Got signal {number} at {time.time():f}", flush=True)
    if left is not None:
        left -= 1
        if left == 0:
            os._exit(0)


def sender():
    """Sends the signals from a process of its own."""
    target = os.getppid()
    for _ in range(options.count or sys.maxsize):
        time.sleep(options.delay)
        try:
            os.kill(target, options.signal)
        except ProcessLookupError:
            break
    os._exit(0)


try:
    signal.signal(options.signal, on_signal)
except (OSError, ValueError):
    sys.exit(f"no handler can be set for signal {options.signal}")
if not options.sender:
    print(f"send it signals with 'kill -{options.signal} {os.getpid()}'; Ctrl-C ends it", file=sys.stderr)
elif os.fork() == 0:
    sender()
while True:
    signal.pause()
