/* boxes.js - measure every text of SVG pictures in Chromium: none may overlap another or leave its box; print TAP. */
/* SPDX-License-Identifier: MIT */
/* usage: node boxes.js FILE.svg... */
"use strict";
const { readFile } = require("fs/promises");
const { chromium } = require("playwright-core");

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];
const TOLD = 8;
const TABS = 3; /* that measure at a time */

/* Runs in the page: shows a picture instead of the one before, and returns what is wrong with it, in words. */
function faults(picture) {
	const SLACK = 1.5; /* points: fonts differ a little from those that Graphviz measured with */
	const root = document.adoptNode(new DOMParser().parseFromString(picture, "image/svg+xml").documentElement), bad = [];
	document.body.replaceChildren(root);
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

/* Measures those that are left, one after the other, in a tab of its own: to go to each as to a page takes longer than all else. */
async function measure(browser, files, left, results) {
	const page = await browser.newPage();
	await page.setContent("<!DOCTYPE html><style>body { margin: 0 } svg { display: block }</style><body>");
	while (left.length) {
		const i = left.shift();
		try {
			results[i] = await page.evaluate(faults, await readFile(files[i], "utf8"));
		} catch (e) {
			results[i] = { bad: [e.message.split("\n")[0]], n: 0 };
		}
		if (!results[i].n)
			results[i].bad.push("no text");
	}
}

(async () => {
	const files = process.argv.slice(2), left = [...files.keys()], results = [];
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: flags });
	await Promise.all(Array.from({ length: TABS }, () => measure(browser, files, left, results)));
	await browser.close();
	results.forEach((found, i) => {
		console.log(`${found.bad.length ? "not " : ""}ok ${i + 1} - ${files[i]}: ${found.n} texts`);
		for (const b of found.bad.slice(0, TOLD))
			console.log("# " + b);
		if (found.bad.length > TOLD)
			console.log(`# and ${found.bad.length - TOLD} more`);
	});
	console.log("1.." + files.length);
})();
