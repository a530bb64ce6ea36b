/* base64.c - bytes as text. */
/* SPDX-License-Identifier: MIT */
#include "viewer/page/base64.h"

#include <stdint.h>

#include "base/buf.h"

void base64_add(struct buf *b, const unsigned char *s, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < len ? (uint32_t)s[i + 1] << 8 : 0) |
			     (i + 2 < len ? s[i + 2] : 0);

		buf_addc(b, digits[v >> 18]);
		buf_addc(b, digits[v >> 12 & 63]);
		buf_addc(b, i + 1 < len ? digits[v >> 6 & 63] : '=');
		buf_addc(b, i + 2 < len ? digits[v & 63] : '=');
	}
}
