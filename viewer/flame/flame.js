/* flame.js - zoom and search in a flame graph, which is as wide as its window. */
/* SPDX-License-Identifier: MIT */
(function () {
	"use strict";
	var svg = document.documentElement, margin = 10, letter = 7, least = 300;
	/* Places of frames count in the width that the file was written for; scale leads to that of the window. */
	var written = svg.viewBox.baseVal.width - 2 * margin, scale = 1;
	var frames = Array.prototype.map.call(document.querySelectorAll(".f"), function (g) {
		var rect = g.querySelector("rect");

		return { g: g, rect: rect, text: g.querySelector("text"), name: g.getAttribute("data-n"),
			x: +rect.getAttribute("x") - margin, w: +rect.getAttribute("width"), y: +rect.getAttribute("y") };
	});
	var all = document.getElementById("all"), search = document.getElementById("search");
	var told = document.getElementById("told"), shown = frames[0];

	function fit(name, w) {
		var most = w > 3 * letter ? Math.floor(w / letter) - 1 : 0;

		return name.length <= most ? name : most > 2 ? name.slice(0, most - 2) + ".." : "";
	}

	function place(f, x, w) {
		f.rect.setAttribute("x", margin + x * scale);
		f.rect.setAttribute("width", w * scale);
		f.text.setAttribute("x", margin + x * scale + 3);
		f.text.textContent = fit(f.name, w * scale);
	}

	/* What called a frame is as wide as the picture, what it called keeps its share, the rest is hidden. */
	function zoom(on) {
		var larger = written / on.w;

		frames.forEach(function (f) {
			var above = f.y <= on.y && f.x >= on.x - 0.02 && f.x + f.w <= on.x + on.w + 0.02;
			var under = f.y > on.y && f.x <= on.x + 0.02 && f.x + f.w >= on.x + on.w - 0.02;

			f.g.classList.toggle("out", !above && !under);
			f.g.classList.toggle("under", under);
			if (above)
				place(f, (f.x - on.x) * larger, f.w * larger);
			else if (under)
				place(f, 0, written);
		});
		all.textContent = on === frames[0] ? "" : "Show all";
		all.setAttribute("tabindex", on === frames[0] ? "-1" : "0");
		shown = on;
	}

	/* A window narrower than the least scrolls. */
	function fill() {
		var height = svg.viewBox.baseVal.height, width;

		svg.setAttribute("width", "100%");
		width = svg.getBoundingClientRect().width;
		if (width < least)
			svg.setAttribute("width", width = least);
		scale = (width - 2 * margin) / written;
		svg.setAttribute("viewBox", "0 0 " + width + " " + height);
		search.setAttribute("x", width - margin - 60);
		zoom(shown);
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
		told.textContent = text === "" ? "" : ends.length + " frames, " + (100 * sum / written).toFixed(1) + " %";
	}

	function tell(f) {
		told.textContent = f ? f.g.querySelector("title").textContent : "";
	}

	/* Makes something do on a click, and on Enter or the space bar, what a button does. */
	function button(element, action) {
		element.setAttribute("tabindex", "0");
		element.setAttribute("role", "button");
		element.addEventListener("click", action);
		element.addEventListener("keydown", function (e) {
			if (e.key !== "Enter" && e.key !== " ")
				return;
			e.preventDefault();
			action();
		});
	}

	if (!frames.length)
		return;
	search.textContent = "Search";
	button(search, find);
	button(all, function () { zoom(frames[0]); });
	frames.forEach(function (f) {
		button(f.g, function () { zoom(f); });
		f.g.addEventListener("mouseover", function () { tell(f); });
		f.g.addEventListener("mouseout", function () { tell(null); });
		f.g.addEventListener("focus", function () { tell(f); });
	});
	document.addEventListener("keydown", function (e) {
		if (e.key === "Escape")
			zoom(frames[0]);
	});
	window.addEventListener("resize", fill);
	fill();
}());
