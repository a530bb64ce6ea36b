"use strict";
/* view.js - which part of time and which lanes are shown, and where. */
const exploreView = (() => {
	const AXIS = 26, LANE = 22, BAR = 13, LEVEL = 6, GAP = 5;
	const PAD = 5; /* left of the first moment: marks stand there whole */
	const SHORTEST = 20; /* ns: nothing is shorter than that is precise */

	const make = (data) => {
		const v = { data: data, t0: data.t0, t1: data.t1, width: 800, rows: [], height: 0, cursor: null, range: null,
			selected: null, gutter: 190, folded: new Set(), open: new Set(), shown: 0, filter: "", order: "creation", scroll: 0, path: true };

		v.plot = () => Math.max(50, v.width - v.gutter - 12 - PAD);
		v.x = (t) => v.gutter + PAD + (t - v.t0) / (v.t1 - v.t0) * v.plot();
		v.t = (x) => v.t0 + (x - v.gutter - PAD) / v.plot() * (v.t1 - v.t0);

		/* A time as it is told apart from those around it. */
		v.words = (t) => exploreData.moment(t, (v.t1 - v.t0) / 500);

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
			return l.name.toLowerCase().includes(word) || l.titles.some((n) => n.name.toLowerCase().includes(word)) || String(l.id).includes(word) || l.bars.some(has) || l.holds.some(has);
		};
		const waited = (l) => l.bars.reduce((sum, s) => sum + (s.kind === exploreData.KIND.WAIT ? s.to - s.from : 0), 0);
		const compare = {
			creation: null,
			waiting: (a, b) => b.waited - a.waited,
			name: (a, b) => a.head.name.localeCompare(b.head.name),
		};

		/* Lanes of one process stay together, whatever the order, and those of a fold, which is a lane before them. */
		const units = () => {
			const out = [], of = new Map();
			let group = null;
			for (const l of data.lanes) {
				const fold = l.within >= 0 ? data.folds[l.within] : null;
				if (l !== l.head) {
					group.push(l);
					continue;
				}
				group = [l];
				if (!fold) {
					out.push({ head: l, groups: [group] });
				} else if (of.has(fold)) {
					of.get(fold).groups.push(group);
				} else {
					of.set(fold, { head: fold, groups: [group] });
					out.push(of.get(fold));
				}
			}
			return out;
		};
		v.layout = () => {
			const list = units();
			let y = AXIS;
			for (const u of v.order === "waiting" ? list : [])
				u.waited = u.groups.reduce((sum, g) => sum + waited(g[0]), 0);
			if (compare[v.order])
				list.sort(compare[v.order]);
			v.rows = [];
			v.shown = 0;
			const add = (l, group, head) => {
				const h = LANE + l.levels * LEVEL;
				v.rows.push({ lane: l, y: y, h: h, group: group, head: head });
				y += h;
			};
			/* Returns whether the members of a fold are to be seen; what is looked for is. */
			const open = (fold, found) => {
				if (!found.length)
					return false;
				add(fold, fold.members, true);
				if (v.open.has(fold) || v.filter)
					return true;
				v.shown += found.length;
				return false;
			};
			const addGroup = (g) => {
				const seen = new Set(), found = g.filter((l, i) => (i === 0 || !v.folded.has(g[0])) && matches(l));
				let closed = null;
				for (const l of found) {
					const fold = l.within >= 0 && l.within !== g[0].within ? data.folds[l.within] : null;
					if (fold && !seen.has(fold)) {
						seen.add(fold);
						closed = open(fold, found.filter((o) => o.within === l.within)) ? null : fold;
					}
					if (fold && fold === closed)
						continue;
					add(l, g, l === g[0]);
					v.shown++;
				}
				return found.length;
			};
			for (const u of list) {
				const lanes = u.groups.flat();
				let any = u.head.members ? open(u.head, lanes.filter(matches)) : true;
				for (const g of any ? u.groups : [])
					any = addGroup(g) || any;
				y += v.rows.length && v.rows[v.rows.length - 1].y + v.rows[v.rows.length - 1].h === y ? GAP : 0;
			}
			v.height = y + 4;
		};
		/* Opens what hides a lane. */
		v.unfold = (l) => {
			if (!l)
				return;
			if (l.within >= 0 && data.folds[l.within])
				v.open.add(data.folds[l.within]);
			v.folded.delete(l.head);
			v.layout();
		};
		v.rowOf = (lane) => v.rows.find((r) => r.lane === lane);
		v.rowAt = (y) => v.rows.find((r) => y >= r.y && y < r.y + r.h);

		/* Returns the span under a point: below the bar a hold, or where nothing is held what the thread does. */
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
			return (below >= 0 && near(row.lane.holds, Math.min(Math.floor(below / LEVEL), row.lane.levels - 1))) || near(row.lane.bars, -1);
		};
		v.layout();
		return v;
	};

	return { make, AXIS, LANE, BAR, LEVEL };
})();
