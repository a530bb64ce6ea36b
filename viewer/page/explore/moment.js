"use strict";
/* moment.js - who waits for whom at one time, and what happened in a range of time. */
const exploreMoment = (() => {
	const { KIND, at, firstAt, duration } = exploreData;
	const SVG = "http://www.w3.org/2000/svg", DRAWN = 14, LISTED = 40;

	const el = (name, text, parent) => {
		const e = document.createElement(name);
		if (text)
			e.textContent = text;
		if (parent)
			parent.append(e);
		return e;
	};
	const svg = (name, attributes, parent) => {
		const e = document.createElementNS(SVG, name);
		for (const [key, value] of Object.entries(attributes))
			e.setAttribute(key, value);
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

	/* The threads that wait for one another, in the order in which a circle has fewest crossings: along the waits. */
	const chain = (list) => {
		const next = new Map(list.map((e) => [e.from, e.to])), seen = new Set();
		const visit = (l) => {
			if (seen.has(l))
				return;
			seen.add(l);
			for (const o of next.get(l) || [])
				visit(o);
		};
		/* First the threads that nobody waits for: they stand beside the ring that they wait for, not in it. */
		const wanted = new Set(list.flatMap((e) => e.to));
		for (const e of [...list.filter((e) => !wanted.has(e.from)), ...list])
			visit(e.from);
		return [...seen];
	};

	const picture = (view, list, t, pick) => {
		const shown = list.filter((e) => e.to.length), lanes = chain(shown);
		if (!lanes.length || lanes.length > DRAWN)
			return null;
		const W = 430, H = lanes.length < 3 ? 120 : lanes.length < 5 ? 240 : 340, BOX = 132;
		const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": "who waits for whom" });
		const defs = svg("defs", {}, root);
		for (const kind of ["plain", "stuck"]) {
			const marker = svg("marker", { id: `ex-${kind}`, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 8, markerHeight: 8, orient: "auto" }, defs);
			svg("path", { d: "M0 1 L9 5 L0 9 z", class: `ex-head ${kind}` }, marker);
		}
		const spot = new Map(lanes.map((l, i) => {
			const a = 2 * Math.PI * i / lanes.length - Math.PI / 2;
			return [l, [W / 2 + (W / 2 - BOX / 2 - 4) * Math.cos(lanes.length === 2 ? a + Math.PI / 2 : a), H / 2 + (H / 2 - 20) * Math.sin(lanes.length === 2 ? a + Math.PI / 2 : a)]];
		}));
		for (const e of shown)
			for (const to of e.to) {
				const [x0, y0] = spot.get(e.from), [x1, y1] = spot.get(to), kind = e.span.stuck ? "stuck" : "plain";
				/* A bend to the right, so that two that wait for each other have two lines; ends at the boxes. */
				const dx = x1 - x0, dy = y1 - y0, d = Math.hypot(dx, dy) || 1, bend = lanes.length === 2 ? 46 : 16;
				const cx = (x0 + x1) / 2 - dy / d * bend, cy = (y0 + y1) / 2 + dx / d * bend;
				const edge = (x, y) => {
					const ux = cx - x, uy = cy - y, k = Math.min(Math.abs(ux) > 0.1 ? (BOX / 2 + 2) / Math.abs(ux) : 9, Math.abs(uy) > 0.1 ? 15 / Math.abs(uy) : 9);
					return [x + ux * Math.min(k, 1), y + uy * Math.min(k, 1)];
				};
				const [ax, ay] = edge(x0, y0), [bx, by] = edge(x1, y1);
				svg("path", { d: `M${ax} ${ay} Q${cx} ${cy} ${bx} ${by}`, class: `ex-edge ${kind}`, "marker-end": `url(#ex-${kind})` }, root);
				/* Its words stand beside it, where it bends to. */
				const words = exploreWords.brief(view.data, e.span).replace(/^✖ |, never ended$/g, "");
				const nx = -dy / d, ny = dx / d, away = Math.abs(nx) * words.length * 3 + 8;
				const label = svg("text", { x: (ax + 2 * cx + bx) / 4 + nx * away, y: (ay + 2 * cy + by) / 4 + ny * 10 + 3, class: `ex-label ${kind}` }, root);
				label.textContent = words;
			}
		for (const [l, [x, y]] of spot) {
			const stuck = list.some((e) => e.from === l && e.span.stuck);
			const g = svg("g", { class: `ex-node${stuck ? " stuck" : ""}`, tabindex: 0, role: "button" }, root);
			svg("rect", { x: x - BOX / 2, y: y - 13, width: BOX, height: 26, rx: 9 }, g);
			const name = exploreWords.name(l, t), room = 18 - String(l.id).length;
			svg("text", { x: x, y: y + 4 }, g).textContent = `${name.length > room ? name.slice(0, room - 1) + "…" : name} ${l.id}`;
			svg("title", {}, g).textContent = exploreWords.lane(l, t);
			g.addEventListener("click", () => pick({ lane: l }));
			g.addEventListener("keydown", (k) => k.key === "Enter" && pick({ lane: l }));
		}
		return root;
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
		el("h3", `Who waits for whom at ${duration(t)}`, box);
		if (!list.length) {
			el("p", "Nobody waits.", box).className = "sub";
			return;
		}
		const drawn = picture(view, list, t, pick);
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
		for (const h of heads)
			el("th", h, head);
		for (const r of rows) {
			const tr = el("tr", "", body);
			r.forEach((cell, i) => {
				el("td", cell, tr).className = i && /^[\d.]+( [nµm]?s)?$/.test(cell) ? "n" : "";
			});
		}
	};

	/* Fills box with the statistics of a range. */
	const range = (view, box, a, b) => {
		const { lanes, locks } = sums(view, a, b);
		box.textContent = "";
		el("h3", `${duration(a)} to ${duration(b)}: ${duration(b - a)}`, box);
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
