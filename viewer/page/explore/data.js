"use strict";
/* data.js - what viewer/page/explore.c wrote, as arrays. */
const exploreData = (() => {
	const SPAN = 32; /* bytes: see explore.h */
	const KIND = { WAIT: 0, WAITS: 1, HOLD: 2, HOLDS: 3, ZOMBIE: 4, ALIVE: 5, RAN: 6 };
	const MARK = ["exec", "exec that failed", "takes"];
	const ARROW = ["fork", "new thread", "exit, reaped", "end, joined", "write, read", "signal", "unlock, lock"];

	const text = (id) => document.getElementById(id).content.textContent;

	const bytes = (base64) => {
		const raw = atob(base64), out = new Uint8Array(raw.length);
		for (let i = 0; i < raw.length; i++)
			out[i] = raw.charCodeAt(i);
		return new DataView(out.buffer);
	};

	const lane = (l) => ({ name: l[0], id: l[1], first: !!l[2], fold: !!l[3], proc: l[4], from: l[5], to: l[6],
		end: l[7], stuck: !!l[8], levels: l[9], row: l[10], within: l[11], bars: [], holds: [], marks: [], titles: [] });

	/* How far the spans up to each reach, so that those that begin left of the view are found. */
	const reaching = (list) => {
		let most = -Infinity;
		list.sort((a, b) => a.from - b.from);
		list.reach = list.map((s) => (most = Math.max(most, s.to)));
		return list;
	};

	/* Lanes that are alike stand together until somebody opens them: the fold shows how many lived at a time. */
	const fold = (name, members) => {
		const turns = members.flatMap((l) => [[l.from, 1], [l.to, -1]]).sort((a, b) => a[0] - b[0] || b[1] - a[1]);
		const l = lane([name, 0, 0, 1, members[0].proc, Infinity, -Infinity, "", 0, 0, "", -1]);
		let alive = 0, most = 0, from = 0;
		for (const [t, step] of turns) {
			if (step > 0 && alive++ === 0)
				from = t, most = 0;
			most = Math.max(most, alive);
			if (step < 0 && --alive === 0)
				l.bars.push({ from: from, to: t, ref: 0, place: 0, count: most, kind: KIND.ALIVE, reason: 0, level: 0 });
			l.from = Math.min(l.from, t);
			l.to = Math.max(l.to, t);
		}
		reaching(l.bars);
		reaching(l.holds);
		return Object.assign(l, { members: members });
	};

	/* Returns null where the page has no data, or a browser that does not know it. */
	const load = () => {
		if (!document.getElementById("explore-head"))
			return null;
		const all = JSON.parse(text("explore-head")), view = bytes(text("explore-spans"));
		const unit = (all.t1 - all.t0) / 4294967295;
		const lanes = all.lanes.map(lane);
		slack = 2 * unit;
		for (let at = 0; at + SPAN <= view.byteLength; at += SPAN) {
			const u32 = (k) => view.getUint32(at + k, true), u8 = (k) => view.getUint8(at + k);
			const flags = u8(30), kind = u8(28);
			const s = { lane: u32(0), from: all.t0 + u32(4) * unit, to: all.t0 + u32(8) * unit, ref: u32(12), place: u32(16),
				count: u32(20), waker: 0, share: 1, kind: kind, reason: u8(29), stuck: !!(flags & 1), endless: !!(flags & 2), shared: !!(flags & 4), level: u8(31) };
			/* Who ended a wait; of what stands for many short ones, which part of its time they took. */
			if (kind === KIND.WAITS || kind === KIND.HOLDS)
				s.share = u32(24) / 4294967295;
			else
				s.waker = u32(24);
			lanes[s.lane][kind === KIND.HOLD || kind === KIND.HOLDS ? "holds" : "bars"].push(s);
		}
		let head = null;
		const names = new Map();
		for (const l of lanes)
			names.set(l.name, (names.get(l.name) || 0) + 1);
		const members = all.folds.map(() => []);
		for (const [i, l] of lanes.entries()) {
			l.number = i;
			l.alike = names.get(l.name) > 1;
			reaching(l.bars);
			reaching(l.holds);
			head = l.first || l.fold || !head ? l : head;
			l.head = head;
			if (l.within >= 0)
				members[l.within].push(l);
		}
		const folds = all.folds.map((name, i) => members[i].length ? fold(name, members[i]) : null);
		for (const [at, ts, name] of all.titles)
			lanes[at].titles.push({ ts: ts, name: name });
		for (const m of all.marks)
			lanes[m[1]].marks.push({ kind: m[0], ts: m[2], text: m[3] });
		for (const l of lanes)
			l.marks.sort((a, b) => a.ts - b.ts);
		return { t0: all.t0, t1: all.t1, sched: all.sched, folded: all.folded, lanes: lanes, folds: folds, places: all.places,
			refs: all.refs.map((r) => ({ kind: r[0], name: r[1], detail: r[2], lane: r[3], id: r[4] })),
			reasons: all.reasons.map((r) => ({ name: r[0], words: r[1], verb: r[2], color: r[3], alone: r[4] })),
			arrows: all.arrows.map((a) => ({ kind: a[0], from: lanes[a[1]], to: lanes[a[2]], t0: a[3], t1: a[4], count: a[5] })).sort((a, b) => a.t0 - b.t0),
			path: reaching(all.path.map((p) => ({ lane: lanes[p[0]], from: p[1], to: p[2] }))),
			findings: all.findings.map((f) => ({ ts: f[0], severity: f[1], summary: f[2], lanes: f[3] })) };
	};

	/* Returns the index of the first span of a sorted list that may reach beyond a time. */
	const firstAt = (list, t) => {
		let low = 0, high = list.length;
		while (low < high) {
			const mid = (low + high) >> 1;
			if (list.reach[mid] < t)
				low = mid + 1;
			else
				high = mid;
		}
		return low;
	};

	/* Times are rounded to a unit: what begins at a moment is there at that moment. */
	let slack = 0;

	/* Returns the spans of a sorted list that last at a time. */
	const at = (list, t) => {
		const out = [];
		for (let i = firstAt(list, t); i < list.length && list[i].from <= t + slack; i++)
			if (list[i].to >= t)
				out.push(list[i]);
		return out;
	};

	const duration = (ns) => {
		const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
		const sign = ns < 0 ? "-" : "", n = Math.abs(ns);
		for (const [unit, name] of units)
			if (n >= 0.9995 * unit || unit === 1) {
				const v = n / unit;
				return sign + (unit === 1 ? Math.round(v) : v >= 99.95 ? v.toFixed(0) : v >= 9.995 ? v.toFixed(1) : v.toFixed(2)) + " " + name;
			}
		return "0 ns";
	};

	/* A moment to the precision of a time, in the largest unit in which that takes three decimals at most. */
	const exact = (ns, precision) => {
		const [unit, name] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]].find(([u]) => precision >= u / 1e3) || [1, "ns"];
		return `${(ns / unit).toFixed(precision < unit ? Math.min(3, Math.ceil(Math.log10(unit / precision))) : 0)} ${name}`;
	};

	/* Three digits tell moments apart as long as they are not closer together than a thousandth of themselves. */
	const moment = (ns, precision) => (Math.abs(ns) / 1000 > precision ? exact(ns, precision) : duration(ns));

	return { KIND, MARK, ARROW, load, firstAt, at, duration, moment };
})();
