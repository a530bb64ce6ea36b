# ways.py - the ways in which a workload is run: natively, under pptrace, and under the tracers that Debian has.
# SPDX-License-Identifier: MIT
"""Each way makes a command line of a workload's, and says what it does not record of it."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass

PPTRACE = os.path.abspath("build/pptrace")


@dataclass
class Way:
    name: str
    needs: str  # the command that must be there
    command: object  # of (workload, argv, folder): the command line
    note: str = ""  # what it does not record of what pptrace does
    slow: int = 1  # so many times fewer operations: ratios are by the operation


def pptrace(*options):
    def command(workload, argv, folder):
        return [PPTRACE, "run", "-q", "-o", f"{folder}/trace.db", *options, "--", *argv]

    return command


def strace(*options):
    def command(workload, argv, folder):
        return ["strace", "-f", "-qq", *options, "-o", f"{folder}/strace", "-e", f"trace={workload.calls}", "--", *argv]

    return command


def lttng(workload, argv, folder):
    script = (
        'lttng -q create bench --output="$0" && lttng -q enable-channel --userspace --num-subbuf=8 --subbuf-size=4M c && '
        "lttng -q enable-event --userspace --channel=c 'lttng_ust_pthread:*' && lttng -q start && "
        'LD_PRELOAD=liblttng-ust-pthread-wrapper.so.1 "$@"; lttng -q destroy bench'
    )
    return ["sh", "-c", script, f"{folder}/lttng", *argv]


def lttng_daemon():
    """The process number of the session daemon that `lttng create` starts and leaves behind; None: there is none."""
    folder = "/var/run/lttng" if os.geteuid() == 0 else os.path.expanduser("~/.lttng")
    try:
        with open(f"{folder}/lttng-sessiond.pid", encoding="ascii") as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return pid if file.read().startswith("lttng-sessiond") else None
    except (OSError, ValueError):
        return None


def bpftrace(workload, argv, folder):
    program = "".join(
        f'tracepoint:syscalls:sys_exit_{call} /comm == "work"/ {{ printf("%d {call} %d %llu\\n", tid, args->ret, nsecs); }} '
        for call in workload.calls.split(","))
    return ["bpftrace", "-q", "-o", f"{folder}/bpftrace", "-e", program, "-c", " ".join(argv)]


WAYS = [
    Way("native", "true", lambda workload, argv, folder: argv),
    Way("pptrace", PPTRACE, pptrace(), ""),
    Way("pptrace --locks=off", PPTRACE, pptrace("--locks=off"), "no locks"),
    Way("pptrace --backend=shim", PPTRACE, pptrace("--backend=shim"),
        "not who woke whom, no static programs; needs no privileges"),
    Way("strace -f", "strace", strace(), "no locks that do not block, not who waits for whom, not who has which pipe end", 20),
    Way("strace -f --seccomp-bpf", "strace", strace("--seccomp-bpf"), "no locks that do not block, not who waits for whom, not who has which pipe end", 20),
    Way("perf trace", "perf", lambda w, argv, folder: ["perf", "trace", "-o", f"{folder}/perf", "--", *argv],
        "no locks that do not block, no bytes, not what a descriptor is", 5),
    Way("bpftrace", "bpftrace", bpftrace, "nothing but the calls that its program names", 5),
    Way("ltrace -f", "ltrace", lambda w, argv, folder: ["ltrace", "-f", "-o", f"{folder}/ltrace", *argv],
        "no waits, not who woke whom, no pipe ends", 100),
    Way("uftrace", "uftrace", lambda w, argv, folder: ["uftrace", "record", "--force", "-a", "-d", f"{folder}/uftrace", *argv],
        "no waits, not who woke whom, no pipe ends", 20),
    Way("LTTng-UST", "lttng", lttng, "nothing but mutexes", 5),
    Way("helgrind", "valgrind", lambda w, argv, folder: ["valgrind", "-q", "--tool=helgrind", *argv],
        "no processes, pipes and signals; looks for data races", 200),
    Way("drd", "valgrind", lambda w, argv, folder: ["valgrind", "-q", "--tool=drd", *argv],
        "no processes, pipes and signals; looks for data races", 200),
]

# They can be installed, and record nothing of this kind without a kernel module.
NOT_HERE = {"sysdig": "Debian's 0.29 needs a module or a probe that is built for the kernel"}


def compared(folder):
    """Ways that compare this build with the one in another folder."""

    def other(*options):
        return lambda workload, argv, to: [os.path.join(folder, "pptrace"), *pptrace(*options)(workload, argv, to)[1:]]

    both = [WAYS[0]]
    for options in ([], ["--locks=off"]):
        name = " ".join(["pptrace", *options])
        both += [Way(name, PPTRACE, pptrace(*options)), Way(f"{name} of {folder}", os.path.join(folder, "pptrace"), other(*options))]
    return both


def available(way, folder, probe):
    """Says why a way does not work here, or None: tries it on a small workload."""
    if not (os.path.exists(way.needs) or shutil.which(way.needs)):
        return f"{way.needs} is not installed"
    return run(way, probe, 100, folder)[1]


def run(way, workload, count, folder, env=None):
    """Runs a workload once; returns its times (own, processor, until the answer) in ns, or None and why not."""
    out = f"{folder}/ns"
    for leftover in os.listdir(folder):
        path = f"{folder}/{leftover}"
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    argv = workload.argv(count)
    begun = time.monotonic()
    try:
        done = subprocess.run(way.command(workload, argv, folder), env={**os.environ, "BENCH_OUT": out, **(env or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              timeout=workload.limit, check=False)
    except subprocess.TimeoutExpired:
        return None, f"did not end within {workload.limit} s"
    until = (time.monotonic() - begun) * 1e9
    try:
        with open(out, encoding="ascii") as f:
            own, cpu = (int(n) for n in f.read().split())
    except (OSError, ValueError):
        text = done.stderr.decode(errors="replace").strip().splitlines()
        return None, text[-1][:100] if text else f"exit status {done.returncode}"
    return (own, cpu, until), None
