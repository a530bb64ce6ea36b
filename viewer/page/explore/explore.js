"use strict";
/* explore.js - the interactive timeline: pointer, keys, address. */
(() => {
	const root = document.getElementById("explore"), data = root && exploreData.load();
	if (!data || !data.lanes.length)
		return;
	const get = (name) => root.querySelector(`[data-ex=${name}]`);
	const frame = get("frame"), spacer = get("spacer"), canvas = get("canvas"), status = get("status");
	const moment = get("moment"), ranges = get("range"), chosen = get("chosen"), tip = document.getElementById("tip");
	const view = exploreView.make(data);
	let pointer = null, pending = false, drag = null;

	root.hidden = false;
	const still = document.getElementById("timeline-still");
	if (still) {
		let was = still.open = false;
		/* Paper shows the picture, which is whole there. */
		addEventListener("beforeprint", () => {
			was = still.open;
			still.open = true;
		});
		addEventListener("afterprint", () => {
			still.open = was;
		});
	}

	const draw = () => {
		pending = false;
		view.scroll = frame.scrollTop;
		exploreDraw.all(canvas, view, frame.clientHeight, pointer);
	};
	const redraw = () => {
		if (!pending) {
			pending = true;
			requestAnimationFrame(draw);
		}
	};
	const resize = () => {
		view.width = frame.clientWidth;
		view.gutter = view.width < 600 ? 130 : 190; /* room for names, on the left */
		frame.style.setProperty("height", Math.min(view.height + 2, Math.max(220, innerHeight * 0.7)) + "px");
		spacer.style.setProperty("height", view.height + "px");
		canvas.style.setProperty("width", view.width + "px");
		canvas.style.setProperty("height", frame.clientHeight + "px");
		redraw();
	};
	const relayout = () => {
		view.layout();
		status.textContent = view.shown === data.lanes.length ? `${view.shown} lanes` : `${view.shown} of ${data.lanes.length} lanes`;
		resize();
	};

	/* ---- What is chosen, also in the address ---- */

	let own = "";
	const address = () => {
		const parts = [];
		if (view.cursor !== null)
			parts.push(`t=${(view.cursor / 1e9).toFixed(9)}s`);
		if (view.selected && view.selected.lane && !view.selected.lane.fold)
			parts.push(`thread=${view.selected.lane.id}`);
		if (view.selected && view.selected.ref) {
			const r = data.refs[view.selected.ref - 1];
			parts.push(`${r.kind === "process" ? "child" : r.kind === "thread" ? "join" : r.kind}=${r.id}`);
		}
		if (view.selected && view.selected.finding)
			parts.push(`finding=${data.findings.indexOf(view.selected.finding) + 1}`);
		own = "#" + parts.join("&");
		if (parts.length)
			history.replaceState(null, "", own);
	};
	/* Its rows in the tables, its boxes in the pictures, and the finding. */
	const light = () => {
		for (const el of document.querySelectorAll(".chosen"))
			el.classList.remove("chosen");
		const s = view.selected, r = s && s.ref && data.refs[s.ref - 1];
		const kind = r && { process: "p", thread: "t" }[r.kind];
		const rows = [s && s.lane && s.lane.row, r && `row-${kind || r.kind}${r.id}`, ...(s && s.lanes ? s.lanes.map((l) => l.row) : [])];
		for (const row of rows.map((id) => id && document.getElementById(id)).filter(Boolean)) {
			row.classList.add("chosen");
			for (const id of (row.dataset.els || "").split(" "))
				document.getElementById(id)?.classList.add("chosen");
		}
		if (s && s.finding)
			document.querySelectorAll("#sec-findings .finding")[data.findings.indexOf(s.finding)]?.classList.add("chosen");
	};
	/* quiet: the address stays as it is. */
	const select = (what, quiet) => {
		view.selected = what && (what.lane || what.ref || what.finding) ? what : null;
		exploreMoment.chosen(view, chosen, view.selected, () => select(null));
		light();
		if (!quiet)
			address();
		redraw();
	};
	const mark = (t) => {
		view.cursor = t;
		if (t !== null)
			exploreMoment.show(view, moment, t, (what) => {
				select(what);
				reveal(what.lane);
			});
		else
			moment.textContent = "";
		redraw();
	};
	const goTo = (t) => {
		mark(t);
		address();
	};
	const reveal = (lane) => {
		if (lane && !view.rowOf(lane)) {
			view.unfold(lane);
			relayout();
		}
		const row = lane && view.rowOf(lane);
		if (row && (row.y < frame.scrollTop + exploreView.AXIS || row.y + row.h > frame.scrollTop + frame.clientHeight))
			frame.scrollTop = row.y - frame.clientHeight / 2;
	};
	const choose = (finding) => {
		select({ finding: finding, lanes: finding.lanes.map((i) => data.lanes[i]), lane: null, ref: 0 });
	};
	/* What a row of a table is about. */
	const chooseRow = (id, quiet) => {
		const lane = data.lanes.find((l) => !l.fold && l.row === id);
		const ref = data.refs.findIndex((r) => `row-${r.kind}${r.id}` === id) + 1;
		if (lane || ref)
			select({ lane: lane, ref: ref }, quiet);
	};
	const follow = () => {
		if (location.hash.startsWith("#row-"))
			chooseRow(location.hash.slice(1), true);
		if (!location.hash.includes("=") || location.hash === own)
			return;
		const q = new URLSearchParams(location.hash.slice(1)), t = parseFloat(q.get("t") || "") * 1e9;
		const lane = data.lanes.find((l) => !l.fold && String(l.id) === q.get("thread"));
		const kind = ["lock", "pipe"].find((k) => q.get(k));
		const ref = kind ? data.refs.findIndex((r) => r.kind === kind && String(r.id) === q.get(kind)) + 1 : 0;
		if (Number.isFinite(t)) {
			view.reveal(t);
			goTo(Math.min(Math.max(t, data.t0), data.t1));
		}
		const finding = data.findings[q.get("finding") - 1];
		if (finding)
			choose(finding);
		else
			select({ lane: lane, ref: ref });
		reveal(lane || (finding && data.lanes[finding.lanes[0]]));
		root.scrollIntoView({ block: "start" });
	};

	/* ---- Pointer ---- */

	const local = (e) => {
		const box = canvas.getBoundingClientRect();
		return { x: e.clientX - box.left, y: e.clientY - box.top };
	};
	const under = (e) => {
		const { x, y } = local(e), row = y > exploreView.AXIS ? view.rowAt(y + view.scroll) : null;
		return { x, y, row, span: row && x > view.gutter ? view.spanAt(row, x, y + view.scroll) : null };
	};
	const hover = (e) => {
		const { x, row, span } = under(e), t = view.t(x);
		pointer = x > view.gutter ? t : null;
		redraw();
		if (!row) {
			tip.style.setProperty("display", "none");
			return;
		}
		const mark = row.lane.marks.find((m) => Math.abs(view.x(m.ts) - x) < 5);
		const lines = [exploreWords.lane(row.lane, t)];
		if (mark)
			lines.push(`${exploreData.MARK[mark.kind]} ${mark.text} at ${view.words(mark.ts)}`);
		if (span)
			lines.push(exploreWords.span(data, span, t, span.kind === exploreData.KIND.WAIT && span.ref && data.refs[span.ref - 1].kind === "lock"
				? exploreMoment.targets(data, span, t).filter((l) => l !== row.lane || span.stuck) : []));
		else if (x > view.gutter && t >= row.lane.from && t <= row.lane.to)
			lines.push("runs or is ready to run");
		tip.textContent = lines.join("\n");
		tip.style.setProperty("display", "block");
		const box = tip.getBoundingClientRect();
		tip.style.setProperty("left", Math.max(4, Math.min(e.clientX + 14, innerWidth - box.width - 8)) + "px");
		tip.style.setProperty("top", (e.clientY + 18 + box.height > innerHeight ? e.clientY - box.height - 10 : e.clientY + 18) + "px");
	};

	canvas.addEventListener("pointermove", (e) => {
		e.stopPropagation();
		if (!drag) {
			hover(e);
			return;
		}
		const { x } = local(e);
		tip.style.setProperty("display", "none");
		drag.moved = drag.moved || Math.abs(x - drag.x) > 3 || Math.abs(e.clientY - drag.y) > 3;
		if (!drag.moved)
			return;
		if (drag.range !== null) {
			view.range = [Math.min(drag.range, view.t(x)), Math.max(drag.range, view.t(x))];
		} else {
			view.show(drag.t0 - (x - drag.x) / view.plot() * (drag.t1 - drag.t0), drag.t1 - (x - drag.x) / view.plot() * (drag.t1 - drag.t0));
			frame.scrollTop = drag.scroll - (e.clientY - drag.y);
		}
		redraw();
	});
	canvas.addEventListener("pointerleave", () => {
		pointer = null;
		tip.style.setProperty("display", "none");
		redraw();
	});
	canvas.addEventListener("pointerdown", (e) => {
		const { x, y } = local(e);
		if (e.button !== 0)
			return;
		frame.focus({ preventScroll: true });
		canvas.setPointerCapture(e.pointerId);
		/* On the axis, or with Shift, a range; elsewhere the time is dragged. */
		drag = { x: x, y: e.clientY, t0: view.t0, t1: view.t1, scroll: frame.scrollTop, moved: false,
			range: x > view.gutter && (e.shiftKey || y < exploreView.AXIS) ? view.t(x) : null };
	});
	canvas.addEventListener("pointerup", (e) => {
		const was = drag, { x, y, row, span } = under(e);
		drag = null;
		if (!was)
			return;
		if (was.moved) {
			if (was.range !== null && view.range)
				exploreMoment.range(view, ranges, view.range[0], view.range[1]);
			return;
		}
		if (row && row.lane.members && x < view.gutter) {
			if (!view.open.delete(row.lane))
				view.open.add(row.lane);
			relayout();
			return;
		}
		if (row && x < 18 && row.head && row.group.length > 1) {
			if (!view.folded.delete(row.lane))
				view.folded.add(row.lane);
			relayout();
			return;
		}
		const near = y < exploreView.AXIS && data.findings.find((f) => f.severity !== "info" && Math.abs(view.x(f.ts) - x) < 5);
		if (near) {
			choose(near);
			goTo(Math.min(Math.max(near.ts, data.t0), data.t1));
			return;
		}
		select(row ? { lane: row.lane, ref: span ? span.ref : 0 } : null);
		if (x > view.gutter)
			goTo(Math.min(Math.max(view.t(x), data.t0), data.t1));
	});
	canvas.addEventListener("dblclick", (e) => {
		const { x, span } = under(e);
		if (span)
			view.show(span.from - (span.to - span.from) * 0.1, span.to + (span.to - span.from) * 0.1);
		else if (x > view.gutter)
			view.zoom(0.4, view.t(x));
		redraw();
	});
	frame.addEventListener("wheel", (e) => {
		if (e.ctrlKey || e.metaKey) {
			e.preventDefault();
			view.zoom(Math.exp(e.deltaY / 300), view.t(Math.max(view.gutter, local(e).x)));
			hover(e);
		} else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
			e.preventDefault();
			view.pan((e.deltaX || e.deltaY) / view.plot());
		}
		redraw();
	}, { passive: false });
	frame.addEventListener("scroll", redraw);

	/* ---- Keys and buttons ---- */

	const middle = () => view.cursor !== null && view.cursor >= view.t0 && view.cursor <= view.t1 ? view.cursor : (view.t0 + view.t1) / 2;
	const clearAll = () => {
		view.range = null;
		ranges.textContent = "";
		goTo(null);
		select(null);
	};
	const pathButton = root.querySelector("[data-act=path]");
	pathButton.hidden = !data.path.length;
	const acts = {
		in: () => view.zoom(1 / 1.5, middle()), out: () => view.zoom(1.5, middle()), fit: view.fit,
		left: () => view.pan(-0.15), right: () => view.pan(0.15),
		up: () => { frame.scrollTop -= 60; }, down: () => { frame.scrollTop += 60; },
		range: () => view.range && view.show(view.range[0], view.range[1]), clear: clearAll,
		path: () => {
			view.path = !view.path;
			pathButton.setAttribute("aria-pressed", view.path);
		},
	};
	const keys = { w: "in", "+": "in", "=": "in", s: "out", "-": "out", a: "left", ArrowLeft: "left", d: "right", ArrowRight: "right",
		ArrowUp: "up", ArrowDown: "down", f: "fit", "0": "fit", z: "range", c: "path", Escape: "clear" };
	root.addEventListener("keydown", (e) => {
		if (e.key !== "/" || e.target.closest("input"))
			return;
		e.preventDefault();
		e.stopPropagation();
		get("filter").focus();
	});
	frame.addEventListener("keydown", (e) => {
		const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
		if (!act || e.ctrlKey || e.metaKey || e.altKey)
			return;
		e.preventDefault();
		acts[act]();
		redraw();
	});
	for (const button of root.querySelectorAll("button[data-act]"))
		button.addEventListener("click", () => {
			acts[button.dataset.act]();
			redraw();
		});
	get("filter").addEventListener("input", (e) => {
		view.filter = e.target.value.trim().toLowerCase();
		relayout();
	});
	get("order").addEventListener("change", (e) => {
		view.order = e.target.value;
		relayout();
	});

	/* A row of a table chooses what it is about, unless a link or a text in it was meant. */
	document.addEventListener("click", (e) => {
		const row = e.target.closest(".table tbody tr[id]");
		if (row && !e.target.closest("a, button") && !String(getSelection()))
			chooseRow(row.id);
	});

	const key = get("legend");
	const legend = () => {
		key.textContent = "";
		for (const [kind, fill, border, ...words] of exploreDraw.legend(data)) {
			const item = document.createElement("span"), swatch = document.createElement("i");
			swatch.className = kind;
			if (kind === "mark") {
				swatch.textContent = words.shift();
				swatch.style.setProperty("color", fill);
			} else {
				swatch.style.setProperty("background", fill);
				swatch.style.setProperty("border-color", border || fill);
			}
			item.append(swatch, words[0]);
			key.append(item);
		}
	};
	legend();

	addEventListener("hashchange", follow);
	addEventListener("resize", () => {
		resize();
		if (view.cursor !== null)
			mark(view.cursor);
	});
	const repaint = () => {
		exploreDraw.repaint();
		legend();
		redraw();
	};
	new MutationObserver(repaint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
	relayout();
	/* What is stuck is what one wants to see first. */
	const worst = data.findings.find((f) => f.severity === "error" && f.lanes.length) || null;
	if (location.hash.includes("="))
		follow();
	else if (worst)
		mark(Math.min(Math.max((Math.max(worst.ts, data.t0) + Math.min(...worst.lanes.map((i) => data.lanes[i].to))) / 2, data.t0), data.t1));
	own = location.hash;
	root.dataset.ready = "1";
})();
