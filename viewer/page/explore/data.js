"use strict";
/* data.js - what viewer/page/explore.c wrote, as arrays. */
const exploreData = (() => {
	const SPAN = 28; /* bytes: see explore.h */
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
		end: l[7], stuck: !!l[8], levels: l[9], row: l[10], bars: [], holds: [], marks: [] });

	/* Returns null where the page has no data, or a browser that does not know it. */
	const load = () => {
		if (!document.getElementById("explore-head"))
			return null;
		const head = JSON.parse(text("explore-head")), view = bytes(text("explore-spans"));
		const unit = (head.t1 - head.t0) / 4294967295;
		const lanes = head.lanes.map(lane);
		slack = 2 * unit;
		for (let at = 0; at + SPAN <= view.byteLength; at += SPAN) {
			const u32 = (k) => view.getUint32(at + k, true), u8 = (k) => view.getUint8(at + k);
			const flags = u8(26), kind = u8(24);
			const s = { lane: u32(0), from: head.t0 + u32(4) * unit, to: head.t0 + u32(8) * unit, ref: u32(12), place: u32(16),
				count: u32(20), kind: kind, reason: u8(25), stuck: !!(flags & 1), endless: !!(flags & 2), shared: !!(flags & 4), level: u8(27) };
			lanes[s.lane][kind === KIND.HOLD || kind === KIND.HOLDS ? "holds" : "bars"].push(s);
		}
		for (const l of lanes) {
			/* How far the spans up to each reach, so that those that begin left of the view are found. */
			for (const list of [l.bars, l.holds]) {
				let most = -Infinity;
				list.sort((a, b) => a.from - b.from);
				list.reach = list.map((s) => (most = Math.max(most, s.to)));
			}
		}
		for (const m of head.marks)
			lanes[m[1]].marks.push({ kind: m[0], ts: m[2], text: m[3] });
		for (const l of lanes)
			l.marks.sort((a, b) => a.ts - b.ts);
		return { t0: head.t0, t1: head.t1, sched: head.sched, folded: head.folded, lanes: lanes, places: head.places,
			refs: head.refs.map((r) => ({ kind: r[0], name: r[1], detail: r[2], lane: r[3], id: r[4] })),
			reasons: head.reasons.map((r) => ({ name: r[0], words: r[1], verb: r[2], color: r[3], alone: r[4] })),
			arrows: head.arrows.map((a) => ({ kind: a[0], from: a[1], to: a[2], t0: a[3], t1: a[4], count: a[5] })),
			path: head.path.map((p) => ({ lane: p[0], from: p[1], to: p[2] })),
			findings: head.findings.map((f) => ({ ts: f[0], severity: f[1], summary: f[2], lanes: f[3] })) };
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
			if (n >= unit || unit === 1) {
				const v = n / unit;
				return sign + (unit === 1 ? Math.round(v) : v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2)) + " " + name;
			}
		return "0 ns";
	};

	return { KIND, MARK, ARROW, load, firstAt, at, duration };
})();
