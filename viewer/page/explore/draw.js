"use strict";
/* draw.js - the lanes on a canvas: names and axis stay where they are, texts keep their size. */
const exploreDraw = (() => {
	const { KIND, firstAt, duration } = exploreData;
	const { AXIS, LANE, BAR, LEVEL } = exploreView;
	const LOCKS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a6c00", "#5b6472"];
	const MARK = 9; /* pixels */
	const ARROWS = ["#64748b", "#64748b", "#8fa3bf", "#0072b2", "#009e73", "#882255", "#d55e00"];

	const theme = () => {
		const css = getComputedStyle(document.documentElement), get = (name) => css.getPropertyValue(name).trim();
		return { paper: get("--paper"), ink: get("--ink"), grey: get("--grey"), line: get("--line"), soft: get("--soft"),
			bad: get("--bad"), badSoft: get("--bad-soft"), accent: get("--accent"), hot: get("--hot") };
	};

	const tint = (c, color, part) => {
		const parse = (s) => [1, 3, 5].map((i) => parseInt(s.slice(i, i + 2), 16));
		const a = parse(color), b = parse(c.paper.length === 7 ? c.paper : "#ffffff");
		return `rgb(${a.map((v, i) => Math.round(v * part + b[i] * (1 - part))).join(",")})`;
	};

	/* 1, 2 or 5 times a power of ten, so that marks are not closer than 90 pixels. */
	const step = (v) => {
		const rough = (v.t1 - v.t0) / v.plot() * 90, power = 10 ** Math.floor(Math.log10(rough));
		return [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
	};

	/* In the largest unit of which a step is at least a tenth. */
	const tickWords = (t, size) => {
		const [unit, name] = size >= 1e8 ? [1e9, "s"] : size >= 1e5 ? [1e6, "ms"] : size >= 100 ? [1e3, "µs"] : [1, "ns"];
		return `${(t / unit).toFixed(size < unit ? 1 : 0)} ${name}`;
	};

	const axis = (g, v, c) => {
		const size = step(v);
		g.fillStyle = c.paper;
		g.fillRect(0, 0, v.width, AXIS);
		g.font = "12px system-ui, sans-serif";
		for (let t = Math.ceil(v.t0 / size) * size; t <= v.t1; t += size) {
			g.fillStyle = c.grey;
			g.fillText(tickWords(t, size), v.x(t) + 4, 13);
			g.fillStyle = c.line;
			g.fillRect(v.x(t), 4, 1, AXIS - 4);
		}
		g.fillRect(0, AXIS - 1, v.width, 1);
	};

	const grid = (g, v, c, bottom) => {
		const size = step(v);
		g.fillStyle = c.line;
		for (let t = Math.ceil(v.t0 / size) * size; t <= v.t1; t += size)
			g.fillRect(Math.round(v.x(t)), AXIS, 0.5, bottom - AXIS);
	};

	/* Whatever is not about the chosen lock or pipe is drawn paler. */
	const dimmed = (v, s) => v.selected && v.selected.ref && s.ref !== v.selected.ref;

	const bar = (g, v, c, s, x, w, y) => {
		const color = v.data.reasons[s.reason].color;
		g.globalAlpha = dimmed(v, s) ? 0.2 : 1;
		if (s.kind === KIND.WAIT) {
			g.fillStyle = s.stuck ? c.badSoft : tint(c, color, 0.3);
			g.fillRect(x, y, w, BAR);
			if (w > 3) {
				g.strokeStyle = s.stuck ? c.bad : color;
				g.lineWidth = s.stuck ? 2 : 1;
				g.strokeRect(x + 0.5, y + 0.5, w - 1, BAR - 1);
			}
		} else {
			g.fillStyle = s.kind === KIND.ZOMBIE ? tint(c, "#9d4e7c", 0.25) : s.kind === KIND.WAITS ? tint(c, color, 0.55)
				: tint(c, "#4682b4", s.kind === KIND.RAN ? 1 : 0.5);
			g.fillRect(x, y, w, BAR);
		}
		const words = w > 24 ? exploreWords.brief(v.data, s) : "";
		if (words && words.length * 6 + 8 < w) {
			g.fillStyle = s.stuck ? c.bad : c.ink;
			g.font = (s.stuck ? "bold " : "") + "11px system-ui, sans-serif";
			g.fillText(words, x + w / 2 - words.length * 2.8, y + 10);
		}
		g.globalAlpha = 1;
	};

	/* What falls on one pixel is drawn once, the longest wins: of 100,000 spans only some hundred are drawn. */
	const spans = (v, list, each) => {
		let done = -Infinity;
		for (let i = firstAt(list, v.t0); i < list.length && list[i].from <= v.t1; i++) {
			const s = list[i];
			if (s.to < v.t0)
				continue;
			const x0 = Math.max(v.gutter, v.x(s.from)), x1 = Math.min(v.width, v.x(s.to));
			if (x1 <= done && x1 - x0 < 1)
				continue;
			each(s, x0, Math.max(1, x1 - x0));
			done = Math.max(done, x0 + 1);
		}
	};

	const mark = (g, kind, x, y) => {
		g.beginPath();
		if (kind === 2)
			g.moveTo(x - 4, y + 1), g.lineTo(x + 4, y + 1), g.lineTo(x, y + 8);
		else
			g.moveTo(x, y), g.lineTo(x + 4, y + 4), g.lineTo(x, y + 8), g.lineTo(x - 4, y + 4);
		g.fill();
	};

	/* Equal marks that would overlap become one: the first, the last, and a line between them. */
	const marks = (g, v, c, l, y) => {
		for (const kind of [0, 1, 2]) {
			let first = NaN, last = NaN;
			const flush = () => {
				if (Number.isNaN(first))
					return;
				mark(g, kind, first, y);
				if (last > first) {
					g.fillRect(first, y + (kind === 2 ? 1 : 3), last - first, 2);
					mark(g, kind, last, y);
				}
			};
			g.fillStyle = kind === 2 ? "#882255" : c.ink;
			for (const m of l.marks) {
				const x = v.x(m.ts);
				if (m.kind !== kind || x < v.gutter || x > v.width)
					continue;
				if (x - last > MARK) {
					flush();
					first = x;
				} else if (Number.isNaN(first)) {
					first = x;
				}
				last = x;
			}
			flush();
		}
	};

	const lane = (g, v, c, row, y) => {
		const l = row.lane, x0 = Math.max(v.gutter, v.x(l.from)), x1 = Math.min(v.width, v.x(l.to));
		if (v.selected && v.selected.lane === l) {
			g.fillStyle = c.hot;
			g.globalAlpha = 0.5;
			g.fillRect(0, y, v.width, row.h);
			g.globalAlpha = 1;
		}
		if (x1 >= x0 && !l.fold) {
			g.fillStyle = tint(c, "#4682b4", v.data.sched ? 0.35 : 1);
			g.globalAlpha = v.selected && v.selected.ref ? 0.25 : 1;
			g.fillRect(x0, y + 4, Math.max(1, x1 - x0), BAR);
			g.globalAlpha = 1;
		}
		spans(v, l.bars, (s, x, w) => bar(g, v, c, s, x, w, y + 4));
		spans(v, l.holds, (s, x, w) => {
			g.globalAlpha = dimmed(v, s) ? 0.15 : 1;
			g.fillStyle = s.kind === KIND.HOLD ? LOCKS[s.ref % LOCKS.length] : c.line;
			g.fillRect(x, y + LANE - 2 + s.level * LEVEL, w, 4);
			g.globalAlpha = 1;
		});
		marks(g, v, c, l, y);
		if (l.end && x1 + 8 + l.end.length * 6 < v.width && v.t1 > l.to && v.t0 < l.to) {
			g.fillStyle = l.end === "exit 0" ? c.grey : c.bad;
			g.font = "11px system-ui, sans-serif";
			g.fillText(l.end, x1 + 5, y + 14);
		}
	};

	const name = (g, v, c, row, y) => {
		const l = row.lane, threads = row.group.length > 1 && row.head && !l.fold;
		const indent = l.fold ? 8 : row.head ? 18 : 30;
		g.fillStyle = c.paper;
		g.fillRect(0, y, v.gutter - 1, row.h);
		if (v.selected && v.selected.lane === l) {
			g.fillStyle = c.hot;
			g.fillRect(0, y, v.gutter - 1, row.h);
		}
		g.fillStyle = l.stuck ? c.bad : l.fold ? c.grey : c.ink;
		g.font = "12px system-ui, sans-serif";
		if (threads)
			g.fillText(v.folded.has(row.lane) ? "▸" : "▾", 4, y + 15);
		g.font = (row.head && !l.fold ? "bold " : "") + "12px system-ui, sans-serif";
		const id = l.fold ? "" : String(l.id), room = v.gutter - 12 - indent - g.measureText(id).width - 8;
		let words = (l.stuck ? "✖ " : "") + l.name;
		while (words.length > 2 && g.measureText(words).width > room)
			words = words.slice(0, -2) + "…";
		g.fillText(words, indent, y + 15);
		g.font = "11px system-ui, sans-serif";
		g.fillStyle = c.grey;
		g.fillText(id, v.gutter - 10 - g.measureText(id).width, y + 15);
	};

	const arrows = (g, v, c, ys) => {
		g.lineWidth = 1;
		for (const a of v.data.arrows) {
			const from = ys.get(v.data.lanes[a.from]), to = ys.get(v.data.lanes[a.to]);
			const x0 = v.x(a.t0), x1 = v.x(a.t1);
			if (from === undefined || to === undefined || x1 < v.gutter || x0 > v.width || x0 < v.gutter || x1 > v.width)
				continue;
			const down = to > from, y0 = from + (down ? 4 + BAR : 4), y1 = to + (down ? 4 : 4 + BAR);
			g.strokeStyle = g.fillStyle = ARROWS[a.kind];
			g.globalAlpha = v.selected ? 0.25 : 0.8;
			g.setLineDash(a.kind === 2 || a.kind === 3 ? [2, 3] : []);
			g.beginPath();
			g.moveTo(x0, y0);
			g.lineTo(x1, y1);
			g.stroke();
			g.setLineDash([]);
			const angle = Math.atan2(y1 - y0, x1 - x0);
			g.beginPath();
			g.moveTo(x1, y1);
			g.lineTo(x1 - 6 * Math.cos(angle - 0.4), y1 - 6 * Math.sin(angle - 0.4));
			g.lineTo(x1 - 6 * Math.cos(angle + 0.4), y1 - 6 * Math.sin(angle + 0.4));
			g.fill();
		}
		g.globalAlpha = 1;
	};

	/* A line below the bars, and from lane to lane where the path changes; what falls on one pixel is drawn once. */
	const path = (g, v, c, ys) => {
		let before = null, last = -Infinity;
		g.fillStyle = c.ink;
		for (const p of v.data.path) {
			const y = ys.get(v.data.lanes[p.lane]), x0 = v.x(p.from), x1 = v.x(p.to);
			if (y !== undefined && x1 >= v.gutter && x0 <= v.width) {
				const from = Math.max(v.gutter, x0);
				g.fillRect(from, y + 2 + BAR, Math.max(1, Math.min(v.width, x1) - from), 3);
				if (before !== null && before !== y && x0 >= v.gutter && x0 - last >= 0.5) {
					g.fillRect(x0 - 0.75, Math.min(before, y) + 2 + BAR, 1.5, Math.abs(before - y) + 3);
					last = x0;
				}
			}
			before = y === undefined ? null : y;
		}
	};

	const line = (g, v, t, color, height, words) => {
		const x = v.x(t);
		if (x < v.gutter || x > v.width)
			return;
		g.fillStyle = color;
		g.fillRect(Math.round(x), 0, 1, height);
		if (!words)
			return;
		g.font = "bold 11px system-ui, sans-serif";
		const w = g.measureText(words).width + 10, at = Math.min(x, v.width - w);
		g.fillRect(at, 0, w, 16);
		g.fillStyle = "#ffffff";
		g.fillText(words, at + 5, 12);
	};

	/* Draws what is visible of the view; pointer: the time under it, or null. */
	const all = (canvas, v, height, pointer) => {
		const c = theme(), ratio = window.devicePixelRatio || 1, g = canvas.getContext("2d"), ys = new Map();
		if (canvas.width !== Math.round(v.width * ratio) || canvas.height !== Math.round(height * ratio)) {
			canvas.width = Math.round(v.width * ratio);
			canvas.height = Math.round(height * ratio);
		}
		g.setTransform(ratio, 0, 0, ratio, 0, 0);
		g.fillStyle = c.paper;
		g.fillRect(0, 0, v.width, height);
		grid(g, v, c, height);
		for (const row of v.rows)
			ys.set(row.lane, row.y - v.scroll);
		const visible = v.rows.filter((row) => row.y + row.h > v.scroll + AXIS && row.y < v.scroll + height);
		for (const row of visible)
			lane(g, v, c, row, row.y - v.scroll);
		arrows(g, v, c, ys);
		if (v.path)
			path(g, v, c, ys);
		for (const row of visible)
			name(g, v, c, row, row.y - v.scroll);
		g.fillStyle = c.line;
		g.fillRect(v.gutter - 1, 0, 1, height);
		if (v.range) {
			const a = Math.max(v.gutter, v.x(v.range[0])), b = Math.min(v.width, v.x(v.range[1]));
			g.fillStyle = c.accent;
			g.globalAlpha = 0.15;
			g.fillRect(a, AXIS, Math.max(1, b - a), height);
			g.globalAlpha = 1;
		}
		axis(g, v, c);
		for (const f of v.data.findings)
			if (f.severity !== "info")
				line(g, v, f.ts, c.bad, AXIS, "");
		if (pointer !== null)
			line(g, v, pointer, c.grey, height, duration(pointer));
		if (v.cursor !== null)
			line(g, v, v.cursor, c.accent, height, duration(v.cursor));
	};

	return { all };
})();
