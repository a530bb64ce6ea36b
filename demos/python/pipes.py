#!/usr/bin/env python3
# pipes.py - talk to another program over two pipes connected to its stdin and stdout.
# SPDX-License-Identifier: MIT
# Try: --delay 0.3
import argparse
import os
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=3, help="the other program's sleep before each step (3)")
parser.add_argument("--no-flush", action="store_true", help="leave out the flush: a deadlock")
options = parser.parse_args()


def spawn(program, *arguments):
    """Starts a program whose stdin is our stdout and whose stdout is our stdin. Returns its pid."""
    to_child, to_parent = os.pipe(), os.pipe()
    pid = os.fork()
    stdin, stdout = (to_child[0], to_parent[1]) if pid == 0 else (to_parent[0], to_child[1])
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    for end in to_child + to_parent:
        os.close(end)
    if pid == 0:
        os.execv(sys.executable, [sys.executable, program, *arguments])
    return pid


def ask(number):
    # A pipe is not a terminal: without the flush the line stays in the buffer.
    print(f"Hello {number} from parent {os.getpid()}", flush=not options.no_flush)
    print(f'Parent got: "{sys.stdin.readline()[:-1]}"', file=sys.stderr)


testchild = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipes-testchild.py")
child = spawn(testchild, "--delay", str(options.delay), *["--no-flush"] * options.no_flush, "spam")
ask(1)
ask(2)
os.waitpid(child, 0)
