/* flame.js - zoom and search in a flame graph. */
/* SPDX-License-Identifier: MIT */
(function () {
	"use strict";
	var svg = document.documentElement, margin = 10, letter = 7;
	var width = svg.viewBox.baseVal.width - 2 * margin;
	var frames = Array.prototype.map.call(document.querySelectorAll(".f"), function (g) {
		var rect = g.querySelector("rect");

		return { g: g, rect: rect, text: g.querySelector("text"), name: g.getAttribute("data-n"),
			x: +rect.getAttribute("x"), w: +rect.getAttribute("width"), y: +rect.getAttribute("y") };
	});
	var all = document.getElementById("all"), search = document.getElementById("search");
	var told = document.getElementById("told");

	function fit(name, w) {
		var most = w > 3 * letter ? Math.floor(w / letter) - 1 : 0;

		return name.length <= most ? name : most > 2 ? name.slice(0, most - 2) + ".." : "";
	}

	function place(f, x, w) {
		f.rect.setAttribute("x", x);
		f.rect.setAttribute("width", w);
		f.text.setAttribute("x", x + 3);
		f.text.textContent = fit(f.name, w);
	}

	/* What called a frame is as wide as the picture, what it called keeps its share, the rest is hidden. */
	function zoom(on) {
		var scale = width / on.w;

		frames.forEach(function (f) {
			var above = f.y <= on.y && f.x >= on.x - 0.02 && f.x + f.w <= on.x + on.w + 0.02;
			var under = f.y > on.y && f.x <= on.x + 0.02 && f.x + f.w >= on.x + on.w - 0.02;

			f.g.classList.toggle("out", !above && !under);
			f.g.classList.toggle("under", under);
			if (above)
				place(f, margin + (f.x - on.x) * scale, f.w * scale);
			else if (under)
				place(f, margin, width);
		});
		all.textContent = on === frames[0] ? "" : "Show all";
	}

	function find() {
		var text = window.prompt("Mark the frames whose names contain:", "");
		var ends = [], last = -1, sum = 0;

		if (text === null)
			return;
		frames.forEach(function (f) {
			var hit = text !== "" && f.name.indexOf(text) >= 0;

			f.g.classList.toggle("hit", hit);
			if (hit)
				ends.push(f);
		});
		/* Frames upon each other count once. */
		ends.sort(function (a, b) { return a.x - b.x || b.w - a.w; }).forEach(function (f) {
			if (f.x + f.w <= last + 0.01)
				return;
			sum += f.w;
			last = f.x + f.w;
		});
		told.textContent = text === "" ? "" : ends.length + " frames, " + (100 * sum / width).toFixed(1) + " %";
	}

	if (!frames.length)
		return;
	frames.forEach(function (f) {
		f.g.addEventListener("click", function () { zoom(f); });
		f.g.addEventListener("mouseover", function () { told.textContent = f.g.querySelector("title").textContent; });
		f.g.addEventListener("mouseout", function () { told.textContent = ""; });
	});
	all.addEventListener("click", function () { zoom(frames[0]); });
	search.textContent = "Search";
	search.addEventListener("click", find);
}());
