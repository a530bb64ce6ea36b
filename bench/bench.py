#!/usr/bin/env python3
# bench.py - time each workload natively and under tracers, in turns; write the ratios as table, JSON, page and chart.
# SPDX-License-Identifier: MIT
"""usage: bench/bench.py [--rounds N] [--minutes N] [--doc] [--compare BUILD] [WORKLOAD...]

In every round each way runs once, one after the other, so that a machine whose speed drifts does so for all of
them. A figure is the median over the rounds of a ratio to the native run of the same round: of the time that the
workload measured itself (own), of the processor time that it and its children used (cpu), and of the time until
the command line returned, the recording complete (until). No new round begins when the minutes are over.

What is measured besides (extras.py) has names too: one (on one processor), steps and locksteps (what a call and a lock
cost at least, step by step), alone (a server that is recorded without its client), start, untraced, load, probes, languages, growth.

--compare BUILD: pptrace alone, of this build and of the one in another folder.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import extras  # noqa: E402
import report  # noqa: E402
import ways  # noqa: E402
import workloads  # noqa: E402


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith(("model name", "Model")):
                model = line.split(":", 1)[1].strip()
                break
    return {"processors": len(os.sched_getaffinity(0)), "model": model, "kernel": platform.release()}


def summarise(samples, native, slow, count):
    """samples and native: one (own, cpu, until) or None a round."""
    pairs = [(s, n) for s, n in zip(samples, native) if s and n]
    if not pairs:
        return None
    per = count // slow or 1
    result = {"rounds": len(pairs), "ns": statistics.median(s[0] / per for s, n in pairs)}
    for i, what in enumerate(("own", "cpu", "until")):
        ratios = sorted((s[i] / per) / (n[i] / count) for s, n in pairs if n[i])
        if ratios:
            result[what] = {"median": statistics.median(ratios), "least": ratios[0], "most": ratios[-1]}
    return result


def measure(chosen, candidates, rounds, deadline, folder):
    """Runs everything, round by round; returns samples and what went wrong."""
    samples = {(w.name, x.name): [] for w in chosen for x in candidates}
    failures = {}
    for r in range(rounds):
        for w in chosen:
            for way in candidates:
                if not workloads.fits(way, w) or (w.name, way.name) in failures:
                    samples[w.name, way.name].append(None)
                    continue
                if r and time.monotonic() > deadline:
                    return samples, failures
                print(f"\r\033[Kround {r + 1} of {rounds}: {w.name}, {way.name}", end="", file=sys.stderr, flush=True)
                got, why = ways.run(way, w, w.count // way.slow or 1, folder)
                samples[w.name, way.name].append(got)
                if why:
                    failures[w.name, way.name] = why
    return samples, failures


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", maxsplit=1)[0][len("usage: "):])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--doc", action="store_true", help="write doc/performance.md and its chart")
    parser.add_argument("--compare", metavar="BUILD", help="another folder with pptrace in it")
    parser.add_argument("workload", nargs="*")
    args = parser.parse_args()
    begun = time.monotonic()
    known = [w.name for w in workloads.WORKLOADS]
    for name in args.workload:
        if name not in known and name not in extras.NAMES:
            sys.exit(f"bench: no workload '{name}'; there are {', '.join(known + list(extras.NAMES))}")
    chosen = [w for w in workloads.WORKLOADS if not args.workload or w.name in args.workload]
    candidates, absent = [], dict(ways.NOT_HERE)
    load = os.getloadavg()[0]
    had_daemon = ways.lttng_daemon()
    with tempfile.TemporaryDirectory(prefix="pptrace-bench-") as folder:
        for way in ways.compared(args.compare) if args.compare else ways.WAYS:
            why = ways.available(way, folder, workloads.PROBE)
            if why:
                absent[way.name] = why
            else:
                candidates.append(way)
        if not candidates or candidates[0].name != "native":
            sys.exit(f"bench: {workloads.WORK} does not run: make bench builds it")
        # What follows takes its part of the time too.
        samples, failures = measure(chosen, candidates, args.rounds, begun + args.minutes * 60 * 0.75, folder)
        print("\r\033[K", end="", file=sys.stderr)
        result = {"machine": machine(), "load": load, "rounds": args.rounds, "absent": absent, "workloads": []}
        for w in chosen:
            native = samples[w.name, "native"]
            entry = {"name": w.name, "what": w.what, "count": w.count, "ways": {}, "failed": {}}
            for way in candidates:
                got = summarise(samples[w.name, way.name], native, way.slow, w.count)
                if got and w.for_a_time:
                    got.pop("until", None)
                if got:
                    entry["ways"][way.name] = got
                elif (w.name, way.name) in failures:
                    entry["failed"][way.name] = failures[w.name, way.name]
            result["workloads"].append(entry)
        if not args.compare:
            result["extras"] = extras.measure(args.workload, args.rounds, folder)
        result["seconds"] = time.monotonic() - begun
        result["load_after"] = os.getloadavg()[0]
    if not had_daemon and (daemon := ways.lttng_daemon()):
        os.kill(daemon, signal.SIGTERM)
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/result.json", "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    report.table(result, sys.stdout)
    if args.doc:
        report.page(result, "doc/performance.md", "doc/pictures/performance.svg")


if __name__ == "__main__":
    if not shutil.which("true"):
        sys.exit("bench: no true(1) here")
    main()
