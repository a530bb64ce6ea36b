/* text.c - draw in a terminal: lines that fit, colours that can be off. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/text.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { WORDS_LEAST = 16 }; /* columns that words have, however far they are indented */

static const char *const codes[] = {"", "1", "2", "31;1", "32", "33", "34", "35", "36"};

struct text_line text_begin(struct buf *out, size_t width, bool color)
{
	return (struct text_line){.out = out, .width = width, .color = color};
}

void text_add(struct text_line *l, enum text_color c, const char *text)
{
	size_t w = text_width(text), room = l->width > l->col ? l->width - l->col : 0;
	_cleanup_free_ char *fit = NULL;

	if (w > room) {
		if (room == 0)
			return;
		text = fit = text_fit(text, room);
		w = text_width(text);
	}
	if (l->color && c != TEXT_PLAIN && *text)
		buf_addf(l->out, "\033[%sm%s\033[0m", codes[c], text);
	else
		buf_adds(l->out, text);
	l->col += w;
}

void text_addf(struct text_line *l, enum text_color c, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	text_add(l, c, b.data);
}

void text_pad(struct text_line *l, size_t col)
{
	for (; l->col < col && l->col < l->width; l->col++)
		buf_addc(l->out, ' ');
}

void text_right(struct text_line *l, size_t col, enum text_color c, const char *text)
{
	size_t w = text_width(text);

	text_pad(l, col > w && col - w > l->col ? col - w : l->col + 1);
	text_add(l, c, text);
}

/* Adds a word of any length: what does not fit goes on below, in lines of their own. */
static void add_word(struct text_line *l, enum text_color c, const char *word, size_t indent)
{
	while (*word) {
		size_t room = l->width - l->col, len = 0, used = 0, n, columns;

		for (; word[len]; len += n, used += columns) {
			n = text_char(word + len, &columns);
			if (used + columns > room)
				break;
		}
		if (!len && l->col <= indent)
			return; /* no line is wide enough for it */
		text_addf(l, c, "%.*s", (int)len, word);
		word += len;
		if (*word) {
			text_end(l);
			text_pad(l, indent);
		}
	}
}

static void add_words(struct text_line *l, enum text_color c, const char *text, size_t indent)
{
	bool is_first = true;

	for (; *text; is_first = false) {
		size_t len = strcspn(text, " ");
		_cleanup_free_ char *word = xstrndup(text, len);

		if (l->col > indent && l->col + !is_first + text_width(word) > l->width) {
			text_end(l);
			text_pad(l, indent);
		} else if (!is_first) {
			text_add(l, c, " ");
		}
		add_word(l, c, word, indent);
		text += len;
		text += strspn(text, " ");
	}
}

void text_words(struct text_line *l, enum text_color c, const char *text)
{
	add_words(l, c, text, 0);
}

void text_fold(
	struct text_line *l, enum text_color c, const char *sep, const char *text, size_t indent)
{
	if (l->col + text_width(sep) + text_width(text) <= l->width) {
		text_add(l, c, sep);
		text_add(l, c, text);
		return;
	}
	indent = indent + WORDS_LEAST <= l->width ? indent
		 : l->width > WORDS_LEAST         ? l->width - WORDS_LEAST
						  : 0;
	if (l->col > indent) {
		text_end(l);
		text_pad(l, indent);
	}
	add_words(l, c, text, indent);
}

void text_below(struct text_line *l, enum text_color c, const char *text, size_t indent)
{
	text_end(l);
	while (l->col < indent && l->col + WORDS_LEAST < l->width)
		text_pad(l, l->col + 1);
	text_fold(l, c, "", text, indent);
}

void text_end(struct text_line *l)
{
	size_t len = l->out->len;

	while (len > 0 && l->out->data[len - 1] == ' ')
		len--;
	l->out->len = len;
	l->out->data[len] = '\0';
	buf_addc(l->out, '\n');
	l->col = 0;
}
