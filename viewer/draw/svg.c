/* svg.c - put Graphviz's SVG in order. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/svg.h"

#include "base/buf.h"

/*
 * Graphviz writes one element a line and escapes & < > " in all texts, so a
 * line that begins with a tag is that tag:
 *   <title>p1</title>
 *   <g id="a_p1"><a xlink:href="#row-p1" xlink:title="ls, pid 301">
 */
static bool begins(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - s) >= len && !memcmp(s, word, len);
}

static const char *find(const char *s, const char *end, const char *word)
{
	return memmem(s, (size_t)(end - s), word, strlen(word));
}

static void add_range(struct buf *out, const char *from, const char *to)
{
	buf_add(out, from, (size_t)(to - from));
}

/* A page needs no namespace on links. */
static void add_tag(struct buf *out, const char *from, const char *to, bool bare)
{
	const char *href = bare ? find(from, to, " xlink:href=\"") : NULL;

	if (href) {
		add_range(out, from, href + 1);
		from = href + sizeof " xlink:" - 1;
	}
	add_range(out, from, to);
}

/* Moves the attribute xlink:title of the line's <a> into an element below it. */
static void add_anchor(struct buf *out, const char *s, const char *end, bool bare)
{
	static const char attribute[] = " xlink:title=\"";
	const char *title = find(s, end, attribute), *from, *to;

	if (!title) {
		add_range(out, s, end);
		return;
	}
	from = title + sizeof attribute - 1;
	to = memchr(from, '"', (size_t)(end - from));
	if (!to || end[-1] != '>') {
		add_range(out, s, end);
		return;
	}
	add_tag(out, s, title, bare);
	add_range(out, to + 1, end);
	buf_adds(out, "<title>");
	add_range(out, from, to);
	buf_adds(out, "</title>");
}

void svg_tidy(struct buf *out, const char *svg, size_t len, bool bare)
{
	const char *end = svg + len, *s = svg;

	if (bare) {
		const char *root = find(svg, end, "<svg ");

		s = root ? root : end;
	}
	while (s < end) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));

		eol = eol ? eol : end;
		if (begins(s, eol, "<title>") ||
			(begins(s, eol, "<!--") && eol[-1] == '>' && s > svg + 200)) {
			s = eol + (eol < end);
			continue;
		}
		if (begins(s, eol, "<g id=\"a_"))
			add_anchor(out, s, eol, bare);
		else
			add_range(out, s, eol);
		buf_addc(out, '\n');
		s = eol + 1;
	}
}
