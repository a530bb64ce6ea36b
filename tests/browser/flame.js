/* flame.js - use a flame graph in Chromium, print what is wrong. */
/* SPDX-License-Identifier: MIT */
/* usage: CHROMIUM=path node flame.js FLAME.svg */
"use strict";
const { chromium } = require("playwright-core");

function ok(condition, what) {
	if (!condition)
		console.log(what);
}

/* What of the picture is in sight, in pixels of the window. */
function look(page) {
	return page.evaluate(() => {
		const shown = [...document.querySelectorAll(".f:not(.out) rect")].map((r) => r.getBoundingClientRect());

		return {
			window: document.documentElement.clientWidth,
			left: Math.min(...shown.map((r) => r.left)), right: Math.max(...shown.map((r) => r.right)),
			search: document.getElementById("search").getBoundingClientRect().right,
			frames: shown.length, all: document.getElementById("all").textContent,
			told: document.getElementById("told").textContent,
			texts: [...document.querySelectorAll(".f:not(.out)")].every((g) => {
				const text = g.querySelector("text").getBoundingClientRect();

				return !text.width || text.right <= g.querySelector("rect").getBoundingClientRect().right + 1;
			}),
		};
	});
}

/* The frames and the search fill the window and do not leave it; a text stays in its frame. */
async function filled(page, width, what) {
	await page.setViewportSize({ width, height: 600 });
	await page.waitForFunction((w) => document.documentElement.viewBox.baseVal.width === w, width, { timeout: 20000 });
	const seen = await look(page);

	ok(seen.frames > 1, `${what}: ${seen.frames} frames`);
	ok(Math.abs(seen.left - 10) < 1 && Math.abs(seen.right - (seen.window - 10)) < 1,
		`${what}: frames from ${seen.left} to ${seen.right} of ${seen.window}`);
	ok(seen.search <= seen.window, `${what}: the search ends at ${seen.search} of ${seen.window}`);
	ok(seen.texts, `${what}: a text leaves its frame`);
	return seen;
}

(async () => {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
	const page = await browser.newPage({ viewport: { width: 400, height: 600 } });
	let seen;

	page.on("pageerror", (e) => ok(false, "script: " + e.message));
	await page.goto("file://" + process.argv[2]);
	await filled(page, 400, "narrow");
	const whole = (await filled(page, 1900, "wide")).frames;

	/* Search, then the frames: "all", and what lies upon it. */
	await page.keyboard.press("Tab");
	ok(await page.evaluate(() => document.activeElement.id) === "search", "Tab does not begin at the search");
	await page.keyboard.press("Tab");
	ok((await look(page)).told.startsWith("all: "), "the frame in focus is not told");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	seen = await filled(page, 700, "zoomed by Enter");
	ok(seen.all === "Show all", "Enter does not zoom");
	ok(seen.frames < whole, `zoomed: ${seen.frames} of ${whole} frames`);
	await page.keyboard.press("Escape");
	seen = await filled(page, 700, "after Escape");
	ok(seen.all === "" && seen.frames === whole, "Escape does not show all");
	await page.locator(".f").last().locator("rect").click({ force: true });
	seen = await filled(page, 500, "zoomed by a click");
	ok(seen.all === "Show all", "a click does not zoom");
	await page.locator("#all").click();
	ok((await look(page)).all === "", "Show all does not");
	await browser.close();
})().catch((e) => { console.log(e.message.split("\n")[0]); process.exit(1); });
