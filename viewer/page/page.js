"use strict";
(() => {
	const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
	const root = document.documentElement;
	root.classList.add("scripted");

	/* Texts under the pointer: the pictures' own titles, shown at once and with line breaks. */
	const tip = document.getElementById("tip");
	for (const title of all("svg title")) {
		title.parentNode.dataset.tip = title.textContent;
		title.parentNode.setAttribute("aria-label", title.textContent);
		title.remove();
	}
	const place = (x, y) => {
		tip.style.setProperty("display", "block");
		const box = tip.getBoundingClientRect();
		tip.style.setProperty("left", Math.max(4, Math.min(x + 14, innerWidth - box.width - 8)) + "px");
		tip.style.setProperty("top", (y + 18 + box.height > innerHeight ? y - box.height - 10 : y + 18) + "px");
	};
	document.addEventListener("pointermove", (e) => {
		const it = e.target.closest && e.target.closest("[data-tip]");
		if (!it || e.buttons) {
			tip.style.setProperty("display", "none");
			return;
		}
		tip.textContent = it.dataset.tip;
		place(e.clientX, e.clientY);
	});
	document.addEventListener("focusin", (e) => {
		const it = e.target.closest && e.target.closest("[data-tip]");
		if (!it)
			return;
		const box = it.getBoundingClientRect();
		tip.textContent = it.dataset.tip;
		place(box.left, box.bottom);
	});
	document.addEventListener("focusout", () => tip.style.setProperty("display", "none"));

	/*
	 * The rest of a long table stands in a noscript, as a text: it is taken in bit by bit when there is time, and at
	 * once when somebody looks for a row.
	 */
	const rest = all(".table noscript").map((n) => ({ body: n.parentNode.querySelector("tbody"), rows: n.textContent.match(/<tr[^]*?<\/tr>/g) || [] }));
	const take = (n) => {
		for (const r of rest) {
			const some = r.rows.splice(0, n);
			n -= some.length;
			if (some.length)
				r.body.insertAdjacentHTML("beforeend", some.join(""));
		}
	};
	const takeAll = () => take(Infinity);
	const later = window.requestIdleCallback || ((act) => setTimeout(act, 50));
	const takeMore = (idle) => {
		do
			take(20);
		while (idle && idle.timeRemaining() > 5 && rest.some((r) => r.rows.length));
		if (rest.some((r) => r.rows.length))
			later(takeMore);
		else
			root.dataset.tables = "whole";
	};
	later(takeMore);
	const goToRow = () => {
		const id = location.hash.slice(1);
		if (!id.startsWith("row-") || document.getElementById(id))
			return;
		takeAll();
		/* Again, now that it is there. */
		location.replace(location.hash);
	};
	goToRow();
	addEventListener("hashchange", goToRow);

	/* A row and its boxes in the pictures light up together. */
	const light = (row, on) => {
		row.classList.toggle("hot", on);
		for (const id of (row.dataset.els || "").split(" ")) {
			const el = id && document.getElementById(id);
			if (el)
				el.classList.toggle("hot", on);
		}
	};
	const rowOf = (target) => {
		const a = target.closest && target.closest("svg a");
		const href = a && a.getAttribute("href");
		return href ? document.getElementById(href.slice(1)) : target.closest && target.closest("tr[id]");
	};
	let lit = null;
	document.addEventListener("pointerover", (e) => {
		const row = rowOf(e.target);
		if (row === lit)
			return;
		if (lit)
			light(lit, false);
		lit = row;
		if (row)
			light(row, true);
	});

	/* Zoom by buttons, keys and wheel; pan by dragging. At a smaller scale nobody can read the texts. */
	const READABLE = 0.7;
	for (const figure of all("figure")) {
		const view = figure.querySelector(".view"), svg = figure.querySelector("svg");
		if (!svg)
			continue;
		const width = svg.viewBox.baseVal.width * 4 / 3, height = svg.viewBox.baseVal.height * 4 / 3;
		let scale = 1;
		const zoom = (to, x, y) => {
			const old = scale;
			scale = Math.max(0.02, Math.min(to, 40));
			svg.setAttribute("width", width * scale);
			svg.setAttribute("height", height * scale);
			view.scrollLeft = (view.scrollLeft + x) * scale / old - x;
			view.scrollTop = (view.scrollTop + y) * scale / old - y;
		};
		const middle = (factor) => zoom(scale * factor, view.clientWidth / 2, view.clientHeight / 2);
		/* In its height too, as long as texts can be read. */
		const fit = () => {
			const wide = Math.min(1, (view.clientWidth - 4) / width);
			zoom(Math.min(wide, Math.max(READABLE, innerHeight * 0.88 / height)), 0, 0);
		};
		/* What is too wide for that begins with what is wrong, or with the first box, in texts that can be read. */
		const begin = () => {
			fit();
			if (scale >= READABLE)
				return;
			zoom(READABLE, 0, 0);
			const node = svg.querySelector(".node.deadlock, .node.conditional") || svg.querySelector(".node:not(.title, .subtitle, .legend)");
			const box = node && node.getBoundingClientRect(), frame = view.getBoundingClientRect();
			if (!box || (box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom))
				return;
			view.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
			view.scrollTop += (box.top + box.bottom - frame.top - frame.bottom) / 2;
		};
		const acts = { in: () => middle(1.3), out: () => middle(1 / 1.3), fit: fit, one: () => zoom(1, 0, 0) };
		for (const button of all("button[data-act]", figure))
			button.addEventListener("click", acts[button.dataset.act]);
		view.addEventListener("keydown", (e) => {
			const act = { "+": acts.in, "=": acts.in, "-": acts.out, "0": acts.fit, "1": acts.one }[e.key];
			if (!act || e.ctrlKey || e.metaKey)
				return;
			e.preventDefault();
			act();
		});
		view.addEventListener("wheel", (e) => {
			if (!e.ctrlKey && !e.metaKey)
				return;
			e.preventDefault();
			const box = view.getBoundingClientRect();
			zoom(scale * Math.exp(-e.deltaY / 300), e.clientX - box.left, e.clientY - box.top);
		}, { passive: false });
		let drag = null;
		view.addEventListener("pointerdown", (e) => {
			if (e.button !== 0 || e.target.closest("text, a[href]"))
				return;
			drag = { x: e.clientX, y: e.clientY, left: view.scrollLeft, top: view.scrollTop };
			view.classList.add("drag");
		});
		addEventListener("pointermove", (e) => {
			if (!drag)
				return;
			view.scrollLeft = drag.left - (e.clientX - drag.x);
			view.scrollTop = drag.top - (e.clientY - drag.y);
		});
		addEventListener("pointerup", () => {
			drag = null;
			view.classList.remove("drag");
		});
		begin();
	}

	/* Search: rows that do not match are hidden, boxes that do not match fade. */
	const search = document.getElementById("search"), found = document.getElementById("found");
	let rows = null;
	const nodes = all("svg g.node").filter((g) => g.querySelector("[data-tip]") && !g.matches(".grid, .band, .legend, .title, .subtitle, .tick"))
		.map((g) => ({ g: g, text: (g.textContent + " " + g.querySelector("[data-tip]").dataset.tip).toLowerCase() }));
	let hits = [], at = 0;
	const look = () => {
		const word = search.value.trim().toLowerCase();
		takeAll();
		rows = rows || all("tbody tr").map((row) => ({ row: row, text: row.textContent.toLowerCase() }));
		hits = [];
		for (const r of rows) {
			r.row.hidden = word !== "" && !r.text.includes(word);
			if (word && !r.row.hidden)
				hits.push(r.row);
		}
		for (const n of nodes)
			n.g.classList.toggle("dim", word !== "" && !n.text.includes(word));
		at = 0;
		found.textContent = word ? hits.length + (hits.length === 1 ? " row" : " rows") : "";
	};
	search.addEventListener("input", look);
	search.addEventListener("keydown", (e) => {
		if (e.key === "Enter" && hits.length) {
			hits[at++ % hits.length].scrollIntoView({ block: "center" });
		} else if (e.key === "Escape") {
			search.value = "";
			look();
		}
	});
	document.addEventListener("keydown", (e) => {
		if (e.key === "/" && !e.target.closest("input")) {
			e.preventDefault();
			search.focus();
		}
	});

	/* A click on the head of a column sorts by it, another one the other way round. */
	const value = (row, i) => {
		const cell = row.cells[i], text = cell ? cell.textContent.trim() : "";
		const m = text.match(/^(-?[\d.]+) ?(ns|µs|ms|s)?$/);
		return m ? Number(m[1]) * ({ ns: 1, "µs": 1e3, ms: 1e6, s: 1e9 }[m[2]] || 1) : text;
	};
	for (const head of all(".table th")) {
		head.tabIndex = 0;
		head.title = "sort";
		const sort = () => {
			takeAll();
			const body = head.closest("table").tBodies[0], i = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
			for (const other of head.parentNode.cells)
				other.removeAttribute("aria-sort");
			head.setAttribute("aria-sort", down ? "descending" : "ascending");
			const keyed = [...body.rows].map((row) => [value(row, i), row]);
			keyed.sort(([a], [b]) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b))) * (down ? -1 : 1));
			body.append(...keyed.map(([, row]) => row));
		};
		head.addEventListener("click", sort);
		head.addEventListener("keydown", (e) => e.key === "Enter" && sort());
	}

	/* Light and dark, whatever the system says; remembered if the browser stores data for local files. */
	const kept = (theme) => {
		try {
			if (theme)
				localStorage.setItem("pptrace-theme", theme);
			return localStorage.getItem("pptrace-theme");
		} catch (e) {
			return null;
		}
	};
	if (["light", "dark"].includes(kept()))
		root.dataset.theme = kept();
	document.getElementById("theme").addEventListener("click", () => {
		const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
		root.dataset.theme = dark ? "light" : "dark";
		kept(root.dataset.theme);
	});
})();
