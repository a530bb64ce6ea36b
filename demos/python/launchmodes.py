#!/usr/bin/env python3
# launchmodes.py - one interface, and five ways to start a program behind it.
# SPDX-License-Identifier: MIT
import os
import sys


class Launcher:
    """A way to start child.py with one argument and to wait for it."""

    def __init__(self, name):
        self.name = name

    def announce(self):
        print(f"{self.name} => child {self.name}", flush=True)

    def words(self):
        return [sys.executable, "./child.py", self.name]

    def run(self):
        raise NotImplementedError


class System(Launcher):
    def run(self):
        os.system(" ".join(self.words()))


class Popen(Launcher):
    def run(self):
        with os.popen(" ".join(self.words())) as lines:
            for line in lines:
                print(line, end="", flush=True)


class Fork(Launcher):
    def run(self):
        pid = os.fork()
        if pid == 0:
            os.execv(sys.executable, self.words())
        os.waitpid(pid, 0)


class Spawn(Launcher):
    def run(self):
        os.waitpid(os.posix_spawn(sys.executable, self.words(), os.environ), 0)


class Quiet(Fork):
    def announce(self):
        pass


os.chdir(os.path.dirname(os.path.abspath(__file__)))
for launcher in System("system"), Popen("popen"), Fork("fork"), Spawn("spawn"), Quiet("quiet"):
    launcher.announce()
    launcher.run()
