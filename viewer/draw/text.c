/* text.c - draw in a terminal: lines that fit, colours that can be off. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/text.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

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

void text_words(struct text_line *l, enum text_color c, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");
		_cleanup_free_ char *word = xstrndup(text, len);

		if (l->col && l->col + 1 + text_width(word) > l->width)
			text_end(l);
		if (l->col)
			text_add(l, c, " ");
		text_add(l, c, word);
		text += len;
		text += strspn(text, " ");
	}
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
