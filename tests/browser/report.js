/* report.js - look at pages of pptrace report in Chromium, print TAP. */
/* SPDX-License-Identifier: MIT */
/* usage: node report.js DEADLOCK.html HOSTILE.html MANY.html MAKE.html LOOP.html LARGE.html WIDE.html */
"use strict";
const { chromium } = require("playwright-core");

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];
/* Milliseconds that calibrate() takes on a quiet machine, measured on the slowest that this is developed on. */
const QUIET = 600;
let count = 0;
let bad = [];

function ok(condition, what) {
	if (!condition)
		bad.push(what);
}

async function test(browser, name, options, file, body) {
	const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
	const page = await context.newPage();
	bad = [];
	page.on("console", (m) => ok(false, "console: " + m.text()));
	page.on("pageerror", (e) => ok(false, "script: " + e.message));
	page.on("dialog", (d) => { ok(false, "dialog: " + d.message()); d.dismiss(); });
	page.on("request", (r) => ok(r.url().startsWith("file:"), "request: " + r.url()));
	try {
		await page.goto("file://" + file);
		await body(page);
	} catch (e) {
		ok(false, "exception: " + e.message.split("\n")[0]);
	}
	await context.close();
	console.log(`${bad.length ? "not " : ""}ok ${++count} - page: ${name}`);
	for (const b of bad)
		console.log("# " + b);
}

/* Relative luminance and contrast as WCAG has them. */
function contrast(a, b) {
	const lum = (c) => {
		const v = c.match(/\d+(\.\d+)?/g).slice(0, 3).map((x) => x / 255)
			.map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
		return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
	};
	const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p);
	return (x + 0.05) / (y + 0.05);
}

async function readable(page) {
	const pairs = await page.evaluate(() => {
		const out = [];
		for (const text of document.querySelectorAll("svg .node text, svg .graph > text")) {
			const box = text.closest(".node");
			const shapes = box ? [...box.querySelectorAll("polygon, path, ellipse")] : [];
			const fill = shapes.map((s) => getComputedStyle(s).fill)
				.find((f) => f !== "none" && !/, 0\)$|transparent/.test(f));
			out.push([getComputedStyle(text).fill, fill || getComputedStyle(document.body).backgroundColor,
				text.textContent.slice(0, 30)]);
		}
		for (const el of document.querySelectorAll("td, th, p, h1, h2, a, button, figcaption")) {
			let at = el, back = "rgba(0, 0, 0, 0)";
			while (at && /, 0\)$/.test(back)) {
				back = getComputedStyle(at).backgroundColor;
				at = at.parentElement;
			}
			if (el.textContent.trim() && el.getClientRects().length)
				out.push([getComputedStyle(el).color, back, el.textContent.slice(0, 30)]);
		}
		return out;
	});
	ok(pairs.length > 20, "texts were found");
	for (const [ink, paper, text] of pairs)
		if (contrast(ink, paper) < 4.5)
			ok(false, `contrast ${contrast(ink, paper).toFixed(2)} of "${text}": ${ink} on ${paper}`);
}

async function interaction(page) {
	const rows = page.locator("#sec-threads tbody tr");
	ok(await page.locator(".verdict.error").isVisible(), "verdict is shown");
	ok((await page.locator("figure svg").count()) === 4, "four pictures");
	await page.keyboard.press("/");
	ok(await page.evaluate(() => document.activeElement.id === "search"), "/ goes to the search");
	await page.keyboard.type("ticker");
	ok((await rows.count()) === 3 && (await page.locator("#sec-threads tbody tr:visible").count()) === 1, "search filters rows");
	ok((await page.locator("svg .dim").count()) > 0, "search fades boxes");
	await page.keyboard.press("Escape");
	ok((await page.locator("#sec-threads tbody tr:visible").count()) === 3, "Escape shows all rows");

	await page.locator("#t2 text").first().hover();
	ok(/thread first, tid 6001/.test(await page.locator("#tip").textContent()), "hover shows a text");
	ok(await page.locator("#row-t2").evaluate((e) => e.classList.contains("hot")), "hover lights the row");
	ok(await page.locator("#tl-t2").evaluate((e) => e.classList.contains("hot")), "and the other picture");
	await page.locator("#t2 text").first().click();
	ok(page.url().endsWith("#row-t2"), "a box leads to its row");
	await page.locator("#row-t2 td a").first().click();
	ok(page.url().endsWith("#t2"), "a row leads to its box");

	await page.locator("#timeline-still summary").click();
	const svg = page.locator("#sec-timeline figure svg");
	const width = () => svg.evaluate((e) => e.getBoundingClientRect().width);
	const before = await width();
	await page.locator("#sec-timeline figure [data-act=in]").click();
	ok((await width()) > before * 1.2, "+ makes it larger");
	await page.locator("#sec-timeline .view").focus();
	await page.keyboard.press("0");
	ok(Math.abs((await width()) - before) < 2, "0 fits it again");
	await page.keyboard.press("+");
	await page.keyboard.press("+");
	const box = await page.locator("#sec-timeline .view").boundingBox();
	await page.mouse.move(box.x + box.width - 30, box.y + 8);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width - 230, box.y + 8);
	await page.mouse.up();
	ok((await page.locator("#sec-timeline .view").evaluate((e) => e.scrollLeft)) > 100, "dragging pans");
	await page.locator("#theme").click();
	ok((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "the theme can be changed");
}

/* The address as the page has it: page.url() follows a little later. */
const hash = (page) => page.evaluate(() => location.hash);

/* Where a time and a lane of the timeline that one can go into are on the screen. */
async function spot(page, part, lane) {
	const box = await page.locator("[data-ex=canvas]").boundingBox();
	return [box.x + 190 + (box.width - 202) * part, box.y + 26 + 22 * lane + 11];
}

async function explore(page) {
	const root = page.locator("#explore"), moment = page.locator("[data-ex=moment]"), frame = page.locator("[data-ex=frame]");
	const pixels = () => page.locator("[data-ex=canvas]").evaluate((c) => c.toDataURL());
	ok((await root.getAttribute("data-ready")) === "1" && (await root.isVisible()), "it is there");
	ok(/Who waits for whom at .*first \(6001\).*waits for the lock B .*held by second \(6002\)/s.test(await moment.textContent()),
		"the deadlock is shown first: " + (await moment.textContent()).slice(0, 300));
	ok((await moment.locator("svg .ex-node").count()) === 3, "as a graph");
	await root.scrollIntoViewIfNeeded();

	const whole = await pixels();
	const [x, y] = await spot(page, 0.5, 0);
	await page.mouse.move(x, y);
	await page.keyboard.down("Control");
	await page.mouse.wheel(0, -600);
	await page.keyboard.up("Control");
	await page.waitForTimeout(100);
	const close = await pixels();
	ok(close !== whole, "Ctrl+wheel zooms");
	await page.mouse.down();
	await page.mouse.move(x - 120, y, { steps: 4 });
	await page.mouse.up();
	await page.waitForTimeout(100);
	ok((await pixels()) !== close, "dragging moves");
	await page.mouse.move(5, 5);
	await frame.focus();
	await page.keyboard.press("f");
	await page.keyboard.press("Escape");
	await page.waitForTimeout(100);
	ok((await moment.textContent()) === "", "Escape clears");

	await page.mouse.click(...(await spot(page, 0.5, 1)));
	ok(/^#t=[0-9.]+s&thread=\d+/.test(await hash(page)), "a click goes into the address: " + (await hash(page)));
	ok((await moment.locator("li").count()) > 0, "and says who waits then");
	ok((await page.locator("tr.chosen").count()) > 0, "and marks its row");
	await page.mouse.move(...(await spot(page, 0.5, 1)));
	ok(/first \(6001\)\nwaits for the lock B\nheld by second \(6002\)\nat deadlock-abba.c:22 \(first\)\nfrom .*never ended/.test(await page.locator("#tip").textContent()), "hover: " + (await page.locator("#tip").textContent()));

	const [jx, jy] = await spot(page, 0.5, 0);
	await page.mouse.move(jx, jy + 10);
	ok(/waits to join the thread/.test(await page.locator("#tip").textContent()), "hover below the bar: " + (await page.locator("#tip").textContent()));

	const [rx, ry] = await spot(page, 0.2, 0);
	await page.keyboard.down("Shift");
	await page.mouse.move(rx, ry);
	await page.mouse.down();
	await page.mouse.move(rx + 300, ry, { steps: 4 });
	await page.mouse.up();
	await page.keyboard.up("Shift");
	ok(/first \(6001\).*lock.*A/s.test(await page.locator("[data-ex=range] table").first().textContent()), "a range is summed up: what was waited for, and held");
	ok(/in waits.*[AB]\d/s.test(await page.locator("[data-ex=range] table").nth(1).textContent()), "and the contention of its locks: " + (await page.locator("[data-ex=range] table").nth(1).textContent()));

	await page.locator("[data-ex=filter]").fill("second");
	ok(/^1 of /.test(await page.locator("[data-ex=status]").textContent()), "the filter keeps one lane: " + (await page.locator("[data-ex=status]").textContent()));
	await page.locator("[data-ex=filter]").fill("");
	const box = await page.locator("[data-ex=canvas]").boundingBox();
	await page.mouse.click(box.x + 8, box.y + 26 + 11);
	ok(/^1 of /.test(await page.locator("[data-ex=status]").textContent()), "a process is folded");
	await page.mouse.click(box.x + 8, box.y + 26 + 11);

	await page.locator("#sec-findings .finding a").first().click();
	ok(/#t=.*finding=1/.test(await hash(page)) && /Who waits for whom/.test(await moment.textContent()), "a finding leads to its moment: " + (await hash(page)));
	ok(/wait for each other/.test(await page.locator("[data-ex=chosen]").textContent()), "and is chosen: " + (await page.locator("[data-ex=chosen]").textContent()));
	ok((await page.locator("tr.chosen").count()) >= 2 && (await page.locator("svg g.chosen").count()) >= 2, "with all its threads, in tables and pictures");

	await page.locator("#sec-locktable tbody tr td").nth(1).click();
	ok(/lock=\d+/.test(await hash(page)) && (await page.locator("#sec-locktable tr.chosen").count()) === 1, "a row of a table chooses its lock: " + (await hash(page)));
	ok((await page.locator("#sec-locks svg g.chosen").count()) > 0, "also in the pictures");
	await frame.focus();
	await page.keyboard.press("/");
	ok(await page.evaluate(() => document.activeElement.dataset.ex === "filter"), "/ within the timeline filters lanes");
	await page.locator("[data-ex=legend]").waitFor();
	for (const words of ["runs or is ready to run", "sleeps", "stuck: never ended", "holds a lock", "critical path", "takes a signal", "new thread"])
		ok((await page.locator("[data-ex=legend]").textContent()).includes(words), `"${words}" is in the legend`);

	await page.locator("#sec-threads th", { hasText: "tid" }).click();
	const sorted = await page.locator("#sec-threads tbody tr").evaluateAll((rows) => rows.map((r) => r.cells[[...r.closest("table").querySelectorAll("th")].findIndex((h) => h.textContent === "tid")].textContent));
	ok(sorted.length > 1 && sorted.every((v, i) => !i || Number(sorted[i - 1]) <= Number(v)), "a table sorts: " + sorted);
}

/* A link opens a moment, and the theme is kept. */
async function link(page) {
	await page.locator("#theme").click();
	await page.goto(page.url() + "#t=0.9s&thread=6001");
	await page.waitForFunction(() => document.querySelector("[data-ex=chosen]").textContent !== "");
	await page.reload();
	ok((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "the theme survives a reload");
	ok(/at 900 ms/.test(await page.locator("[data-ex=moment]").textContent()), "the address opens its moment");
	ok(/first \(6001\)/.test(await page.locator("[data-ex=chosen]").textContent()), "and its thread: " + (await page.locator("[data-ex=chosen]").textContent()) + (await hash(page)));
}

/* All that one can do with the timeline of any recording. */
async function drive(page) {
	const moment = page.locator("[data-ex=moment]"), frame = page.locator("[data-ex=frame]"), status = page.locator("[data-ex=status]");
	const pixels = async () => {
		await page.waitForTimeout(100);
		return page.locator("[data-ex=canvas]").evaluate((c) => c.toDataURL());
	};
	const changes = async (what, act) => {
		const before = await pixels();
		await act();
		ok((await pixels()) !== before, what);
	};
	await page.locator("#explore").scrollIntoViewIfNeeded();
	const [x, y] = await spot(page, 0.5, 0);
	await page.mouse.move(x, y);
	await changes("Ctrl and wheel zoom", async () => {
		await page.keyboard.down("Control");
		await page.mouse.wheel(0, -600);
		await page.keyboard.up("Control");
	});
	await changes("dragging moves", async () => {
		await page.mouse.down();
		await page.mouse.move(x - 150, y, { steps: 4 });
		await page.mouse.up();
	});
	await frame.focus();
	for (const [key, what] of [["f", "F fits"], ["w", "W zooms"], ["d", "D moves"], ["ArrowLeft", "an arrow moves"], ["s", "S zooms out"]])
		await changes(what, () => page.keyboard.press(key));
	await page.keyboard.press("f");
	if (await page.locator("[data-act=path]").isVisible()) {
		await changes("C hides the critical path", () => page.keyboard.press("c"));
		await changes("and its button shows it", () => page.locator("[data-act=path]").click());
	}
	await page.mouse.click(x, y);
	ok(/^#t=[0-9.]+s&(thread|process)=\d+/.test(await hash(page)), "a click goes into the address: " + (await hash(page)));
	ok(/^Who waits for whom at /.test(await moment.textContent()), "and says who waits then");
	await frame.focus();
	await page.keyboard.press("w");
	await page.keyboard.press("w");
	await changes("a double click fills the width, or zooms", () => page.mouse.dblclick(x, y));
	await frame.focus();
	await page.keyboard.press("f");
	await page.keyboard.down("Shift");
	await page.mouse.move(x - 200, y);
	await page.mouse.down();
	await page.mouse.move(x + 100, y, { steps: 4 });
	await page.mouse.up();
	await page.keyboard.up("Shift");
	ok((await page.locator("[data-ex=range] tbody tr").count()) > 0, "a range is summed up");
	await changes("and zoomed to", () => page.locator("[data-act=range]").click());
	await page.locator("[data-ex=filter]").fill("no such word anywhere");
	ok(/^0 of /.test(await status.textContent()), "a filter hides: " + (await status.textContent()));
	await page.locator("[data-ex=filter]").fill("");
	for (const order of ["waiting", "name", "creation"])
		await page.locator("[data-ex=order]").selectOption(order);
	ok(/^\d+ lanes$/.test(await status.textContent()), "all lanes again: " + (await status.textContent()));
	await page.locator("[data-act=clear]").click();
	ok((await moment.textContent()) === "", "all is cleared");
}

/* Who woke is told, lanes that are alike stand together and can be opened, and a link opens them too. */
async function folds(page) {
	const status = page.locator("[data-ex=status]"), tip = page.locator("#tip");
	const height = () => page.locator("[data-ex=spacer]").evaluate((e) => e.clientHeight);
	ok((await status.textContent()) === "2001 lanes", "all lanes are there: " + (await status.textContent()));
	const before = await height();
	ok(before < 400, "most stand together: " + before);
	await page.locator("#explore").scrollIntoViewIfNeeded();
	const at = await page.locator("[data-ex=canvas]").boundingBox();
	await page.mouse.click(at.x + 60, at.y + before - 20);
	ok((await height()) > 30000, "a click on the fold opens it: " + (await height()));
	await page.mouse.click(at.x + 60, at.y + before - 20);
	ok((await height()) === before, "and another one closes it");
	const last = await page.evaluate(() => [...JSON.parse(document.getElementById("explore-head").content.textContent).lanes].pop()[1]);
	await page.goto(page.url().split("#")[0] + `#t=0.5s&thread=${last}`);
	await page.waitForFunction(() => document.querySelector("[data-ex=chosen]").textContent !== "");
	ok((await height()) > 30000, "a link to one of them opens it too");
	ok((await page.locator("[data-ex=frame]").evaluate((e) => e.scrollTop)) > 20000, "and goes to it");
	await page.locator("[data-act=clear]").click();
	await page.evaluate(() => document.querySelector("[data-ex=frame]").scrollTo(0, 0));
	let woken = false;
	for (let part = 0.1; part < 1 && !woken; part += 0.1) {
		const [x, y] = await spot(page, part, 0);
		await page.mouse.dblclick(x, y);
		await page.mouse.move(x + 2, y);
		woken = /ended by true \(\d+\)/.test(await tip.textContent());
		await page.locator("#explore [data-act=fit]").click();
	}
	ok(woken, "hover says who ended a wait: " + (await tip.textContent()));
	const [x, y] = await spot(page, 0.9, 0);
	await page.mouse.dblclick(x, y);
	await page.mouse.move(x + 2, y);
	const told = (await tip.textContent()).match(/from (.+) to (.+):/);
	ok(told && told[1] !== told[2], "with times that can be told apart: " + (await tip.textContent()));
}

/* Long tables are taken in bit by bit, or at once for who looks for a row. */
async function rows(page) {
	await page.waitForFunction(() => document.documentElement.dataset.tables === "whole");
	ok((await page.locator("#sec-processes tbody tr").count()) === 2000, "all rows are there in the end");
	await page.reload();
	await page.locator("#search").fill("/bin/true");
	ok(/^19\d\d rows$|^20\d\d rows$/.test(await page.locator("#found").textContent()), "a search finds those of the whole table: " + (await page.locator("#found").textContent()));
	const id = await page.locator("#sec-processes tbody tr").last().getAttribute("id"), file = page.url().split("#")[0];
	await page.goto("about:blank");
	await page.goto(`${file}#${id}`);
	await page.waitForFunction((row) => document.getElementById(row)?.getBoundingClientRect().top < innerHeight, id);
	ok(await page.locator("#" + id).isVisible(), "a link to a row far below leads to it");
}

/*
 * What the same browser takes now for a page that is mostly text and some arithmetic: 600 ms where nobody else uses the
 * machine. On a busy one the times of others are judged by it.
 */
async function calibrate(page) {
	const url = page.url();
	await page.goto("about:blank");
	await page.setContent("<p>calibration</p>");
	const took = await page.evaluate(() => {
		const begin = performance.now(), rows = [];
		for (let i = 0; i < 4000; i++)
			rows.push(`<tr><td>${i}<td>bash<td>/bin/true<td>exit 0</tr>`);
		document.body.innerHTML = `<table>${rows.join("")}</table>`;
		let sum = document.body.offsetHeight;
		for (let i = 0; i < 3e7; i++)
			sum += i % 7;
		return sum ? performance.now() - begin : 0;
	});
	await page.goto(url);
	return Math.max(1, took / QUIET);
}

/*
 * How long the page takes to open, and its frames while the wheel turns and the time is moved: the best of three, since
 * others may use the machine; how much slower that is meanwhile is measured too.
 */
async function fast(page) {
	const open = [], frames = [];
	let slower = await calibrate(page);
	for (let round = 0; round < 3; round++) {
		await page.reload();
		/* Until it is painted. */
		open.push(await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))));
		ok((await page.locator("#explore").getAttribute("data-ready")) === "1", "the timeline is ready then");
		frames.push(await page.evaluate(() => new Promise((done) => {
			const frame = document.querySelector("[data-ex=frame]"), box = document.querySelector("[data-ex=canvas]").getBoundingClientRect();
			const begin = performance.now();
			let n = 0;
			const step = () => {
				n++;
				if (performance.now() - begin > 1000) {
					done(n * 1000 / (performance.now() - begin));
					return;
				}
				frame.dispatchEvent(new WheelEvent("wheel", { deltaY: n % 40 < 20 ? -40 : 40, deltaX: 0, ctrlKey: n % 3 > 0, shiftKey: n % 3 === 0,
					bubbles: true, cancelable: true, clientX: box.left + 500, clientY: box.top + 60 }));
				requestAnimationFrame(step);
			};
			requestAnimationFrame(step);
		})));
	}
	slower = Math.max(slower, await calibrate(page));
	console.log(`# opens in ${Math.min(...open).toFixed(0)} ms, ${Math.max(...frames).toFixed(0)} frames a second; the machine is ${slower.toFixed(1)} times as slow as when it is quiet`);
	ok(Math.min(...open) <= 1500 * slower, `opening takes ${open.map((t) => t.toFixed(0))} ms`);
	ok(Math.max(...frames) >= 30 / slower, `only ${frames.map((t) => t.toFixed(0))} frames a second`);
}

/* Frames while the wheel turns. */
async function smooth(page) {
	await page.locator("#explore").scrollIntoViewIfNeeded();
	const [x, y] = await spot(page, 0.5, 0);
	await page.mouse.move(x, y);
	const slow = await page.evaluate(() => new Promise((done) => {
		const frame = document.querySelector("[data-ex=frame]"), canvas = document.querySelector("[data-ex=canvas]");
		const box = canvas.getBoundingClientRect(), times = [];
		let n = 0, last = performance.now();
		const step = () => {
			times.push(performance.now() - last);
			last = performance.now();
			if (n++ === 40) {
				done(times.slice(2).sort((a, b) => a - b)[19]);
				return;
			}
			frame.dispatchEvent(new WheelEvent("wheel", { deltaY: n % 20 < 10 ? -60 : 60, ctrlKey: true, bubbles: true, cancelable: true,
				clientX: box.left + 500, clientY: box.top + 60 }));
			requestAnimationFrame(step);
		};
		requestAnimationFrame(step);
	}));
	console.log(`# a frame of zooming 500 processes: ${slow.toFixed(1)} ms (median)`);
	ok(slow < 100, `frames take ${slow} ms`);
}

async function scriptless(page) {
	for (const id of ["findings", "waits", "timeline", "tree", "locks", "processes", "threads", "locktable"])
		ok(await page.locator("#sec-" + id).isVisible(), id + " is shown");
	ok((await page.locator("svg title").count()) > 10, "pictures have texts for the pointer");
	ok(!(await page.locator("#search").isVisible()), "no dead search field");
	ok(!(await page.locator("#explore").isVisible()), "no dead timeline");
	ok(await page.locator("#timeline-still svg").isVisible(), "but a still one");
	ok(!(await page.locator("[data-act=in]").first().isVisible()), "no dead buttons");
	await page.locator("#row-t2 td a").first().click();
	ok(page.url().endsWith("#t2"), "links work");
}

async function hostile(page) {
	ok((await page.locator("script").count()) === 1, "one script, ours");
	ok((await page.locator("img, iframe, object, link").count()) === 0, "nothing foreign");
	ok((await page.locator("body").textContent()).includes("<script>alert(4)</script>"), "names are texts");
	for (const href of await page.locator("a").evaluateAll((all) => all.map((a) => a.getAttribute("href"))))
		ok(href === null || href.startsWith("#"), "link " + href);
}

async function narrow(page) {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
	ok(!wide, "the page itself does not scroll sideways");
	await page.waitForFunction(() => document.documentElement.dataset.tables === "whole");
	ok((await page.locator("#sec-processes tbody tr").count()) === 500, "500 rows");
}

/* On a phone: short cells are one line, long ones fold, and texts of pictures can be read. */
async function phone(page) {
	ok(!(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1)), "the page itself does not scroll sideways");
	const lines = await page.evaluate(() => {
		for (const t of document.querySelectorAll(".table"))
			t.style.setProperty("content-visibility", "visible");
		const count = (td) => {
			const range = document.createRange();
			range.selectNodeContents(td);
			return new Set([...range.getClientRects()].filter((r) => r.width > 0).map((r) => Math.round(r.bottom / 6))).size;
		};
		return [...document.querySelectorAll(".table td")].map((td) => [td.classList.contains("long"), count(td), td.textContent, td.getBoundingClientRect().width]);
	});
	ok(lines.length > 10, "cells were found");
	for (const [long, n, text, width] of lines) {
		if (!long && n > 1)
			ok(false, `a short cell on ${n} lines: ${text}`);
		if (long && width > 600)
			ok(false, `a long cell does not fold: ${text.slice(0, 60)}`);
	}
	for (const [scale, id] of await page.evaluate(() => [...document.querySelectorAll(".view > svg")].map((svg) =>
		[svg.getBoundingClientRect().width / (svg.viewBox.baseVal.width * 4 / 3), svg.closest("section").id])))
		ok(scale > 0.69 || scale === 0, `${id} begins at a scale of ${scale.toFixed(2)}`);
}

/* A picture whose texts can be read at a scale at which nearly all of the window shows it is shown whole. */
async function whole(page) {
	for (let height = 260; height <= 640; height += 20) {
		await page.setViewportSize({ width: 1200, height: height });
		await page.reload();
		const sizes = await page.evaluate(() => [...document.querySelectorAll(".view > svg")].map((svg) => {
			svg.parentNode.style.setProperty("content-visibility", "visible");
			return [svg.closest("section").id, svg.viewBox.baseVal.height * 4 / 3 * 0.7, svg.getBoundingClientRect().height, svg.parentNode.clientHeight];
		}));
		for (const [id, least, svg, frame] of sizes)
			if (frame && least < height * 0.87)
				ok(svg <= frame + 1, `${id} is ${svg.toFixed(0)} high in a frame of ${frame}, of a window of ${height}`);
	}
}

/* What is not in sight is on paper too, and the picture stands for the canvas. */
async function paper(page) {
	await page.emulateMedia({ media: "print" });
	await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
	ok((await page.evaluate(() => [...document.querySelectorAll(".view, .table")].filter((e) => getComputedStyle(e).contentVisibility !== "visible").length)) === 0,
		"no frame is printed empty");
	ok(await page.locator("#timeline-still svg").isVisible(), "the still timeline is printed");
	ok(!(await page.locator("[data-ex=frame]").isVisible()), "instead of the canvas");
	await page.evaluate(() => dispatchEvent(new Event("afterprint")));
	ok(!(await page.locator("#timeline-still").evaluate((e) => e.open)), "and is closed again");
}

/* Names as wide as they come: none leaves its box in the graph of a moment. And a stack under the pointer: each line once. */
async function wide(page) {
	await page.locator("#explore").scrollIntoViewIfNeeded();
	await page.mouse.move(...(await spot(page, 0.6, 1)));
	const said = (await page.locator("#tip").textContent()).split("\n");
	ok(said.every((l) => l) && new Set(said).size === said.length && said.filter((l) => l.startsWith("at ")).length === 2, "a stack under the pointer: " + said.join(" | "));
	const nodes = await page.locator("[data-ex=moment] .ex-node").evaluateAll((all) => all.map((g) => {
		const box = g.querySelector("rect").getBoundingClientRect(), text = g.querySelector("text").getBoundingClientRect();
		return [text.left >= box.left && text.right <= box.right, g.querySelector("text").textContent, text.width];
	}));
	ok(nodes.length === 3, `three threads: ${nodes.length}`);
	for (const [inside, words, width] of nodes)
		ok(inside && /… \d+$/.test(words), `"${words}" is ${width} wide`);
}

async function scriptlessRows(page) {
	ok((await page.locator("#sec-processes tbody tr").count()) === 500 && (await page.locator("#sec-processes tbody tr").last().isVisible()), "all 500 rows are there without scripts");
}

(async () => {
	const [deadlock, hostileFile, many, make, loop, large, wideFile] = process.argv.slice(2);
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: flags });
	await test(browser, "search, hover, links, zoom, pan, keys", {}, deadlock, interaction);
	await test(browser, "the timeline that one can go into", {}, deadlock, explore);
	await test(browser, "a link to a moment", {}, deadlock, link);
	for (const [name, file] of [["a deadlock", deadlock], ["make -j2", make], ["2,000 processes", loop], ["hostile names", hostileFile]])
		await test(browser, `going into the timeline of ${name}`, {}, file, drive);
	await test(browser, "10 million rows of locks open and move fast", {}, large, fast);
	await test(browser, "2,000 processes open and move fast", {}, loop, fast);
	await test(browser, "lanes that stand together", {}, loop, folds);
	await test(browser, "long tables", {}, loop, rows);
	await test(browser, "long tables without scripts", { javaScriptEnabled: false }, many, scriptlessRows);
	await test(browser, "zooming 500 processes", {}, many, smooth);
	await test(browser, "complete without scripts", { javaScriptEnabled: false }, deadlock, scriptless);
	await test(browser, "readable in light", { colorScheme: "light" }, deadlock, readable);
	await test(browser, "readable in the dark", { colorScheme: "dark" }, deadlock, readable);
	await test(browser, "500 processes are readable in the dark", { colorScheme: "dark" }, many, readable);
	await test(browser, "hostile names stay texts", {}, hostileFile, hostile);
	for (const [name, file] of [["a deadlock", deadlock], ["make -j2", make], ["500 processes", many], ["hostile names", hostileFile]])
		await test(browser, `a phone: ${name}`, { viewport: { width: 390, height: 800 } }, file, phone);
	await test(browser, "wide names", {}, wideFile, wide);
	await test(browser, "wide names on a phone", { viewport: { width: 390, height: 800 } }, wideFile, wide);
	await test(browser, "pictures are whole", {}, deadlock, whole);
	await test(browser, "printed", {}, deadlock, paper);
	await test(browser, "a narrow window", { viewport: { width: 390, height: 800 } }, many, narrow);
	await browser.close();
	console.log("1.." + count);
})();
