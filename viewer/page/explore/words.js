"use strict";
/* words.js - what lanes and spans are called. */
const exploreWords = (() => {
	const { KIND, duration, moment } = exploreData;

	/* What a lane was called at a time: a process may call itself something else later. */
	const name = (l, t) => {
		let at = l.name;
		for (const n of l.titles)
			if (t !== undefined && n.ts <= t)
				at = n.name;
		return at;
	};
	const lane = (l, t) => l.fold ? l.name : `${name(l, t)} (${l.id})`;

	const pen = document.createElement("canvas").getContext("2d");
	const FONT = "system-ui, sans-serif";

	/* Returns the width of a text in pixels, as the browser's fonts have it; each frame asks for the same ones. */
	const widths = new Map(), WIDTHS = 5000;
	const width = (words, font) => {
		const key = font + words;
		let w = widths.get(key);
		if (w === undefined) {
			pen.font = `${font} ${FONT}`;
			w = pen.measureText(words).width;
			if (widths.size >= WIDTHS)
				widths.clear();
			widths.set(key, w);
		}
		return w;
	};
	/* Returns a text, cut at its end where it is wider than the room. */
	const fit = (words, room, font) => {
		if (width(words, font) <= room)
			return words;
		const letters = [...words];
		let low = 0, high = letters.length;
		while (low < high) {
			const mid = (low + high + 1) >> 1;
			if (width(letters.slice(0, mid).join("") + "…", font) <= room)
				low = mid;
			else
				high = mid - 1;
		}
		return letters.slice(0, Math.max(1, low)).join("") + "…";
	};

	const object = (data, s) => {
		const r = s.ref && data.refs[s.ref - 1];
		return r ? ` ${r.kind === "pipe" ? r.detail : r.kind === "lock" ? r.name : `${r.name} (${r.detail})`}` : "";
	};

	/* "waits for the lock m", as in the pictures. */
	const what = (data, s) => {
		const reason = data.reasons[s.reason];
		switch (s.kind) {
		case KIND.WAIT: return s.ref ? reason.words + object(data, s) : reason.alone;
		case KIND.WAITS: return `${s.count} short ${s.count === 1 ? "wait" : "waits"}, the longest: ${reason.alone}`;
		case KIND.HOLD: return (s.shared ? "holds (shared)" : "holds") + object(data, s);
		case KIND.HOLDS: return `${s.count} short ${s.count === 1 ? "hold" : "holds"} of locks`;
		case KIND.ZOMBIE: return "zombie: ended, not reaped";
		case KIND.ALIVE: return `alive, up to ${s.count} at a time`;
		default: return "on CPU";
		}
	};

	const brief = (data, s) => {
		const r = s.ref && data.refs[s.ref - 1];
		if (s.kind === KIND.WAIT) {
			/* What has no name of its own is called by its kind, which is said once: "sem 3". */
			const verb = data.reasons[s.reason].verb, words = !r ? verb : r.name.startsWith(verb + " ") ? r.name : `${verb} ${r.name}`;
			return (s.stuck ? "✖ " : "") + words + (s.stuck ? ", never ended" : "");
		}
		return s.kind === KIND.ZOMBIE ? "zombie" : s.kind === KIND.WAITS && s.count ? `${s.count} short waits` : "";
	};

	/* Lines of a stack that are told under the pointer. */
	const FRAMES = 12;

	/* Where somebody waits; and the stack, which has that place as one of its lines, as far as it is known. */
	const split = (data, s) => s.place ? data.places[s.place - 1].split("\n").map((l) => l.trim()).filter((l, i) => l || !i) : [""];
	const place = (data, s) => split(data, s)[0];
	const stack = (data, s) => {
		const [own, ...frames] = split(data, s), at = own && `at ${own}`;
		return !at || frames.includes(at) ? frames : [at, ...frames];
	};

	/* What is known of a span at a time; holders: the lanes that have what it waits for then. */
	const span = (data, s, t, holders) => {
		const lines = [what(data, s)], frames = stack(data, s);
		if (holders.length)
			lines.push("held by " + holders.map((l) => lane(l, t)).join(", "));
		lines.push(...frames.slice(0, FRAMES));
		if (frames.length > FRAMES)
			lines.push(`and ${frames.length - FRAMES} more`);
		if (s.kind === KIND.WAIT && s.waker && !s.endless)
			lines.push("ended by " + lane(data.lanes[s.waker - 1], s.to));
		const when = (ns) => moment(ns, (s.to - s.from) / 100);
		lines.push(s.endless ? `from ${when(s.from)}, never ended (${duration(s.to - s.from)})`
			: `from ${when(s.from)} to ${when(s.to)}: ${duration(s.to - s.from)}`);
		return lines.join("\n");
	};

	return { lane, name, what, brief, place, span, width, fit, FONT };
})();
