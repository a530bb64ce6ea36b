/* screenshot.js - take a picture of a page. */
/* SPDX-License-Identifier: MIT */
/* usage: CHROMIUM=path node screenshot.js PAGE.html PICTURE.png WIDTH HEIGHT */
"use strict";
const { chromium } = require("playwright-core");

(async () => {
	const [page, picture, width, height] = process.argv.slice(2);
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
	const tab = await browser.newPage({ viewport: { width: Number(width), height: Number(height) }, reducedMotion: "reduce" });

	await tab.goto("file://" + page);
	await tab.waitForTimeout(300); /* scrolling to the anchor */
	await tab.screenshot({ path: picture });
	await browser.close();
})().catch((e) => { console.error(e.message.split("\n")[0]); process.exit(1); });
