# extras.py - what is measured besides the workloads: start and end, growth, what a stage costs at least.
# SPDX-License-Identifier: MIT

import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import time

import workloads
import ways
from ways import PPTRACE

NAMES = ("one", "steps", "locksteps", "alone", "start", "untraced", "load", "probes", "languages", "growth")
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
    """What a system call of a program costs that nobody traces, meanwhile, in ns of processor time; and with programs that do nothing."""
    count = 500000
    argv = [workloads.WORK, "syscall", str(count)]
    tracers = {"more_ns": [PPTRACE, "run", "-q", "--locks=off", "-o", f"{folder}/u.db", "sleep", "60"]}
    if os.access(f"{BUILD}/bench/ladder", os.X_OK):
        tracers["least_ns"] = [f"{BUILD}/bench/ladder", "empty", "sleep", "60"]
    more = {name: [] for name in tracers}
    for _ in range(rounds):
        before = work_ns(argv, folder)[1]
        for name, command in tracers.items():
            # The ladder ends with its command: both are signalled.
            tracer = subprocess.Popen(command, start_new_session=True, **QUIET)
            time.sleep(1)
            during = work_ns(argv, folder)[1]
            os.killpg(tracer.pid, signal.SIGTERM)
            tracer.wait()
            more[name].append((during - before) / count)
    return {**{name: spread(values) for name, values in more.items()}, "before_ns": before / count}


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


BUILD = os.path.dirname(PPTRACE)
BY_NAME = {w.name: w for w in workloads.WORKLOADS}
# On one processor: what the program does, and pptrace beside it.
ONE = ("pipe", "pingpong", "kill", "fork", "exec", "shell", "mutex1", "mutex4", "mutex16")
STEPS = {
    "empty-exit": "a program that does nothing when a call ends",
    "empty": "and one that does nothing when it begins",
    "slot": "and they look up whether the thread is recorded, and keep which call it is in",
    "time": "and take the time, when it began and ended",
    "object": "and find out what the descriptor is",
    "record": "and write a record of it, which is given back unread",
    "data": "and the first 32 bytes that were moved",
    "read": "and another process copies the records, to no end",
}
LOCK_STEPS = ("the calls go through a library that tries first", "and it takes the time of both", "and writes both down, where nobody reads")


def pinned(argv):
    return ["taskset", "-c", str(min(os.sched_getaffinity(0))), *argv]


def plain(argv):
    return argv


def interleaved(candidates, workload, rounds, folder):
    """candidates: name -> (command of an argv, environment), the native one first. Ratios of own time to it, and the median of its own ns an operation."""
    ns = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, (command, env) in candidates.items():
            way = ways.Way(name, "", lambda w, argv, to, c=command: c(argv, to))
            got, why = ways.run(way, workload, workload.count, folder, env)
            if why:
                return {"failed": f"{name}: {why}"}
            ns[name].append(got[0] / workload.count)
    first = ns[next(iter(candidates))]
    return {name: {"ns": statistics.median(values), "ratio": spread([v / n for v, n in zip(values, first)])} for name, values in ns.items()}


def recorded(argv, to):
    return [PPTRACE, "run", "-q", "-o", f"{to}/trace.db", "--", *argv]


def one(rounds, folder):
    """The same on one processor, as in a small container."""
    if not shutil.which("taskset"):
        return None
    candidates = {"native": (lambda argv, to: pinned(argv), None), "pptrace": (lambda argv, to: pinned(recorded(argv, to)), None)}
    return {name: interleaved(candidates, BY_NAME[name], rounds, folder) for name in ONE}


def steps(rounds, folder):
    """What recording of a call is made of: bench/ladder.bpf.c."""
    ladder = f"{BUILD}/bench/ladder"
    if not os.access(ladder, os.X_OK):
        return None
    result = {}
    for title, workload, place in (("pipe", "pipe", plain), ("pipe on one processor", "pipe", pinned), ("nginx", "nginx", plain)):
        candidates = {"native": (lambda argv, to, p=place: p(argv), None)}
        for step in STEPS:
            candidates[step] = (lambda argv, to, p=place, s=step: p([ladder, s, *argv]), None)
        candidates["pptrace"] = (lambda argv, to, p=place: p(recorded(argv, to)), None)
        result[title] = interleaved(candidates, BY_NAME[workload], min(rounds, 3), folder)
    return result


def locksteps(rounds, folder):
    """What recording of a lock is made of: bench/steps.c."""
    candidates = {"native": (lambda argv, to: argv, None)}
    for i in range(len(LOCK_STEPS)):
        candidates[str(i)] = (lambda argv, to: argv, {"LD_PRELOAD": f"{BUILD}/bench/steps-{i}.so"})
    candidates["pptrace"] = (recorded, None)
    return {name: interleaved(candidates, BY_NAME[name], rounds, folder) for name in ("mutex1", "mutex4")}


def alone(rounds, folder):
    """A server alone is recorded: neither its client nor what starts both."""
    tracer = "\n".join([PPTRACE, "run", "-q", "-o", f"{folder}/alone.db", "--"])
    candidates = {"native": (lambda argv, to: argv, None), "its server recorded": (lambda argv, to: argv, {"BENCH_SERVER": tracer}), "both recorded": (recorded, None)}
    return {name: interleaved(candidates, BY_NAME[name], min(rounds, 3), folder) for name in ("redis", "postgres", "nginx")}


def growth(counts, folder):
    """Holds of a lock, a row each: seconds and peak memory to record (until the file is complete), diagnose and draw them."""
    rows = []
    for n in counts:
        row = {"holds": n}
        for name, argv in (("run", ["run", "-q", "-o", f"{folder}/g.db", "--locks=shim", "--fold=off", "--max-size=0", "--",
                                    workloads.WORK, "mutex4", str(n)]),
                           ("diagnose", ["diagnose", f"{folder}/g.db"]),
                           ("timeline", ["timeline", "-o", f"{folder}/g.svg", f"{folder}/g.db"]),
                           ("report", ["report", "-o", f"{folder}/g.html", f"{folder}/g.db"])):
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


# Programs that wait, whose threads are read, and such that count for two seconds and say how far they came.
WAITING = {
    "Python, 100 threads": ("w.py", """import threading
gate = threading.Lock(); gate.acquire()
def inner(): gate.acquire()
def outer(): inner()
for i in range(99): threading.Thread(target=outer, daemon=True).start()
print("ready", flush=True); gate.acquire()
""", ["python3", "w.py"]),
    "Java, 100 threads": ("W.java", """public class W { public static void main(String[] a) throws Exception {
Object gate = new Object();
synchronized (gate) { for (int i = 0; i < 100; i++) { Thread t = new Thread(() -> { synchronized (gate) { } }); t.setDaemon(true); t.start(); }
System.out.println("ready"); Thread.sleep(1000000); } } }
""", ["java", "W.java"]),
    "Go, 1000 goroutines": ("w.go", """package main
import ("fmt"; "time")
func main() { gate := make(chan int)
for i := 0; i < 1000; i++ { go func() { <-gate }() }
fmt.Println("ready"); time.Sleep(1000 * time.Second); gate <- 1 }
""", ["./w"]),
    "C, 100 threads": ("w.c", """#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static __attribute__((noinline)) int deep(int n) { return n ? deep(n - 1) + 1 : pause(); }
static void *run(void *arg) { (void)arg; return (void *)(long)deep(8); }
int main(void) { pthread_t t; for (int i = 0; i < 99; i++) pthread_create(&t, NULL, run, NULL);
puts("ready"); fflush(stdout); return deep(8); }
""", ["./w.out"]),
    "Ruby, 100 threads": ("w.rb", """gate = Queue.new
100.times { Thread.new { gate.pop } }
$stdout.sync = true
puts "ready"
sleep
""", ["ruby", "w.rb"]),
}
BUSY = {
    "Python": ("b.py", """import time
end = time.process_time() + 2; n = 0
while time.process_time() < end: n += 1
print(n)
""", ["python3", "b.py"]),
    "Java": ("B.java", """public class B { public static void main(String[] a) { java.lang.management.ThreadMXBean m = java.lang.management.ManagementFactory.getThreadMXBean();
long end = m.getCurrentThreadCpuTime() + 2000000000L, n = 0; while (m.getCurrentThreadCpuTime() < end) n++; System.out.println(n); } }
""", ["java", "B.java"]),
    "Go": ("b.go", """package main
import ("fmt"; "syscall")
func used() int64 { var r syscall.Rusage; syscall.Getrusage(0, &r); return r.Utime.Nano() + r.Stime.Nano() }
func main() { end := used() + 2000000000; n := 0; for used() < end { n++ }; fmt.Println(n) }
""", ["./b"]),
}


def built(case, folder):
    """Writes a program, compiles it if need be; the command that runs it, or None without its language."""
    file, text, argv = case
    tool = {"go": "go", "c": "gcc"}.get(file.rsplit(".")[-1], argv[0])
    if not shutil.which(tool):
        return None
    with open(f"{folder}/{file}", "w", encoding="utf-8") as f:
        f.write(text)
    if tool == "go":
        subprocess.run(["go", "build", "-o", argv[0], file], cwd=folder, env={**os.environ, "GO111MODULE": "off"}, check=True, **QUIET)
    if tool == "gcc":
        subprocess.run(["gcc", "-g", "-O1", "-fno-optimize-sibling-calls", "-o", argv[0], file, "-lpthread"], cwd=folder, check=True, **QUIET)
    # The interpreter itself, where the command is a script that looks for one.
    return ["/usr/bin/python3" if tool == "python3" else argv[0], *argv[1:]]


def languages(rounds, folder):
    """Processor time of reading a program in its language, and how much less one does meanwhile that is read every 500 ms, as at most."""
    reader = os.path.dirname(PPTRACE) + "/bench/languages"
    reading, cost = {}, {}
    for name, case in WAITING.items():
        argv = built(case, folder)
        if not argv:
            continue
        program = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        program.stdout.readline()
        time.sleep(1)
        text = subprocess.run([reader, str(program.pid), str(10 * rounds), "10"], stdout=subprocess.PIPE, check=True).stdout
        program.kill()
        program.wait()
        rows = [[int(word) for word in line.split()] for line in text.splitlines()]
        reading[name] = {"first_ms": rows[0][0] / 1e3, "ms": spread([row[0] / 1e3 for row in rows[1:]]), "threads": rows[-1][1], "frames": rows[-1][2]}
    for name, case in BUSY.items():
        argv = built(case, folder)
        less = []
        for _ in range(rounds if argv else 0):
            counts = []
            for read in (False, True):
                program = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                other = subprocess.Popen([reader, str(program.pid), "1000", "500"], **QUIET) if read else None
                counts.append(int(program.communicate()[0]))
                if other:
                    other.kill()
                    other.wait()
            less.append(100 * (1 - counts[1] / counts[0]))
        if less:
            cost[name] = spread(less)
    return {"reading": reading, "cost": cost}


def measure(only, rounds, folder):
    wanted = [name for name in NAMES if not only or name in only]
    result = {}
    for name in wanted:
        if name == "growth":
            result[name] = growth([10**4, 10**5, 10**6, 10**7], folder)
        else:
            result[name] = globals()[name](rounds, folder)
    return result
