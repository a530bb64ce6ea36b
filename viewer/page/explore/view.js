"use strict";
/* view.js - which part of time and which lanes are shown, and where. */
const exploreView = (() => {
	const AXIS = 26, LANE = 22, BAR = 13, LEVEL = 6, GAP = 5;
	const SHORTEST = 20; /* ns: nothing is shorter than that is precise */

	const make = (data) => {
		const v = { data: data, t0: data.t0, t1: data.t1, width: 800, rows: [], height: 0, cursor: null, range: null,
			selected: null, gutter: 190, folded: new Set(), filter: "", order: "creation", scroll: 0, path: true };

		v.plot = () => Math.max(50, v.width - v.gutter - 12);
		v.x = (t) => v.gutter + (t - v.t0) / (v.t1 - v.t0) * v.plot();
		v.t = (x) => v.t0 + (x - v.gutter) / v.plot() * (v.t1 - v.t0);

		v.show = (t0, t1) => {
			const whole = data.t1 - data.t0, span = Math.min(whole, Math.max(SHORTEST, t1 - t0));
			const middle = (t0 + t1) / 2;
			v.t0 = Math.min(Math.max(data.t0, middle - span / 2), data.t1 - span);
			v.t1 = v.t0 + span;
		};
		v.zoom = (factor, t) => v.show(t - (t - v.t0) * factor, t + (v.t1 - t) * factor);
		v.pan = (part) => {
			const d = (v.t1 - v.t0) * part;
			v.show(v.t0 + d, v.t1 + d);
		};
		v.fit = () => v.show(data.t0, data.t1);
		v.reveal = (t) => {
			if (t < v.t0 || t > v.t1)
				v.show(t - (v.t1 - v.t0) / 2, t + (v.t1 - v.t0) / 2);
		};

		const matches = (l) => {
			const word = v.filter;
			if (!word)
				return true;
			const has = (s) => (s.ref && data.refs[s.ref - 1].name.toLowerCase().includes(word)) ||
				data.reasons[s.reason].words.toLowerCase().includes(word);
			return l.name.toLowerCase().includes(word) || String(l.id).includes(word) || l.bars.some(has) || l.holds.some(has);
		};
		const waited = (l) => l.bars.reduce((sum, s) => sum + (s.kind === exploreData.KIND.WAIT ? s.to - s.from : 0), 0);
		const compare = {
			creation: null,
			waiting: (a, b) => waited(b[0]) - waited(a[0]),
			name: (a, b) => a[0].name.localeCompare(b[0].name),
		};

		/* Lanes of one process stay together, whatever the order. */
		v.layout = () => {
			const groups = [];
			for (const l of data.lanes)
				if (l.first || l.fold || !groups.length)
					groups.push([l]);
				else
					groups[groups.length - 1].push(l);
			if (compare[v.order])
				groups.sort(compare[v.order]);
			v.rows = [];
			let y = AXIS;
			for (const g of groups) {
				const lanes = g.filter((l, i) => (i === 0 || !v.folded.has(g[0])) && matches(l));
				for (const l of lanes) {
					const h = LANE + l.levels * LEVEL;
					v.rows.push({ lane: l, y: y, h: h, group: g, head: l === g[0] });
					y += h;
				}
				y += lanes.length ? GAP : 0;
			}
			v.height = y + 4;
		};
		v.rowOf = (lane) => v.rows.find((r) => r.lane === lane);
		v.rowAt = (y) => v.rows.find((r) => y >= r.y && y < r.y + r.h);

		/* Returns the span under a point, a hold below the bar before the bar. */
		v.spanAt = (row, x, y) => {
			const t = v.t(x), slack = (v.t1 - v.t0) / v.plot();
			const near = (list, level) => {
				let best = null;
				for (let i = exploreData.firstAt(list, t - slack); i < list.length && list[i].from <= t + slack; i++)
					if (list[i].to >= t - slack && (level < 0 || list[i].level === level))
						best = list[i];
				return best;
			};
			const below = y - row.y - (LANE - 2);
			return below >= 0 ? near(row.lane.holds, Math.min(Math.floor(below / LEVEL), row.lane.levels - 1)) : near(row.lane.bars, -1);
		};
		v.layout();
		return v;
	};

	return { make, AXIS, LANE, BAR, LEVEL };
})();
