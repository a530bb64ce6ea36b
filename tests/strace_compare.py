#!/usr/bin/env python3
"""strace_compare.py LOG DB [shim]: compares what strace saw with what pptrace stored of the same run.

LOG comes from `strace -f -y -o LOG` run inside `pptrace run -o DB`. Only tasks
that strace saw are compared; strace's own helpers are not in its log. With
"shim" what the preload library cannot see is left out: the attempts that
execvp makes along PATH, signals that nobody handles, and whatever a process
that is killed at once had no time to say.
SPDX-License-Identifier: MIT
"""
import collections
import re
import sqlite3
import sys

LINE = re.compile(r"^(\d+) +(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+|\?|0x[0-9a-f]+)(.*)$", re.S)
PIPE = re.compile(r"^\d+<(?:pipe|FIFO):?\[(\d+)\]>")
READS = {"read", "readv", "pread64", "preadv", "preadv2"}
WRITES = {"write", "writev", "pwrite64", "pwritev", "pwritev2", "vmsplice"}
FORKS = {"fork", "vfork", "clone", "clone3"}


class Facts:
    """What both sides can say, as multisets that compare equal."""

    def __init__(self):
        self.forks = set()      # (creator tid, child tid)
        self.threads = set()    # (creator tid, child tid)
        self.execs = collections.Counter()
        self.failed = collections.Counter()
        self.ends = {}          # pid -> status
        self.signals = collections.Counter()
        self.read = collections.Counter()
        self.written = collections.Counter()


def calls(log):
    """Yields (tid, text) with interrupted lines put together again."""
    begun = {}
    for line in log:
        m = LINE.match(line.rstrip("\n"))
        if not m:
            continue
        tid, text = int(m[1]), m[2]
        if text.endswith("<unfinished ...>"):
            begun[tid] = text[: -len("<unfinished ...>")].rstrip()
            continue
        r = re.match(r"^<\.\.\. (\w+) resumed>(.*)$", text, re.S)
        if r:
            text = begun.pop(tid, r[1] + "(") + r[2]
        yield tid, text


def from_strace(path):
    f, tasks = Facts(), set()
    leader = {}
    with open(path, errors="replace") as log:
        for tid, text in calls(log):
            tasks.add(tid)
            leader.setdefault(tid, tid)
            m = re.match(r"^\+\+\+ exited with (\d+) \+\+\+", text)
            if m:
                if leader[tid] == tid:
                    f.ends[tid] = ("exit", int(m[1]))
                continue
            m = re.match(r"^\+\+\+ killed by (SIG\w+)", text)
            if m:
                if leader[tid] == tid:
                    f.ends[tid] = ("signal", m[1])
                continue
            m = re.match(r"^--- (SIG\w+) \{", text)
            if m:
                f.signals[(tid, m[1].replace("SIGRT_", "SIGRTMIN+"))] += 1
                continue
            m = CALL.match(text)
            if not m:
                continue
            name, args, ret = m[1], m[2], m[3]
            n = int(ret, 0) if ret != "?" else -1
            if name in FORKS and n > 0:
                is_thread = "CLONE_THREAD" in args
                (f.threads if is_thread else f.forks).add((tid, n))
                leader[n] = leader[tid] if is_thread else n
                tasks.add(n)
            elif name in ("execve", "execveat"):
                if n == 0:
                    f.execs[leader[tid]] += 1
                elif ret != "?":
                    f.failed[leader[tid]] += 1
            p = PIPE.match(args)
            if p and n > 0:
                if name in READS:
                    f.read[int(p[1])] += n
                elif name in WRITES:
                    f.written[int(p[1])] += n
            if name in ("splice", "tee", "sendfile") and n > 0:
                ends = re.findall(r"\d+<(?:pipe|FIFO):?\[(\d+)\]>", args)
                wide = [a for a in re.findall(r"\d+<([^>]*)>", args)]
                if len(wide) == 2:
                    source, sink = (wide[1], wide[0]) if name == "sendfile" else wide
                    if source.startswith("pipe") and name != "tee":
                        f.read[int(re.search(r"\[(\d+)\]", source)[1])] += n
                    if sink.startswith("pipe"):
                        f.written[int(re.search(r"\[(\d+)\]", sink)[1])] += n
                del ends
    return f, tasks


def from_trace(path, tasks):
    f = Facts()
    db = sqlite3.connect(path)
    db.text_factory = lambda b: b.decode(errors="replace")
    rows = db.execute(
        "SELECT c.tid, t.tid, t.is_main, t.process_id = c.process_id FROM thread t "
        "JOIN thread c ON c.id = CASE WHEN t.is_main THEN (SELECT creator_id FROM process p "
        "WHERE p.id = t.process_id) ELSE t.creator_id END")
    for creator, child, is_main, same in rows:
        if creator in tasks and child in tasks:
            (f.threads if not is_main and same else f.forks).add((creator, child))
    for pid, errno in db.execute(
            "SELECT p.pid, e.errno FROM exec e JOIN process p ON p.id = e.process_id"):
        if pid in tasks:
            (f.execs if errno is None else f.failed)[pid] += 1
    names = dict(db.execute("SELECT DISTINCT signo, name FROM signal"))
    import signal
    for s in signal.Signals:
        names.setdefault(s.value, s.name)
    for pid, kind, code, sig in db.execute(
            "SELECT pid, end_kind, exit_code, exit_signal FROM process"):
        if pid in tasks and kind:
            f.ends[pid] = (kind, code if kind == "exit" else names.get(sig, sig))
    for tid, name in db.execute(
            "SELECT t.tid, s.name FROM signal s JOIN thread t ON t.id = s.thread_id "
            "WHERE s.delivered_ns IS NOT NULL AND s.disposition IS NOT 'wait'"):
        if tid in tasks:
            f.signals[(tid, name)] += 1
    for inode, op, n in db.execute(
            "SELECT p.inode, i.op, sum(i.bytes) FROM pipe_io i JOIN pipe p ON p.id = i.pipe_id "
            "JOIN thread t ON t.id = i.thread_id WHERE p.kind <> 'socketpair' "
            "AND t.tid IN (%s) GROUP BY 1, 2" % ",".join(map(str, tasks))):
        if n:
            (f.read if op == "read" else f.written)[inode] += n
    return f


def main():
    strace, tasks = from_strace(sys.argv[1])
    trace = from_trace(sys.argv[2], tasks)
    bad = 0
    if "shim" in sys.argv:
        killed = {pid for pid, end in strace.ends.items() if end[0] == "signal"}
        for side in strace, trace:
            side.failed.clear()
            side.execs = collections.Counter(
                {pid: n for pid, n in side.execs.items() if pid not in killed})
            side.signals = collections.Counter(
                {k: n for k, n in side.signals.items() if k[0] not in killed})
    for name in vars(strace):
        a, b = getattr(strace, name), getattr(trace, name)
        if name == "signals":
            # strace stops and continues its child at the start; how many SIGCHLDs coalesce is a matter of chance.
            unsure = ("SIGCHLD", "SIGSTOP", "SIGCONT")
            a = collections.Counter({k: v for k, v in a.items() if k[1] not in unsure})
            b = collections.Counter({k: v for k, v in b.items() if k[1] not in unsure})
        if a != b:
            bad += 1
            print(f"{name}: strace {len(a)}, pptrace {len(b)}")
            a = {(x, a[x]) for x in a} if hasattr(a, "items") else set(a)
            b = {(x, b[x]) for x in b} if hasattr(b, "items") else set(b)
            print("  only strace:", sorted(map(str, a - b))[:8])
            print("  only pptrace:", sorted(map(str, b - a))[:8])
    print(f"{len(strace.forks)} forks, {len(strace.threads)} threads, "
          f"{sum(strace.execs.values())} execs, {sum(strace.failed.values())} failed, "
          f"{len(strace.ends)} ends, {sum(strace.signals.values())} signals, "
          f"{sum(strace.written.values())} bytes in {len(strace.written)} pipes")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
