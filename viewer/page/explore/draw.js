"use strict";
/* draw.js - the lanes on a canvas: names and axis stay where they are, texts keep their size. */
const exploreDraw = (() => {
	const { KIND, firstAt } = exploreData;
	const { AXIS, LANE, BAR, LEVEL } = exploreView;
	const LOCKS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a6c00", "#5b6472"];
	const MANY = "#7d8796"; /* holds of several locks */
	const MARK = 9, NARROW = 150; /* pixels */
	const ARROWS = ["#64748b", "#64748b", "#8fa3bf", "#0072b2", "#009e73", "#882255", "#d55e00"];

	let colors = null;
	const tints = new Map();
	const theme = () => {
		if (colors)
			return colors;
		const css = getComputedStyle(document.documentElement), get = (name) => css.getPropertyValue(name).trim();
		return colors = { paper: get("--paper"), ink: get("--ink"), grey: get("--grey"), line: get("--line"), soft: get("--soft"),
			bad: get("--bad"), badSoft: get("--bad-soft"), accent: get("--accent"), hot: get("--hot"), mark: get("--mark") };
	};

	/* To be called when the colours of the page have changed. */
	const repaint = () => {
		colors = null;
		tints.clear();
	};

	const tint = (c, color, part) => {
		const key = color + part;
		if (!tints.has(key))
			tints.set(key, mix(c, color, part));
		return tints.get(key);
	};
	const mix = (c, color, part) => {
		const parse = (s) => [1, 3, 5].map((i) => parseInt(s.slice(i, i + 2), 16));
		const a = parse(color), b = parse(c.paper.length === 7 ? c.paper : "#ffffff");
		return `rgb(${a.map((v, i) => Math.round(v * part + b[i] * (1 - part))).join(",")})`;
	};

	/* 1, 2 or 5 times a power of ten, so that marks are not closer than their words are wide. */
	const step = (v) => {
		const words = String(Math.floor(Math.max(Math.abs(v.t0), Math.abs(v.t1)) / 1e9)).length * 7 + 40;
		const rough = (v.t1 - v.t0) / v.plot() * Math.max(90, words), power = 10 ** Math.floor(Math.log10(rough));
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
			const words = tickWords(t, size);
			g.fillStyle = c.grey;
			if (v.x(t) + 4 + g.measureText(words).width < v.width)
				g.fillText(words, v.x(t) + 4, 13);
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

	/* The tint of what stands for many: the more of its time they took, the stronger, in some steps. */
	const STEPS = 8;
	const dense = (c, color, s) => tint(c, color, 0.2 + 0.6 * Math.ceil(s.share * STEPS) / STEPS);

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
			g.fillStyle = s.kind === KIND.ZOMBIE ? tint(c, "#9d4e7c", 0.25) : s.kind === KIND.WAITS ? dense(c, color, s)
				: tint(c, "#4682b4", s.kind === KIND.RAN ? 1 : 0.5);
			/* Whole pixels: those that stand for many follow on one another without a gap. */
			g.fillRect(s.kind === KIND.WAITS ? Math.floor(x) : x, y, s.kind === KIND.WAITS ? Math.ceil(x + w) - Math.floor(x) : w, BAR);
		}
		const words = w > 24 ? exploreWords.brief(v.data, s) : "", font = (s.stuck ? "bold " : "") + "11px";
		const wide = words ? exploreWords.width(words, font) : 0;
		if (words && wide + 8 < w) {
			g.fillStyle = s.stuck ? c.bad : c.ink;
			g.font = `${font} ${exploreWords.FONT}`;
			g.fillText(words, x + (w - wide) / 2, y + 10);
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

	/* Returns the first of a sorted list that is not before a time. */
	const from = (list, time, t) => {
		let low = 0, high = list.length;
		while (low < high) {
			const mid = (low + high) >> 1;
			if (time(list[mid]) < t)
				low = mid + 1;
			else
				high = mid;
		}
		return low;
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
			g.fillStyle = kind === 2 ? c.mark : c.ink;
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

	const isChosen = (v, l) => v.selected && (v.selected.lane === l || (v.selected.lanes && v.selected.lanes.includes(l)));

	const lane = (g, v, c, row, y) => {
		const l = row.lane, x0 = Math.max(v.gutter, v.x(l.from)), x1 = Math.min(v.width, v.x(l.to));
		if (isChosen(v, l)) {
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
			const many = s.kind === KIND.HOLDS, left = many ? Math.floor(x) : x;
			g.fillStyle = many ? dense(c, MANY, s) : LOCKS[s.ref % LOCKS.length];
			g.fillRect(left, y + LANE - 2 + s.level * LEVEL, many ? Math.ceil(x + w) - left : w, 4);
			g.globalAlpha = 1;
		});
		marks(g, v, c, l, y);
		/* How it ended stands behind what is left of it. */
		const last = l.bars[l.bars.length - 1], gone = last && last.kind === KIND.ZOMBIE ? Math.max(last.to, l.to) : l.to;
		const end = Math.min(v.width, v.x(gone)) + 5;
		if (l.end && end + 3 + exploreWords.width(l.end, "11px") < v.width && v.t1 > gone && v.t0 < gone) {
			g.fillStyle = l.end === "exit 0" ? c.grey : c.bad;
			g.font = "11px system-ui, sans-serif";
			g.fillText(l.end, end, y + 14);
		}
	};

	const name = (g, v, c, row, y) => {
		const l = row.lane, opens = row.head && (l.members || (row.group.length > 1 && !l.fold));
		const indent = l.members ? 18 : l.fold ? 8 : row.head ? 18 : v.gutter < NARROW ? 22 : 30;
		g.fillStyle = c.paper;
		g.fillRect(0, y, v.gutter - 1, row.h);
		if (isChosen(v, l)) {
			g.fillStyle = c.hot;
			g.fillRect(0, y, v.gutter - 1, row.h);
		}
		g.fillStyle = l.stuck ? c.bad : l.fold ? c.grey : c.ink;
		g.font = "12px system-ui, sans-serif";
		if (opens)
			g.fillText((l.members ? !v.open.has(l) : v.folded.has(l)) ? "▸" : "▾", 4, y + 15);
		const font = (row.head && !l.fold ? "bold " : "") + "12px";
		g.font = `${font} ${exploreWords.FONT}`;
		/* In a narrow window the name is worth more than the number, which the pointer shows, unless others bear that name too. */
		const whole = v.gutter - 12 - indent, number = l.fold ? "" : String(l.id), wide = g.measureText(number).width + 8;
		const id = v.gutter < NARROW && !l.alike && g.measureText(l.name).width + wide > whole ? "" : number, room = whole - (id ? wide : 0);
		g.fillText(exploreWords.fit((l.stuck && v.gutter >= NARROW ? "✖ " : "") + l.name, room, font), indent, y + 15);
		g.font = "11px system-ui, sans-serif";
		g.fillStyle = c.grey;
		g.fillText(id, v.gutter - 10 - g.measureText(id).width, y + 15);
	};

	/* Those that lie on one another at two lanes are drawn once. */
	const arrows = (g, v, c, ys) => {
		const list = v.data.arrows, last = new Map();
		g.lineWidth = 1;
		for (let i = from(list, (a) => a.t0, v.t0); i < list.length && list[i].t0 <= v.t1; i++) {
			const a = list[i], from = ys.get(a.from), to = ys.get(a.to);
			if (from === undefined || to === undefined || a.t1 > v.t1)
				continue;
			const x0 = v.x(a.t0), x1 = v.x(a.t1), key = a.kind + 8 * (a.from.number + v.data.lanes.length * a.to.number);
			if (x1 - (last.get(key) ?? -Infinity) < 2)
				continue;
			last.set(key, x1);
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

	/*
	 * A line below the bars, and from lane to lane where the path changes, unless one is drawn close by already;
	 * what is within a fold is drawn on that.
	 */
	const path = (g, v, c, ys) => {
		const CLOSE = 3; /* pixels */
		const list = v.data.path, done = new Map();
		let before = null, last = -Infinity;
		g.fillStyle = c.ink;
		for (let i = firstAt(list, v.t0); i < list.length && list[i].from <= v.t1; i++) {
			const l = list[i].lane, own = ys.get(l), x0 = v.x(list[i].from), x1 = v.x(list[i].to);
			const y = own ?? ys.get(v.data.folds[l.within]) ?? ys.get(l.head);
			if (y !== undefined && x1 >= v.gutter) {
				const left = Math.max(v.gutter, x0, done.get(y) ?? 0), right = Math.max(left + 1, Math.min(v.width, x1));
				if (x1 > (done.get(y) ?? -1)) {
					g.fillRect(left, y + 2 + BAR, right - left, 3);
					done.set(y, right);
				}
				if (own !== undefined && before !== null && before !== y && x0 >= v.gutter && x0 - last >= CLOSE) {
					g.fillRect(x0 - 0.75, Math.min(before, y) + 2 + BAR, 1.5, Math.abs(before - y) + 3);
					last = x0;
				}
			}
			before = own === undefined ? null : y;
		}
	};

	const line = (g, v, c, t, color, height, words) => {
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
		g.fillStyle = c.paper;
		g.fillText(words, at + 5, 12);
	};

	/* What the marks and colours of these data mean: [kind, colours, words]. */
	const legend = (data) => {
		const c = theme(), out = [["bar", tint(c, "#4682b4", data.sched ? 0.35 : 1), null, data.sched ? "ready to run" : "runs or is ready to run"]];
		const spans = data.lanes.flatMap((l) => l.bars), holds = data.lanes.flatMap((l) => l.holds);
		const has = (kind) => spans.some((s) => s.kind === kind) || data.folds.some((f) => f && f.bars.some((s) => s.kind === kind));
		if (data.sched)
			out.push(["bar", tint(c, "#4682b4", 1), null, "on CPU"]);
		for (const r of new Set(spans.filter((s) => s.kind === KIND.WAIT && !s.stuck).map((s) => s.reason)))
			out.push(["bar", tint(c, data.reasons[r].color, 0.3), data.reasons[r].color, data.reasons[r].alone]);
		if (spans.some((s) => s.stuck))
			out.push(["bar", c.badSoft, c.bad, "✖ stuck: never ended"]);
		if (has(KIND.WAITS))
			out.push(["bar", tint(c, "#888888", 0.55), null, "many short waits, stronger where denser"]);
		if (has(KIND.ALIVE))
			out.push(["bar", tint(c, "#4682b4", 0.5), null, "some of a fold live (▸ opens it)"]);
		if (has(KIND.ZOMBIE))
			out.push(["bar", tint(c, "#9d4e7c", 0.25), null, "zombie: ended, not reaped"]);
		if (holds.some((s) => s.kind === KIND.HOLD))
			out.push(["thin", LOCKS[holds.find((s) => s.kind === KIND.HOLD).ref % LOCKS.length], null, "holds a lock, a colour each"]);
		if (holds.some((s) => s.kind === KIND.HOLDS))
			out.push(["thin", tint(c, MANY, 0.55), null, "many short holds, stronger where denser"]);
		const marks = new Set(data.lanes.flatMap((l) => l.marks.map((m) => m.kind)));
		if (marks.has(0) || marks.has(1))
			out.push(["mark", c.ink, null, "◆", "executes a program"]);
		if (marks.has(2))
			out.push(["mark", c.mark, null, "▼", "takes a signal"]);
		for (const kind of new Set(data.arrows.map((a) => a.kind)))
			out.push(["mark", ARROWS[kind], null, kind === 2 || kind === 3 ? "⇢" : "→", exploreData.ARROW[kind]]);
		if (data.path.length)
			out.push(["thin", c.ink, null, "critical path"]);
		if (data.findings.some((f) => f.severity !== "info"))
			out.push(["mark", c.bad, null, "|", "finding, on the axis"]);
		return out;
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
				line(g, v, c, f.ts, c.bad, AXIS, "");
		if (pointer !== null)
			line(g, v, c, pointer, c.grey, height, v.words(pointer));
		if (v.cursor !== null)
			line(g, v, c, v.cursor, c.accent, height, v.words(v.cursor));
	};

	return { all, legend, repaint };
})();
