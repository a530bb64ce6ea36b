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

struct range {
	uint32_t from, to;
};

static bool is_within(uint32_t c, const struct range *ranges, size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (ranges[mid].to < c)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && ranges[low].from <= c;
}

/* Marks that are drawn over the character before them, and what only steers how others are drawn: of the scripts that have most readers. */
static const struct range none[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x5bf, 0x5bf},
	{0x5c1, 0x5c2}, {0x5c4, 0x5c5}, {0x5c7, 0x5c7}, {0x610, 0x61a}, {0x61c, 0x61c},
	{0x64b, 0x65f}, {0x670, 0x670}, {0x6d6, 0x6dc}, {0x6df, 0x6e4}, {0x6e7, 0x6e8},
	{0x6ea, 0x6ed}, {0x900, 0x902}, {0x93a, 0x93a}, {0x93c, 0x93c}, {0x941, 0x948},
	{0x94d, 0x94d}, {0x951, 0x957}, {0x962, 0x963}, {0xe31, 0xe31}, {0xe34, 0xe3a},
	{0xe47, 0xe4e}, {0x1160, 0x11ff}, {0x1ab0, 0x1ace}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
	{0x202a, 0x202e}, {0x2060, 0x206f}, {0x20d0, 0x20f0}, {0x302a, 0x302d}, {0x3099, 0x309a},
	{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0001, 0xe01ef}};

/* What East Asian fonts draw as wide as high, and emoji. */
static const struct range two[] = {{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a},
	{0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3}, {0x25fd, 0x25fe}, {0x2614, 0x2615},
	{0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab},
	{0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea},
	{0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705},
	{0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755},
	{0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c},
	{0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0x4dbf}, {0x4e00, 0xa4cf},
	{0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f},
	{0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x1b2fb}, {0x1f004, 0x1f004},
	{0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320},
	{0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca},
	{0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e},
	{0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
	{0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4},
	{0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2},
	{0x1f6d5, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0},
	{0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff},
	{0x20000, 0x3fffd}};

/* More marks than that over one character take columns, so that a text of few columns is also one of few bytes. */
enum { MARKS_MAX = 4 };

/* Returns the columns of the character at *s, of which marks went before, and goes on to the next one. */
static size_t next_char(const char **s, unsigned *marks)
{
	unsigned char c = (unsigned char)*(*s)++;
	uint32_t cp = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;

	for (; !is_first(**s) && **s; (*s)++)
		cp = cp << 6 | ((unsigned char)**s & 0x3f);
	if (cp >= none[0].from && *marks < MARKS_MAX && is_within(cp, none, ARRAY_SIZE(none))) {
		(*marks)++;
		return 0;
	}
	*marks = 0;
	return cp >= two[0].from && is_within(cp, two, ARRAY_SIZE(two)) ? 2 : 1;
}

/* Returns the end of what fits into some columns, with the marks over its last character. */
static const char *after(const char *s, size_t columns)
{
	const char *next = s;
	unsigned marks = 0;

	for (; *s; s = next) {
		size_t w = next_char(&next, &marks);

		if (w > columns)
			break;
		columns -= w;
	}
	return s;
}

size_t text_char(const char *s, size_t *ret_width)
{
	const char *end = s, *next = s;
	unsigned marks = 0;

	*ret_width = *s ? next_char(&next, &marks) : 0;
	do
		end = next;
	while (*end && next_char(&next, &marks) == 0);
	return (size_t)(end - s);
}

size_t text_width(const char *s)
{
	unsigned marks = 0;
	size_t w = 0;

	while (*s)
		w += next_char(&s, &marks);
	return w;
}

/* Returns where the last part of s begins that fits into some columns; width: that of s. */
static const char *before(const char *s, size_t width, size_t columns)
{
	const char *next = s;
	unsigned marks = 0;

	for (; *s; s = next) {
		size_t w = next_char(&next, &marks);

		if (w > 0 && width <= columns)
			break;
		width -= w;
	}
	return s;
}

char *text_fit(const char *s, size_t max)
{
	size_t w = text_width(s), head;

	if (w <= max)
		return xstrdup(s);
	if (max < 4)
		return xstrndup(s, (size_t)(after(s, max) - s));
	head = (max - 1) * 2 / 3;
	return xasprintf(
		"%.*s\xe2\x80\xa6%s", (int)(after(s, head) - s), s, before(s, w, max - 1 - head));
}
