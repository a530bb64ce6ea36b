#!/usr/bin/env python3
# child.py - the program that other demos start.
# SPDX-License-Identifier: MIT
# Try: 1
import os
import sys

print("Hello from child", os.getpid(), sys.argv[1] if len(sys.argv) > 1 else "")
