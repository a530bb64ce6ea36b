# report.py - the figures of the benchmark as a table, as a page of the documentation and as a chart.
# SPDX-License-Identifier: MIT
"""Writes nothing that was not measured in this run."""

import html
import math

import extras
from ways import WAYS

NOTES = {way.name: way.note for way in WAYS}
STEPS = ("run", "diagnose", "timeline", "report")


def ratio(entry, what):
    if not (entry and what in entry):
        return "-"
    r = entry[what]
    digits = 2 if r["median"] < 10 else 0
    return f"{r['median']:.{digits}f} ({r['least']:.{digits}f}-{r['most']:.{digits}f})"


def names(result):
    seen = []
    for w in result["workloads"]:
        for name in list(w["ways"]) + list(w["failed"]):
            if name not in seen and name != "native":
                seen.append(name)
    return seen


def table(result, out):
    m = result["machine"]
    print(f"{m['processors']} processors, {m['model']}, Linux {m['kernel']}; load {result['load']:.1f} before, "
          f"{result['load_after']:.1f} after; medians of up to {result['rounds']} rounds (least-most)", file=out)
    for w in result["workloads"]:
        native = w["ways"].get("native")
        if not native:
            continue
        print(f"\n{w['name']}: {w['what']}; natively {native['ns']:.0f} ns", file=out)
        for name in names(result):
            if name in w["ways"]:
                e = w["ways"][name]
                print(f"  {name:24} own {ratio(e, 'own'):18} cpu {ratio(e, 'cpu'):18} until {ratio(e, 'until')}", file=out)
            elif name in w["failed"]:
                print(f"  {name:24} {w['failed'][name]}", file=out)
    for name, value in result.get("extras", {}).items():
        for line in extra_lines(name, value):
            print(line.replace("`", ""), file=out)
    for name, why in result["absent"].items():
        print(f"not measured: {name}: {why}", file=out)
    print(f"{result['seconds']:.0f} s", file=out)


def span(s, digits=0):
    return f"{s['median']:.{digits}f} ({s['least']:.{digits}f}-{s['most']:.{digits}f})"


def extra_lines(name, value):
    """One line of text for each figure."""
    if not value:
        return []
    if name in ("one", "steps", "locksteps", "alone"):
        return [f"{title}: {step_words(name, step)}: {s['ns']:.0f} ns, {span(s['ratio'], 2)}" if step != "failed" else f"{title}: {s}"
                for title, found in value.items() for step, s in found.items()]
    if name == "start":
        return [f"start and end of `run true`, {way}: {span(v['wall'])} ms beyond `true`, of processors {span(v['cpu'])} ms"
                for way, v in value.items()]
    if name == "untraced":
        lines = [f"a system call of a program that is not traced, meanwhile: {span(value['more_ns'])} ns more than {value['before_ns']:.0f} ns"]
        if "least_ns" in value:
            lines.append(f"the same with two eBPF programs in place of pptrace, which do nothing when a call begins and ends: {span(value['least_ns'])} ns more")
        return lines
    if name == "load":
        return [f"`true` with a preloaded library, {library}: {span(v)} us of processors" for library, v in value.items()]
    if name == "probes":
        return [f"the eBPF program `{program}`: {span(v['ns'])} ns a run, {v['instructions']} instructions"
                for program, v in value.items()]
    if name == "languages":
        return [f"{what}, {v['threads']} with {v['frames']} frames: read in {span(v['ms'], 1)} ms of a processor, the first time in {v['first_ms']:.0f} ms"
                for what, v in value["reading"].items()] + \
               [f"a busy {what} program that is read every 500 ms does {span(v, 1)} % less" for what, v in value["cost"].items()]
    return [f"{row['holds']} holds: " + ", ".join(f"{k} {row[k]['s']:.2f} s {row[k]['mb']:.0f} MB" for k in STEPS) +
            f", {row['bytes']} bytes" for row in value]


def step_words(name, step):
    if name == "steps":
        return extras.STEPS.get(step, step)
    return extras.LOCK_STEPS[int(step)] if name == "locksteps" and step.isdigit() else step


def failures(found):
    """Those that gave no figures, as a list."""
    bad = [f"- {title}: {f['failed']}" for title, f in found.items() if "failed" in f]
    return bad + [""] if bad else []


def ladder(name, found):
    """A table of one line a step, of a pair of columns a workload."""
    good = {title: f for title, f in found.items() if "failed" not in f}
    if not good:
        return []
    out = ["| | " + " | ".join(f"{title}, ns | ratio" for title in good) + " |", "|---|" + "---|" * (2 * len(good))]
    for step in next(iter(good.values())):
        out.append(f"| {step_words(name, step)} | " + " | ".join(f"{f[step]['ns']:.0f} | {span(f[step]['ratio'], 2)}" for f in good.values()) + " |")
    return out + [""] + failures(found)


def ladders(result):
    """What a user of one processor pays, and what no tracer can do without."""
    found, out = result.get("extras", {}), []
    if found.get("one"):
        out += ["## On one processor", "", "All of it on one processor (`taskset -c 0`), as in a small container: the program's own time, and in it what pptrace takes meanwhile.", "",
                "| | native, ns | pptrace |", "|---|---|---|"]
        out += [f"| {name} | {f['native']['ns']:.0f} | {span(f['pptrace']['ratio'], 2)} |" for name, f in found["one"].items() if "failed" not in f] + [""] + failures(found["one"])
    if found.get("alone"):
        out += ["## A server that is recorded alone", "", "Its client is not, as for one who looks at a service. Throughput is one divided by the ratio.", ""]
        out += ladder("alone", found["alone"])
    if found.get("steps"):
        out += ["## What a call costs at least", "",
                "Each line does what those above it do, and no more: in the shortest form, without processes, waits, signals and all that pptrace needs besides. No tracer that",
                "writes down each read and write can cost less than *and another process copies the records*, where there is a processor to spare; on one the reader's time counts too. pptrace does so for a",
                "thread's first ones, and counts the others for each descriptor (*find out what the descriptor is*, and a little more). A server's time is that of a request.", ""]
        out += ladder("steps", found["steps"])
    if found.get("locksteps"):
        out += ["## What a lock costs at least", "",
                "A library in front of the C library's that does ever more. Who takes the time of an acquisition and of a release while the lock is held keeps the others waiting for it.", ""]
        out += ladder("locksteps", found["locksteps"])
    return out


def page(result, path, chart_path):
    m = result["machine"]
    out = ["# What recording costs", "",
           "<!-- Made by `make bench` (bench/bench.py). Every figure was measured in one run of it. -->", "",
           f"Measured on {m['processors']} processors ({m['model']}), Linux {m['kernel']}, in {result['seconds'] / 60:.0f} minutes; "
           f"load average {result['load']:.1f} before and {result['load_after']:.1f} after. Each workload was run natively and in each way in turns, "
           f"up to {result['rounds']} rounds; a figure is the median of the ratios to the native run of the same round, the least and the most in brackets.",
           ""]
    if max(result["load"], 1) > m["processors"]:
        out += ["**Other programs used the machine meanwhile:** the ratios of processor time say more than those of time.", ""]
    out += ["*Own* is the time that the workload measured itself, *cpu* the processor time that it and its children used, *until* the time until the command",
            "line returned with a complete recording: for short workloads that is mostly the start of the tracer.", "",
            "![Own time, as a multiple of native](pictures/" + chart_path.rsplit("/", 1)[-1] + ")", ""]
    for w in result["workloads"]:
        native = w["ways"].get("native")
        if not native:
            continue
        out += [f"## {w['name']}: {w['what']}", "", f"Natively {native['ns']:.0f} ns an operation.", "",
                "| | own | cpu | until | what it records less than pptrace |", "|---|---|---|---|---|"]
        for name in names(result):
            if name in w["ways"]:
                e = w["ways"][name]
                out.append(f"| {name} | {ratio(e, 'own')} | {ratio(e, 'cpu')} | {ratio(e, 'until')} | {NOTES.get(name, '')} |")
            elif name in w["failed"]:
                out.append(f"| {name} | - | - | - | {w['failed'][name]} |")
        out.append("")
    out += ladders(result)
    apart = ("growth", "one", "steps", "locksteps", "alone")
    lines = [line for name, value in result.get("extras", {}).items() if name not in apart for line in extra_lines(name, value)]
    if lines:
        out += ["## The parts of it", "", "What a stage costs by itself. No preload library can cost a program less than one that is empty.", ""]
        out += [f"- {line}" for line in lines] + [""]
    rows = result.get("extras", {}).get("growth")
    if rows:
        growth_path = chart_path.replace("performance", "growth")
        out += ["## Growth", "", "Four threads take one mutex, and each hold has a row (`--fold=off`). *Run* is until the file is complete, the program's own time included.", "",
                "| holds | " + " | ".join(STEPS) + " | file |", "|---|" + "---|" * (len(STEPS) + 1)]
        out += [f"| {row['holds']} | " + " | ".join(f"{row[k]['s']:.2f} s, {row[k]['mb']:.0f} MB" for k in STEPS) + f" | {row['bytes'] / 1e6:.1f} MB |" for row in rows]
        out += ["", "![Seconds by the number of holds, both axes logarithmic](pictures/" + growth_path.rsplit("/", 1)[-1] + ")", ""]
        with open(growth_path, "w", encoding="utf-8") as f:
            f.write(growth_chart(rows))
    if result["absent"]:
        out += ["## Not measured", ""] + [f"- {name}: {why}" for name, why in result["absent"].items()] + [""]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out).rstrip() + "\n")
    with open(chart_path, "w", encoding="utf-8") as f:
        f.write(chart(result))


COLOURS = ["#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#999999", "#f0e442", "#000000", "#8c510a", "#5e3c99"]


def chart(result):
    """Bars of own time on a logarithmic axis, one group a workload."""
    all_names = names(result)
    groups = [(w, [n for n in all_names if n in w["ways"] and "own" in w["ways"][n]]) for w in result["workloads"]]
    groups = [(w, ns) for w, ns in groups if ns]
    most = max([w["ways"][n]["own"]["median"] for w, ns in groups for n in ns] + [10])
    left, width, row, top = 220, 560, 13, 40
    scale = width / math.log10(most * 1.3 / 0.5)
    height = top + sum(len(ns) * row + 24 for _, ns in groups) + 20

    def x(value):
        return left + max(math.log10(max(value, 0.5) / 0.5), 0) * scale

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 90} {height}" font-family="sans-serif" font-size="11">',
           "<title>Own time of each workload as a multiple of native, on a logarithmic axis</title>",
           f'<rect width="100%" height="100%" fill="#fff"/>']
    tick = 1
    while tick <= most * 1.3:
        out.append(f'<line x1="{x(tick):.1f}" y1="{top - 12}" x2="{x(tick):.1f}" y2="{height - 12}" stroke="#ddd"/>'
                   f'<text x="{x(tick):.1f}" y="{top - 18}" text-anchor="middle" fill="#555">{tick}×</text>')
        tick *= 10
    y = top
    for w, ns in groups:
        out.append(f'<text x="8" y="{y + 10}" font-weight="bold">{html.escape(w["name"])}</text>')
        y += 14
        for n in ns:
            value = w["ways"][n]["own"]["median"]
            colour = COLOURS[all_names.index(n) % len(COLOURS)]
            out.append(f'<text x="{left - 8}" y="{y + 9}" text-anchor="end">{html.escape(n)}</text>'
                       f'<rect x="{left}" y="{y + 1}" width="{max(x(value) - left, 1):.1f}" height="{row - 3}" fill="{colour}"/>'
                       f'<text x="{x(value) + 4:.1f}" y="{y + 9}" fill="#333">{value:.{2 if value < 10 else 0}f}×</text>')
            y += row
        y += 10
    return "\n".join(out) + "\n</svg>\n"


def growth_chart(rows):
    """Seconds of each step by the number of holds, with a line of what would be proportional."""
    left, top, width, height = 60, 20, 480, 300
    least = min(row[k]["s"] for row in rows for k in STEPS)
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(max(row[k]["s"] for row in rows for k in STEPS)))
    first, last = math.log10(rows[0]["holds"]), math.log10(rows[-1]["holds"])

    def x(holds):
        return left + (math.log10(holds) - first) / max(last - first, 1) * width

    def y(seconds):
        return top + height - (math.log10(seconds) - low) / (high - low) * height

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 110} {top + height + 40}" font-family="sans-serif" font-size="11">',
           "<title>Seconds of each step by the number of holds, both axes logarithmic</title>", '<rect width="100%" height="100%" fill="#fff"/>']
    for power in range(low, high + 1):
        out.append(f'<line x1="{left}" y1="{y(10**power):.1f}" x2="{left + width}" y2="{y(10**power):.1f}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{y(10**power) + 4:.1f}" text-anchor="end" fill="#555">{10.0**power:g} s</text>')
    for row in rows:
        out.append(f'<text x="{x(row["holds"]):.1f}" y="{top + height + 18}" text-anchor="middle" fill="#555">{row["holds"]:,}</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 34}" text-anchor="middle" fill="#555">holds</text>')
    ends = []
    for k, colour in zip(STEPS, COLOURS):
        points = " ".join(f'{x(row["holds"]):.1f},{y(row[k]["s"]):.1f}' for row in rows)
        at = y(rows[-1][k]["s"]) + 4
        # Names of lines that end side by side stand below each other.
        while any(abs(at - other) < 12 for other in ends):
            at += 1
        ends.append(at)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{left + width + 8}" y="{at:.1f}" fill="{colour}">{k}</text>')
    most = rows[-1]["run"]["s"]
    steps = [row["holds"] for row in rows if math.log10(most * row["holds"] / rows[-1]["holds"]) >= low]
    out.append('<polyline points="' + " ".join(f'{x(n):.1f},{y(most * n / rows[-1]["holds"]):.1f}' for n in steps) +
               '" fill="none" stroke="#999" stroke-dasharray="4 3"/>'
               f'<text x="{x(steps[0]) + 6:.1f}" y="{y(most * steps[0] / rows[-1]["holds"]) - 4:.1f}" fill="#777">proportional</text>')
    return "\n".join(out) + "\n</svg>\n"
