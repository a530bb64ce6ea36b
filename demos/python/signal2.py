#!/usr/bin/env python3
# signal2.py - an alarm every five seconds.
# SPDX-License-Identifier: MIT
# Try: --delay 0.3 --count 3
import argparse
import itertools
import signal
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=5, help="seconds until the alarm (5)")
parser.add_argument("--count", type=int, help="how often (endless)")
options = parser.parse_args()


def on_alarm(number, frame):
    print(f"Got alarm {number} at {time.time():f}", flush=True)


signal.signal(signal.SIGALRM, on_alarm)
if options.count is None:
    print("Ctrl-C ends it", file=sys.stderr)
for _ in itertools.count() if options.count is None else range(options.count):
    print(f"Setting at {time.time():f}", flush=True)
    signal.setitimer(signal.ITIMER_REAL, options.delay)  # signal.alarm knows whole seconds only
    signal.pause()
