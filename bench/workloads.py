# workloads.py - what is timed.
# SPDX-License-Identifier: MIT
"""A workload is build/bench/work, or servers.py, with a name and a count; it measures itself, so that no start of a tracer counts."""

import os
from dataclasses import dataclass

WORK = os.path.abspath("build/bench/work")
HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Workload:
    name: str
    what: str
    count: int
    calls: str  # system calls that strace and bpftrace are asked for
    ways: str  # kinds of ways that are worth it: calls, locks, programs
    command: tuple = ()  # where it runs a command
    limit: int = 60  # seconds, a run that takes longer is given up
    for_a_time: bool = False  # it does as much as it can in a time: how long it takes until the answer says nothing

    def argv(self, count):
        if self.ways == "servers":
            return [f"{HERE}/servers.py", self.name, str(count)]
        if self.command:
            return [WORK, "run", "1", *(str(count) if part == "COUNT" else part for part in self.command)]
        return [WORK, self.name, str(count)]


PIPES = "read,write,pipe2"
CHILDREN = "clone,execve,exit_group,wait4"
LOCKS = "futex"

SHELL = "i=0; while [ $i -lt $1 ]; do /bin/true; /bin/cat /dev/null; /usr/bin/basename /a/b; i=$((i + 1)); done"
POOL = """import multiprocessing, sys
def work(n):
    return sum(range(n))
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(sum(pool.imap_unordered(work, [20000] * int(sys.argv[1]), 4)))"""

WORKLOADS = [
    Workload("pipe", "write and read 64 bytes in one process", 60000, PIPES, "calls"),
    Workload("pingpong", "one byte to and fro between two processes", 10000, PIPES, "calls"),
    Workload("kill", "a signal to itself, with a handler", 40000, "kill,rt_sigreturn", "calls"),
    Workload("fork", "fork, exit, wait", 600, CHILDREN, "calls"),
    Workload("processes", "10,000 processes, a hundred at a time", 10000, CHILDREN, "calls"),
    Workload("exec", "fork, exec of true, wait", 300, CHILDREN, "programs"),
    Workload("shell", "a shell loop of short programs", 100, CHILDREN, "programs", ("sh", "-c", SHELL, "sh", "COUNT")),
    Workload("make", "make -j2 of a small C project", 12, CHILDREN, "programs", (f"{HERE}/project.sh", "COUNT")),
    Workload("pool", "a process pool of Python", 400, LOCKS, "programs", ("python3", "-c", POOL, "COUNT")),
    Workload("mutex1", "one thread locks and unlocks a mutex", 2000000, LOCKS, "locks"),
    Workload("mutex2", "two threads, one mutex", 1000000, LOCKS, "locks"),
    Workload("mutex4", "four threads, one mutex", 1000000, LOCKS, "locks"),
    Workload("mutex16", "sixteen threads, one mutex", 1000000, LOCKS, "locks"),
    Workload("threads", "1,000 threads at once, each takes a mutex a hundred times", 1000, LOCKS, "locks"),
    Workload("cond", "two threads hand a turn to and fro by a condition", 20000, LOCKS, "locks"),
    # Server, client and tracer share the processors.
    Workload("redis", "redis-benchmark, eight connections: GET", 40000, PIPES, "servers"),
    Workload("postgres", "pgbench, eight connections: SELECT", 8000, PIPES, "servers"),
    Workload("nginx", "wrk, eight connections: one page", 20000, PIPES, "servers", for_a_time=True),
]

# Which ways make sense for which kind; what is not named runs everywhere.
KINDS = {
    "pptrace --locks=off": "calls programs servers",
    "pptrace --backend=shim": "calls locks programs servers",
    "strace -f": "calls programs servers",
    "strace -f --seccomp-bpf": "calls programs servers",
    "perf trace": "calls programs servers",
    "bpftrace": "calls",
    "ltrace -f": "locks",
    "uftrace": "locks",
    "LTTng-UST": "locks",
    "helgrind": "locks",
    "drd": "locks",
}

PROBE = Workload("syscall", "a system call", 100, "getppid", "")


def fits(way, workload):
    kinds = KINDS.get(way.name)
    return not kinds or workload.ways in kinds.split()
