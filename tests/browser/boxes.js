/* boxes.js - measure every text of SVG pictures in Chromium: none may overlap another or leave its box; print TAP. */
/* SPDX-License-Identifier: MIT */
/* usage: node boxes.js FILE.svg... */
"use strict";
const { chromium } = require("playwright-core");

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];
const TOLD = 8;

/* Runs in the page. Returns what is wrong, in words. */
function faults() {
	const SLACK = 1.5; /* points: fonts differ a little from those that Graphviz measured with */
	const root = document.querySelector("svg"), bad = [];
	const area = root.getBoundingClientRect();
	const words = (t) => t.textContent.trim().slice(0, 40);
	const texts = [...root.querySelectorAll("text")].filter((t) => t.textContent.trim()).map((t) => {
		const r = t.getBoundingClientRect();
		/* Ascenders and descenders are rarely there: what is drawn is about two thirds of the line. */
		const cut = r.height * 0.18;
		return { el: t, left: r.left, right: r.right, top: r.top + cut, bottom: r.bottom - cut };
	});

	for (const t of texts) {
		if (t.left < area.left - SLACK || t.right > area.right + SLACK || t.top < area.top - SLACK || t.bottom > area.bottom + SLACK)
			bad.push(`"${words(t.el)}" leaves the picture`);
		const node = t.el.closest(".node");
		const shapes = node ? [...node.querySelectorAll(":scope > polygon, :scope > path, :scope > ellipse, :scope > a > polygon, :scope > g > a > polygon, :scope > g > a > path")] : [];
		const seen = shapes.filter((s) => getComputedStyle(s).fill !== "none" || getComputedStyle(s).stroke !== "none");
		if (!seen.length)
			continue;
		const box = seen.map((s) => s.getBoundingClientRect()).sort((a, b) => b.width * b.height - a.width * a.height)[0];
		if (t.left < box.left - SLACK || t.right > box.right + SLACK || t.top < box.top - SLACK || t.bottom > box.bottom + SLACK)
			bad.push(`"${words(t.el)}" leaves its box`);
	}
	/* By their left sides; only those whose ranges meet are compared. */
	texts.sort((a, b) => a.left - b.left);
	for (let i = 0; i < texts.length; i++)
		for (let k = i + 1; k < texts.length && texts[k].left < texts[i].right - SLACK; k++)
			if (texts[k].top < texts[i].bottom - SLACK && texts[i].top < texts[k].bottom - SLACK)
				bad.push(`"${words(texts[i].el)}" overlaps "${words(texts[k].el)}" by ${(Math.min(texts[i].right, texts[k].right) - texts[k].left).toFixed(1)}`);
	return { bad, n: texts.length };
}

(async () => {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: flags });
	const page = await browser.newPage();
	let count = 0;
	for (const file of process.argv.slice(2)) {
		let found = { bad: [], n: 0 };
		try {
			await page.goto("file://" + require("path").resolve(file));
			found = await page.evaluate(faults);
		} catch (e) {
			found.bad.push(e.message.split("\n")[0]);
		}
		if (!found.n)
			found.bad.push("no text");
		console.log(`${found.bad.length ? "not " : ""}ok ${++count} - ${file}: ${found.n} texts`);
		for (const b of found.bad.slice(0, TOLD))
			console.log("# " + b);
		if (found.bad.length > TOLD)
			console.log(`# and ${found.bad.length - TOLD} more`);
	}
	await browser.close();
	console.log("1.." + count);
})();
