"use strict";
/* words.js - what lanes and spans are called. */
const exploreWords = (() => {
	const { KIND, duration } = exploreData;

	const lane = (l) => l.fold ? l.name : `${l.name} (${l.id})`;

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
		default: return "really ran";
		}
	};

	const brief = (data, s) => {
		const r = s.ref && data.refs[s.ref - 1];
		if (s.kind === KIND.WAIT)
			return (s.stuck ? "✖ " : "") + data.reasons[s.reason].verb + (r ? " " + r.name : "") + (s.stuck ? ", never ended" : "");
		return s.kind === KIND.ZOMBIE ? "zombie" : s.kind === KIND.WAITS && s.count ? `${s.count} short waits` : "";
	};

	const place = (data, s) => s.place ? data.places[s.place - 1] : "";

	const span = (data, s) => {
		const lines = [what(data, s)];
		if (s.place)
			lines.push("at " + place(data, s));
		lines.push(s.endless ? `from ${duration(s.from)}, never ended (${duration(s.to - s.from)})`
			: `from ${duration(s.from)} to ${duration(s.to)}: ${duration(s.to - s.from)}`);
		return lines.join("\n");
	};

	return { lane, what, brief, place, span };
})();
