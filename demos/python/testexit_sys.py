#!/usr/bin/env python3
# testexit_sys.py - end with sys.exit: exit handlers run.
# SPDX-License-Identifier: MIT
import atexit
import sys

atexit.register(print, "exit handler ran", file=sys.stderr)
print("Bye sys world")
sys.exit(42)
