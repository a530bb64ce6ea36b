"use strict";
/* moment.js - who waits for whom at one time, and what happened in a range of time. */
const exploreMoment = (() => {
	const { KIND, at, firstAt, duration } = exploreData;
	const LISTED = 40;
	const SHORT = 32; /* letters of a cell that stay on one line */

	const el = (name, text, parent) => {
		const e = document.createElement(name);
		if (text)
			e.textContent = text;
		if (parent)
			parent.append(e);
		return e;
	};
	/* Returns the lanes that a wait is for: holders of the lock, the thread to join, the child. */
	const targets = (data, s, t) => {
		const r = s.ref && data.refs[s.ref - 1];
		if (!r)
			return [];
		if (r.kind === "lock")
			return data.lanes.filter((l) => at(l.holds, t).some((h) => h.ref === s.ref));
		return r.lane >= 0 ? [data.lanes[r.lane]] : [];
	};

	/* Every wait that lasts at t, with whom it is for. */
	const edges = (data, t) => {
		const out = [];
		for (const l of data.lanes)
			for (const s of at(l.bars, t))
				if (s.kind === KIND.WAIT)
					out.push({ from: l, span: s, to: targets(data, s, t).filter((o) => o !== l || s.stuck) });
		return out;
	};

	const listed = (view, box, list, t, pick) => {
		const ul = el("ul", "", box);
		for (const e of list.slice(0, LISTED)) {
			const li = el("li", "", ul), a = el("button", exploreWords.lane(e.from, t), li), s = e.span;
			const place = exploreWords.place(view.data, s);
			li.classList.toggle("bad", s.stuck);
			a.type = "button";
			a.addEventListener("click", () => pick({ lane: e.from, ref: s.ref }));
			li.append(` ${exploreWords.what(view.data, s)} for ${duration(t - s.from)}${place ? ` at ${place}` : ""}`);
			if (e.to.length && view.data.refs[s.ref - 1].kind === "lock")
				li.append(`, held by ${e.to.map((l) => exploreWords.lane(l, t)).join(", ")}`);
		}
		if (list.length > LISTED)
			el("li", `and ${list.length - LISTED} more`, ul);
	};

	/* Fills box with the wait-for graph of a moment. */
	const show = (view, box, t, pick) => {
		const list = edges(view.data, t).sort((a, b) => (b.span.stuck - a.span.stuck) || a.span.from - b.span.from);
		box.textContent = "";
		el("h3", `Who waits for whom at ${view.words(t)}`, box);
		if (!list.length) {
			el("p", "Nobody waits.", box).className = "sub";
			return;
		}
		const drawn = exploreGraph.picture(view, list, t, box.clientWidth, pick);
		if (drawn)
			box.append(drawn);
		listed(view, box, list, t, pick);
	};

	const overlap = (s, a, b) => Math.max(0, Math.min(s.to, b) - Math.max(s.from, a));

	const add = (map, key, ns) => map.set(key, (map.get(key) || 0) + ns);

	/* Gives each span of a list what it took in a range. */
	const sum = (list, a, b, each) => {
		for (let i = firstAt(list, a); i < list.length && list[i].from <= b; i++) {
			const ns = overlap(list[i], a, b) * list[i].share;
			if (ns > 0)
				each(list[i], ns);
		}
	};

	/* Returns the sums of a range: for each lane what it waited for and held, for each lock how long it was held and waited for. */
	const sums = (view, a, b) => {
		const lanes = [], locks = new Map(), refs = view.data.refs;
		const lock = (ref) => locks.get(ref) || locks.set(ref, { held: 0, waited: 0, waits: 0 }).get(ref);
		for (const row of view.rows) {
			const l = row.lane, alive = Math.max(0, Math.min(l.to, b) - Math.max(l.from, a)), reasons = new Map(), holds = new Map();
			let waited = 0, held = 0;
			if (!alive || l.fold)
				continue;
			sum(l.bars, a, b, (s, ns) => {
				if (s.kind !== KIND.WAIT && s.kind !== KIND.WAITS)
					return;
				waited += ns;
				add(reasons, s.reason, ns);
				if (s.ref && refs[s.ref - 1].kind === "lock") {
					lock(s.ref).waited += ns;
					lock(s.ref).waits += s.count;
				}
			});
			sum(l.holds, a, b, (s, ns) => {
				held += ns;
				if (!s.ref)
					return;
				add(holds, s.ref, ns);
				lock(s.ref).held += ns;
			});
			lanes.push({ lane: l, ran: Math.max(0, alive - waited), waited, held, reasons, holds });
		}
		return { lanes, locks };
	};

	/* "lock 12 ms, sleep 3 ms": the largest of some sums. */
	const MOST = 3;
	const largest = (map, name) => {
		const all = [...map].sort((x, y) => y[1] - x[1]);
		return all.slice(0, MOST).map(([key, ns]) => (all.length > 1 ? `${name(key)} ${duration(ns)}` : name(key))).join(", ") + (all.length > MOST ? ", …" : "");
	};

	const table = (heads, rows, parent) => {
		const t = el("table", "", parent), head = el("tr", "", el("thead", "", t)), body = el("tbody", "", t);
		const number = (cell) => /^[\d.]+( [nµm]?s)?$/.test(cell);
		heads.forEach((h, i) => {
			el("th", h, head).className = i && rows.length && rows.every((r) => number(r[i])) ? "n" : "";
		});
		for (const r of rows) {
			const tr = el("tr", "", body);
			r.forEach((cell, i) => {
				el("td", cell, tr).className = i && number(cell) ? "n" : cell.length > SHORT ? "long" : "";
			});
		}
	};

	/* Fills box with the statistics of a range. */
	const range = (view, box, a, b) => {
		const { lanes, locks } = sums(view, a, b);
		box.textContent = "";
		el("h3", `${view.words(a)} to ${view.words(b)}: ${duration(b - a)}`, box);
		table(["thread", view.data.sched ? "ran or ready" : "ran", "waited", "for", "held", "what"], lanes.slice(0, LISTED).map((r) =>
			[exploreWords.lane(r.lane, b), duration(r.ran), duration(r.waited), largest(r.reasons, (k) => view.data.reasons[k].verb),
				duration(r.held), largest(r.holds, (k) => view.data.refs[k - 1].name)]), box);
		if (lanes.length > LISTED)
			el("p", `and ${lanes.length - LISTED} more`, box).className = "sub";
		const used = [...locks].filter(([, k]) => k.held || k.waited).sort((x, y) => y[1].waited - x[1].waited || y[1].held - x[1].held);
		if (used.length)
			table(["lock", "held", "waited for", "in waits"], used.slice(0, 20).map(([ref, k]) =>
				[view.data.refs[ref - 1].name, duration(k.held), duration(k.waited), String(k.waits)]), box);
	};

	/* Fills box with what is chosen: a thread, lock or pipe, and where else on the page it is. */
	const chosen = (view, box, selected, clear) => {
		box.textContent = "";
		if (!selected)
			return;
		const p = el("p", "", box), r = selected.ref && view.data.refs[selected.ref - 1];
		if (selected.finding)
			el("strong", selected.finding.summary, p);
		if (selected.lane) {
			el("strong", exploreWords.lane(selected.lane, view.cursor ?? undefined), p);
			p.append(selected.lane.end ? ` ${selected.lane.end} ` : " ");
			if (document.getElementById(selected.lane.row))
				el("a", "row", p).href = "#" + selected.lane.row;
		}
		if (r) {
			p.append(selected.lane ? " · " : "");
			el("strong", `${r.name} (${r.detail})`, p);
			p.append(" ");
			if (document.getElementById(`row-${r.kind}${r.id}`))
				el("a", "row", p).href = `#row-${r.kind}${r.id}`;
		}
		p.append(" ");
		const button = el("button", "clear", p);
		button.type = "button";
		button.addEventListener("click", clear);
	};

	return { show, range, chosen, edges, targets };
})();
