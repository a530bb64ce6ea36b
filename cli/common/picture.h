/* picture.h - what the commands that draw have in common: open, render, write. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_PICTURE_H
#define CLI_COMMON_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

struct graph;
struct sketch;
struct sqlite3;
struct trace;

/* Where a picture goes and as what, and what it is of. */
struct picture {
	const char *name;   /* of the command: default file is pptrace-NAME.FORMAT */
	const char *format; /* NULL: by the end of the output's name, else svg */
	const char *output; /* NULL: the default; "-": standard output */
	bool is_fixed;      /* the command writes no other format than that */
	size_t width;       /* of text, in columns; 0: that of the terminal */
	/* Between picture_begin and picture_end: */
	const char *path;
	struct trace *trace;
	struct sqlite3 *db;
};

/* The options that these commands share, for their tables, and what to do with them. */
#define PICTURE_OPTIONS                                                                                                             \
	{"format", 'T', "FORMAT", "svg (default), png, pdf, dot or txt", 'T'},                                                      \
	{                                                                                                                           \
		"output", 'o', "FILE",                                                                                              \
			"write to FILE, - is standard output (default: pptrace-COMMAND.FORMAT; txt and dot go to standard output)", \
			'o'                                                                                                         \
	}

/* Takes an option of PICTURE_OPTIONS; false after a message if its argument is wrong. */
bool picture_option(struct picture *p, int id, const char *arg);

/* Takes the width of text in columns; false after a message if it is not a number. */
bool picture_set_width(struct picture *p, const char *arg);

/*
 * After the options: settles format and output, and loads the trace file that
 * the operands name, at most one, else pptrace.db. False after a message if
 * there are more of them, or the name of the output promises another format; dies if it cannot be read. picture_end frees it.
 */
bool picture_begin(struct picture *p, int argc, char **argv);
void picture_end(struct picture *p);

/* Says whether the picture is drawn as text. */
bool picture_is_text(const struct picture *p);

/* Columns and colours for text. */
size_t picture_width(const struct picture *p);
bool picture_color(const struct picture *p);

/* Writes text or bytes to where the picture goes, and says where; dies if it cannot. */
void picture_write(const struct picture *p, const void *data, size_t len);

/* Renders a graph with the engine, writes it and frees it. */
void picture_render(const struct picture *p, struct graph *g, const char *engine);

/* Draws a sketch of the trace in the format, writes and frees it. If it is NULL, dies and says why. */
void picture_sketch(const struct picture *p, struct sketch *sk, const char *why);

#endif
