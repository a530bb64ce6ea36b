"use strict";
/* graph.js - the wait-for graph of a moment as a picture: who waits on the left of whom, or above; a circle as a ring. */
const exploreGraph = (() => {
	const SVG = "http://www.w3.org/2000/svg";
	const DRAWN = 14; /* threads; more are only listed */
	const HIGH = 26, ROW = 46, MARGIN = 6, NAME = "12px", LABEL = "11px";
	/* Where there is room, threads stand side by side, else below each other; words: how wide those beside a line may be. */
	const WIDE = { box: 140, gap: 96, words: 136 }, NARROW = { box: 104, gap: 44, words: 87, width: 350 };

	const svg = (name, attributes, parent) => {
		const e = document.createElementNS(SVG, name);
		for (const [key, value] of Object.entries(attributes))
			e.setAttribute(key, value);
		if (parent)
			parent.append(e);
		return e;
	};
	/* Returns those that each thread waits for, directly or not. */
	const reachable = (next, from) => {
		const seen = new Set(), visit = (l) => {
			for (const o of next.get(l) || [])
				if (!seen.has(o))
					seen.add(o), visit(o);
		};
		visit(from);
		return seen;
	};

	/* Returns the threads in the order of their waits, so that lines of a ring do not cross. */
	const chain = (next, lanes) => {
		const seen = new Set(), visit = (l) => {
			if (seen.has(l) || !lanes.has(l))
				return;
			seen.add(l);
			(next.get(l) || []).forEach(visit);
		};
		lanes.forEach(visit);
		return [...seen];
	};

	/* Returns a ring that begins with the one that others wait for, whose place is nearest to them. */
	const turned = (next, lanes, ring) => {
		const list = [...ring], at = list.findIndex((l) => [...lanes].some((o) => !ring.has(o) && (next.get(o) || []).includes(l)));
		return at < 0 ? ring : new Set([...list.slice(at), ...list.slice(0, at)]);
	};

	/* Returns lists of threads, those that wait before those that they wait for; a circle is in one list. */
	const layers = (next, lanes, ring) => {
		const depth = new Map(), out = [];
		const deep = (l, above) => {
			const group = ring.has(l) ? ring : l;
			if ((depth.get(group) ?? -1) >= above)
				return;
			depth.set(group, above);
			for (const m of group === ring ? ring : [l])
				for (const o of next.get(m) || [])
					if ((ring.has(o) ? ring : o) !== group && above < DRAWN)
						deep(o, above + 1);
		};
		lanes.forEach((l) => deep(l, 0));
		for (const l of lanes)
			(out[depth.get(ring.has(l) ? ring : l)] ??= []).push(l);
		return out.filter(Boolean);
	};

	/* Half the width and height of a ring of n boxes, from middle to middle. */
	const radii = (n, size) => n < 2 ? [0, 14] : n === 2 ? [size === WIDE ? 130 : 120, 20]
		: size === WIDE ? [Math.max(150, n * 34), Math.max(85, n * 22)] : [110, Math.max(90, n * 27)];

	/* Returns where each thread stands, and the size of it all; null: there is no room. */
	const place = (rows, ring, size) => {
		const spot = new Map(), boxes = [];
		for (const row of rows) {
			const circle = row.filter((l) => ring.has(l)), others = row.filter((l) => !ring.has(l));
			const [rx, ry] = circle.length ? radii(circle.length, size) : [0, 0];
			const beside = circle.length > 2 && size === WIDE ? 40 : 0; /* words stand outside of a ring */
			if (size === NARROW && others.length > (circle.length ? 0 : 2))
				return null;
			boxes.push({ circle, others, rx, ry, width: Math.max(circle.length ? 2 * rx + size.box + 2 * beside : 0, size === WIDE || !others.length ? size.box : others.length * (size.box + 60) - 60),
				height: (circle.length ? 2 * ry + HIGH + 24 : 0) + (size === WIDE ? others.length * ROW : others.length ? HIGH : 0) });
		}
		const across = size === NARROW;
		const width = across ? size.width : boxes.reduce((sum, b) => sum + b.width + size.gap, -size.gap) + 2 * MARGIN;
		const height = (across ? boxes.reduce((sum, b) => sum + b.height + size.gap, -size.gap) : Math.max(...boxes.map((b) => b.height))) + 2 * MARGIN;
		let at = MARGIN;
		/* The first of a ring is on the side from which others come, or at the top. */
		const start = across || boxes[0].circle.length > 2 ? -Math.PI / 2 : Math.PI;
		for (const b of boxes) {
			const x = across ? width / 2 : at + b.width / 2, top = across ? at : MARGIN + (height - 2 * MARGIN - b.height) / 2;
			const y = top + b.ry + (HIGH + 24) / 2, below = b.circle.length ? top + 2 * b.ry + HIGH + 24 : top;
			b.middle = [x, y];
			b.circle.forEach((l, i) => {
				const a = 2 * Math.PI * i / b.circle.length + (b.circle.length === 2 ? Math.PI : start);
				spot.set(l, [x + b.rx * Math.cos(a), y + (b.circle.length === 2 ? 0 : b.ry * Math.sin(a))]);
			});
			b.others.forEach((l, i) => spot.set(l, across ? [x + (i - (b.others.length - 1) / 2) * (size.box + 60), below + HIGH / 2] : [x, below + ROW * (i + 0.5)]));
			at += (across ? b.height : b.width) + size.gap;
		}
		return { spot, width, height, middle: (boxes.find((b) => b.circle.length) || boxes[0]).middle };
	};

	/* Where a line from a box towards a point leaves the box. */
	const leave = ([x, y], [cx, cy], box) => {
		const ux = cx - x, uy = cy - y, k = Math.min(Math.abs(ux) > 0.1 ? (box / 2 + 2) / Math.abs(ux) : 9, Math.abs(uy) > 0.1 ? (HIGH / 2 + 2) / Math.abs(uy) : 9);
		return [x + ux * Math.min(k, 1), y + uy * Math.min(k, 1)];
	};

	/* Words beside a line, on the side to which (nx, ny) points: as far from it as their own size takes. */
	const label = (root, kind, words, x, y, nx, ny) => {
		const away = Math.abs(nx) * exploreWords.width(words, LABEL) / 2 + Math.abs(ny) * 6 + 4;
		svg("text", { x: x + nx * away, y: y + ny * away + 4, class: `ex-label ${kind}` }, root).textContent = words;
	};

	/* A line of a ring bends outwards, any other one to its right, so that two that wait for each other have two lines. */
	const line = (root, size, layout, from, to, circle, kind, words) => {
		const [x0, y0] = layout.spot.get(from), [x1, y1] = layout.spot.get(to);
		const marker = { class: `ex-edge ${kind}`, "marker-end": `url(#ex-${kind})` };
		if (from === to) {
			svg("path", { d: `M${x0 - 26} ${y0 - 15} C${x0 - 40} ${y0 - 40} ${x0 + 40} ${y0 - 40} ${x0 + 26} ${y0 - 15}`, ...marker }, root);
			label(root, kind, words, x0, y0 - 34, 0, -1);
			return;
		}
		const dx = x1 - x0, dy = y1 - y0, d = Math.hypot(dx, dy) || 1, mx = (x0 + x1) / 2, my = (y0 + y1) / 2;
		const out = circle > 2 && (mx - layout.middle[0]) * -dy + (my - layout.middle[1]) * dx < 0 ? -1 : 1;
		const nx = -dy / d * out, ny = dx / d * out, bend = circle === 2 ? 46 : circle ? 18 : Math.abs(dy) < 2 || Math.abs(dx) < 2 ? 0 : 10;
		const control = [mx + nx * bend, my + ny * bend];
		const [ax, ay] = leave([x0, y0], control, size.box), [bx, by] = leave([x1, y1], control, size.box);
		svg("path", { d: `M${ax} ${ay} Q${control[0]} ${control[1]} ${bx} ${by}`, ...marker }, root);
		/* Words of a line from left to right stand above it. */
		const side = circle || size === NARROW || ny < 0 ? 1 : -1;
		label(root, kind, words, (ax + 2 * control[0] + bx) / 4, (ay + 2 * control[1] + by) / 4, nx * side, ny * side);
	};

	const node = (root, size, l, [x, y], t, stuck, pick) => {
		const g = svg("g", { class: `ex-node${stuck ? " stuck" : ""}`, tabindex: 0, role: "button" }, root);
		const room = size.box - 12 - exploreWords.width(` ${l.id}`, NAME);
		svg("rect", { x: x - size.box / 2, y: y - HIGH / 2, width: size.box, height: HIGH, rx: 9 }, g);
		svg("text", { x: x, y: y + 4 }, g).textContent = `${exploreWords.fit(exploreWords.name(l, t), room, NAME)} ${l.id}`;
		svg("title", {}, g).textContent = exploreWords.lane(l, t);
		g.addEventListener("click", () => pick({ lane: l }));
		g.addEventListener("keydown", (k) => k.key === "Enter" && pick({ lane: l }));
	};

	/* Returns the picture of waits, each with from, to (threads) and span; null: nobody waits for anybody, too many do, or there is no room. */
	const picture = (view, list, t, room, pick) => {
		const shown = list.filter((e) => e.to.length), lanes = new Set(shown.flatMap((e) => [e.from, ...e.to]));
		if (!lanes.size || lanes.size > DRAWN)
			return null;
		const next = new Map();
		for (const e of shown)
			next.set(e.from, [...(next.get(e.from) || []), ...e.to]);
		const ring = turned(next, lanes, new Set(chain(next, new Set([...lanes].filter((l) => reachable(next, l).has(l))))));
		const rows = layers(next, [...ring, ...[...lanes].filter((l) => !ring.has(l))], ring);
		const wide = place(rows, ring, WIDE), size = wide.width <= room ? WIDE : NARROW, layout = size === WIDE ? wide : place(rows, ring, NARROW);
		if (!layout)
			return null;
		const root = svg("svg", { viewBox: `0 0 ${layout.width} ${layout.height}`, width: layout.width, role: "img", "aria-label": "who waits for whom" });
		const defs = svg("defs", {}, root);
		for (const kind of ["plain", "stuck"]) {
			const marker = svg("marker", { id: `ex-${kind}`, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" }, defs);
			svg("path", { d: "M0 1 L9 5 L0 9 z", class: `ex-head ${kind}` }, marker);
		}
		for (const e of shown)
			for (const to of e.to)
				line(root, size, layout, e.from, to, ring.has(e.from) && ring.has(to) ? ring.size : 0, e.span.stuck ? "stuck" : "plain",
					exploreWords.fit(exploreWords.brief(view.data, e.span).replace(/^✖ |, never ended$/g, ""), size.words, LABEL));
		for (const [l, at] of layout.spot)
			node(root, size, l, at, t, list.some((e) => e.from === l && e.span.stuck), pick);
		return root;
	};

	return { picture };
})();
