# extras.py - what is measured besides the workloads: start and end, growth, what a stage costs at least.
# SPDX-License-Identifier: MIT

import json
import os
import resource
import shutil
import statistics
import subprocess
import time

import workloads
from ways import PPTRACE

NAMES = ("start", "untraced", "load", "probes", "growth")
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def timed(argv, env=None):
    """Wall and processor time of a command in ms, and whether it worked."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(argv, env=env, check=False, timeout=300, **QUIET)
    wall = (time.monotonic() - begun) * 1e3
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3, done.returncode == 0


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def start(rounds, folder):
    """Start and end of `pptrace run true`, in ms beyond `true` alone."""
    ways = {"auto": [], "--locks=off": ["--locks=off"], "--backend=shim": ["--backend=shim"]}
    walls, cpus = {name: [] for name in ways}, {name: [] for name in ways}
    for _ in range(2 * rounds):
        native = timed(["/bin/true"])
        for name, options in ways.items():
            wall, cpu, fine = timed([PPTRACE, "run", "-q", "-o", f"{folder}/t.db", *options, "--", "/bin/true"])
            if fine:
                walls[name].append(wall - native[0])
                cpus[name].append(cpu - native[1])
    return {name: {"wall": spread(walls[name]), "cpu": spread(cpus[name])} for name in ways if walls[name]}


def work_ns(argv, folder, env=None):
    out = f"{folder}/ns"
    if os.path.exists(out):
        os.unlink(out)
    subprocess.run(argv, env={**os.environ, "BENCH_OUT": out, **(env or {})}, check=False, timeout=300, **QUIET)
    with open(out, encoding="ascii") as f:
        return [int(n) for n in f.read().split()]


def untraced(rounds, folder):
    """What a system call of a program costs that nobody traces, meanwhile, in ns of processor time."""
    count = 500000
    argv = [workloads.WORK, "syscall", str(count)]
    more = []
    for _ in range(rounds):
        before = work_ns(argv, folder)[1]
        tracer = subprocess.Popen([PPTRACE, "run", "-q", "--locks=off", "-o", f"{folder}/u.db", "sleep", "60"], **QUIET)
        time.sleep(1)
        during = work_ns(argv, folder)[1]
        tracer.terminate()
        tracer.wait()
        more.append((during - before) / count)
    return {"more_ns": spread(more), "before_ns": before / count}


def load(rounds, folder):
    """What it costs a program to load a library that does nothing, and ours, in us of processor time of `true`."""
    empty = f"{folder}/empty.so"
    subprocess.run(["gcc", "-shared", "-nostdlib", "-fPIC", "-x", "c", "-", "-o", empty], input=b"int empty;", check=True)
    libraries = {"none": None, "one that is empty": empty, "libpptrace-shim.so": os.path.dirname(PPTRACE) + "/libpptrace-shim.so"}
    samples = {name: [] for name in libraries}
    for _ in range(rounds):
        for name, library in libraries.items():
            env = {"LD_PRELOAD": library} if library else {}
            # The library counts for `true`, and a 200th for the program that executes it.
            samples[name].append(work_ns([workloads.WORK, "exec", "200"], folder, env)[1] / 200 / 1e3)
    return {name: spread(values) for name, values in samples.items()}


def probes(rounds, folder):
    """Mean time of the eBPF programs of a system call, as the kernel counts it (bpf_stats), and their size."""
    switch = "/proc/sys/kernel/bpf_stats_enabled"
    bpftool = shutil.which("bpftool", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not bpftool or not os.access(switch, os.W_OK):
        return None
    with open(switch, encoding="ascii") as f:
        before = f.read().strip()
    found = {}
    try:
        with open(switch, "w", encoding="ascii") as f:
            f.write("1")
        for _ in range(rounds):
            run = subprocess.Popen([PPTRACE, "run", "-q", "--locks=off", "-o", f"{folder}/p.db", workloads.WORK, "pipe", "400000"], **QUIET)
            time.sleep(1)
            text = subprocess.run([bpftool, "-j", "prog", "show"], stdout=subprocess.PIPE, check=True).stdout
            run.terminate()
            run.wait()
            for program in json.loads(text):
                if program.get("name") in ("on_sys_enter", "on_sys_exit") and program.get("run_cnt"):
                    entry = found.setdefault(program["name"], {"ns": [], "bytes": program["bytes_xlated"]})
                    entry["ns"].append(program["run_time_ns"] / program["run_cnt"])
    finally:
        with open(switch, "w", encoding="ascii") as f:
            f.write(before)
    return {name: {"ns": spread(entry["ns"]), "instructions": entry["bytes"] // 8} for name, entry in found.items()}


def growth(counts, folder):
    """Holds of a lock, a row each: seconds and peak memory to record, diagnose and draw them."""
    rows = []
    for n in counts:
        row = {"holds": n}
        for name, argv in (("run", ["run", "-q", "-o", f"{folder}/g.db", "--locks=shim", "--fold=off", "--max-size=0", "--",
                                    workloads.WORK, "mutex4", str(n)]),
                           ("diagnose", ["diagnose", f"{folder}/g.db"]),
                           ("timeline", ["timeline", "-o", f"{folder}/g.svg", f"{folder}/g.db"])):
            pid = os.fork()
            if pid == 0:
                null = os.open(os.devnull, os.O_RDWR)
                for fd in range(3):
                    os.dup2(null, fd)
                os.execv(PPTRACE, [PPTRACE, *argv])
            begun = time.monotonic()
            usage = os.wait4(pid, 0)[2]
            row[name] = {"s": time.monotonic() - begun, "mb": usage.ru_maxrss / 1024}
        row["bytes"] = os.stat(f"{folder}/g.db").st_size
        rows.append(row)
        os.unlink(f"{folder}/g.db")
    return rows


def measure(only, rounds, folder):
    wanted = [name for name in NAMES if not only or name in only]
    result = {}
    for name in wanted:
        if name == "growth":
            # The largest takes a minute: only for those who ask for it.
            result[name] = growth([10**4, 10**5, 10**6] + ([10**7] if "growth" in only else []), folder)
        else:
            result[name] = globals()[name](rounds, folder)
    return result
