/* picture.c - what the commands that draw have in common: open, render, write. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/picture.h"

#include <getopt.h>
#include <sqlite3.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/command.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "cli/common/trace_note.h"
#include "schema/db.h"
#include "viewer/draw/graph.h"
#include "viewer/load/load.h"
#include "viewer/draw/output.h"
#include "viewer/draw/sketch.h"
#include "viewer/draw/svg.h"

enum { WIDTH_DEFAULT = 120, WIDTH_LEAST = 40, WIDTH_MOST = 100000 };

static const char *const formats[] = {"svg", "png", "pdf", "dot", "txt", NULL};

bool picture_option(struct picture *p, int id, const char *arg)
{
	int i;

	if (id == 'o') {
		p->output = arg;
		return true;
	}
	if (!options_word("--format", arg, formats, &i))
		return false;
	p->format = formats[i];
	return true;
}

bool picture_set_width(struct picture *p, const char *arg)
{
	uint64_t n;

	if (!options_number("--width", arg, &n))
		return false;
	p->width = n < WIDTH_MOST ? n : WIDTH_MOST;
	return true;
}

/* Returns the word of a list with which the name of the output ends, or NULL. */
static const char *ending(const struct picture *p, const char *const *words)
{
	const char *dot = p->output ? strrchr(p->output, '.') : NULL;

	for (size_t i = 0; dot && words[i]; i++)
		if (!strcasecmp(dot + 1, words[i]))
			return words[i];
	return NULL;
}

/* Nobody could open an SVG that is called x.jpg: says whether the name of the output promises what it gets. */
static bool is_name_true(const struct picture *p)
{
	static const char *const others[] = {
		"jpg", "jpeg", "gif", "webp", "bmp", "tiff", "ps", "eps", "html", "json", NULL};
	const char *format = ending(p, formats), *other = ending(p, others);

	if (p->is_fixed && strcmp(format ? format : other ? other : p->format, p->format) != 0) {
		warn("%s: it writes %s, and the name ends in .%s", p->name, p->format,
			format ? format : other);
		return false;
	}
	if (!p->format && other) {
		warn("%s: cannot write %s: a picture is svg, png, pdf, dot or txt", p->name, other);
		return false;
	}
	return true;
}

bool picture_is_text(const struct picture *p)
{
	return !strcmp(p->format, "txt");
}

/* Settles format and output. */
static void settle(struct picture *p)
{
	/* "x.png" asks for a PNG. */
	if (!p->format)
		p->format = ending(p, formats);
	if (!p->format)
		p->format = "svg";
	/* Formats that people read in a terminal go there. */
	if (!p->output && (picture_is_text(p) || !strcmp(p->format, "dot")))
		p->output = "-";
}

static bool to_stdout(const struct picture *p)
{
	return p->output && !strcmp(p->output, "-");
}

size_t picture_width(const struct picture *p)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	long n = 0;

	if (p->width)
		return p->width;
	if (to_stdout(p) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		n = ws.ws_col;
	if (n <= 0 && columns)
		n = strtol(columns, NULL, 10);
	if (n <= 0 || n > WIDTH_MOST)
		n = WIDTH_DEFAULT;
	return n < WIDTH_LEAST ? WIDTH_LEAST : (size_t)n;
}

bool picture_color(const struct picture *p)
{
	return to_stdout(p) && say_color(stdout);
}

bool picture_begin(struct picture *p, int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;

	p->path = trace_operand(p->name, argc, argv);
	if (!p->path || !is_name_true(p))
		return false;
	settle(p);
	p->db = trace_open(p->path);
	p->trace = trace_load(p->db, &why);
	if (!p->trace)
		die("cannot read %s: %s", p->path, why);
	return true;
}

void picture_end(struct picture *p)
{
	trace_free(p->trace);
	db_close(p->db);
	p->trace = NULL;
	p->db = NULL;
}

/* Over ssh one cannot look at a file: the text format is suggested. */
static bool has_display(void)
{
	return isatty(STDERR_FILENO) != 1 || getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
}

void picture_write(const struct picture *p, const void *data, size_t len)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (to_stdout(p)) {
		/* main notices what could not be written. */
		(void)fwrite(data, 1, len, stdout);
		return;
	}
	path = p->output ? xstrdup(p->output) : xasprintf("pptrace-%s.%s", p->name, p->format);
	if (output_write(path, data, len, &why) != 0)
		die("%s", why.data);
	if (has_display())
		note("wrote %s", path);
	else
		note("wrote %s; there is no display here: pptrace %s -T txt draws in the terminal",
			path, p->name);
}

void picture_render(const struct picture *p, struct graph *g, const char *engine)
{
	_cleanup_buf_ struct buf out = BUF_INIT, why = BUF_INIT;

	if (graph_render(g, engine, p->format, &out, &why) != 0)
		die("%s", why.data);
	graph_free(g);
	if (!strcmp(p->format, "svg")) {
		_cleanup_buf_ struct buf tidy = BUF_INIT;

		svg_tidy(&tidy, out.data, out.len, false);
		picture_write(p, tidy.data, tidy.len);
	} else {
		picture_write(p, out.data, out.len);
	}
}

void picture_sketch(const struct picture *p, struct sketch *sk, const char *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (!sk)
		die("cannot read %s: %s", p->path, why);
	if (picture_is_text(p)) {
		sketch_text(&out, sk, picture_width(p), picture_color(p));
		picture_write(p, out.data, out.len);
	} else {
		picture_render(p, sketch_graph(sk, false), "ring");
	}
	sketch_free(sk);
}
