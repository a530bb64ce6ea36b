/* text.h - printable UTF-8 texts, cut and measured. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

/* Returns s cut to at most max characters (not bytes), with an ellipsis in the middle if it was longer. The caller frees it. */
char *text_fit(const char *s, size_t max);

/* Returns the number of columns that a printable UTF-8 text takes in a terminal. */
size_t text_width(const char *s);

#endif
