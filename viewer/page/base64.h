/* base64.h - bytes as text. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_PAGE_BASE64_H
#define VIEWER_PAGE_BASE64_H

#include <stddef.h>

struct buf;

/* Adds len bytes in base64 (RFC 4648, section 4), without line breaks. */
void base64_add(struct buf *b, const unsigned char *s, size_t len);

#endif
