/* text.h - draw in a terminal: lines that fit, colours that can be off. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_DRAW_TEXT_H
#define VIEWER_DRAW_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum text_color {
	TEXT_PLAIN,
	TEXT_BOLD,
	TEXT_DIM,
	TEXT_RED,
	TEXT_GREEN,
	TEXT_YELLOW,
	TEXT_BLUE,
	TEXT_MAGENTA,
	TEXT_CYAN
};

/* One line while it is written: nothing goes beyond width columns. */
struct text_line {
	struct buf *out;
	size_t col, width;
	bool color;
};

/* Returns an empty line that is added to out. */
struct text_line text_begin(struct buf *out, size_t width, bool color);

/* Adds printable text; what does not fit is cut, with an ellipsis. */
void text_add(struct text_line *l, enum text_color c, const char *text);
void text_addf(struct text_line *l, enum text_color c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds a text in as many lines as it takes, broken between words; text_end ends the last one. */
void text_words(struct text_line *l, enum text_color c, const char *text);

/*
 * Adds a text, after sep if there is room for both on the line; else it begins below, at the column indent, and goes
 * on there, broken between words. Nothing of it is cut.
 */
void text_fold(
	struct text_line *l, enum text_color c, const char *sep, const char *text, size_t indent);

/* The same, but always on the line below, from the column indent on. */
void text_below(struct text_line *l, enum text_color c, const char *text, size_t indent);

/* Adds blanks up to the column. */
void text_pad(struct text_line *l, size_t col);

/* Adds text so that it ends before the column. */
void text_right(struct text_line *l, size_t col, enum text_color c, const char *text);

/* Ends the line. */
void text_end(struct text_line *l);

#endif
