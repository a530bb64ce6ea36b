#!/usr/bin/env python3
# testexit_os.py - end with os._exit: exit handlers do not run.
# SPDX-License-Identifier: MIT
import atexit
import os
import sys

atexit.register(print, "exit handler ran", file=sys.stderr)
print("Bye os world", flush=True)  # os._exit would lose what the buffer still has
os._exit(99)
