/* text.c - printable UTF-8 texts, cut and measured. */
/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

/* Says whether a byte begins a character; the texts are valid UTF-8. */
static bool is_first(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t count_chars(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += is_first(*s);
	return n;
}

/* Returns where the character number n begins. */
static const char *nth_char(const char *s, size_t n)
{
	for (; *s; s++)
		if (is_first(*s) && n-- == 0)
			break;
	return s;
}

char *text_fit(const char *s, size_t max)
{
	size_t n = count_chars(s), head, tail;

	if (n <= max)
		return xstrdup(s);
	if (max < 4)
		return xstrndup(s, (size_t)(nth_char(s, max) - s));
	head = (max - 1) * 2 / 3;
	tail = max - 1 - head;
	return xasprintf(
		"%.*s\xe2\x80\xa6%s", (int)(nth_char(s, head) - s), s, nth_char(s, n - tail));
}

/* Two columns for what East Asian fonts draw wide, none for combining marks; the common ranges are enough for alignment. */
static size_t char_width(uint32_t cp)
{
	if ((cp >= 0x300 && cp <= 0x36f) || (cp >= 0xfe00 && cp <= 0xfe0f))
		return 0;
	if ((cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0xa4cf) ||
		(cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) ||
		(cp >= 0xfe30 && cp <= 0xfe6f) || (cp >= 0xff00 && cp <= 0xff60) ||
		(cp >= 0x1f300 && cp <= 0x1faff) || (cp >= 0x20000 && cp <= 0x3fffd))
		return 2;
	return 1;
}

size_t text_width(const char *s)
{
	size_t w = 0;

	while (*s) {
		unsigned char c = (unsigned char)*s++;
		uint32_t cp = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;

		for (; !is_first(*s) && *s; s++)
			cp = cp << 6 | ((unsigned char)*s & 0x3f);
		w += char_width(cp);
	}
	return w;
}
