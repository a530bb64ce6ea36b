/* text.h - printable UTF-8 texts, cut and measured. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

/* Returns s cut to at most max columns, with an ellipsis in the middle if it was longer. The caller frees it. */
char *text_fit(const char *s, size_t max);

/*
 * Returns the number of columns that a printable UTF-8 text takes in a terminal: two for what East Asian fonts draw
 * wide and for emoji, none for combining marks.
 */
size_t text_width(const char *s);

/* Returns the bytes of the first character of a text, with the marks over it, and its columns; 0 at the end. At most TEXT_CHAR_MAX. */
enum { TEXT_CHAR_MAX = 20 };
size_t text_char(const char *s, size_t *ret_width);

#endif
