/* buf.c - a string that grows. */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"

#include <stdint.h>

char buf_empty[1];

void buf_done(struct buf *b)
{
	if (b->data != buf_empty)
		free(b->data);
	*b = BUF_INIT;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data != buf_empty)
		b->data[0] = '\0';
}

static void reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;

	if (need <= b->cap)
		return;
	if (need < b->cap * 2)
		need = b->cap * 2;
	if (need < 64)
		need = 64;
	b->data = xreallocarray(b->data == buf_empty ? NULL : b->data, need, 1);
	b->cap = need;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!len)
		return;
	reserve(b, len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len > 0) {
		reserve(b, (size_t)len);
		(void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

char *buf_steal(struct buf *b)
{
	char *s = b->data == buf_empty ? xcalloc(1, 1) : b->data;

	*b = BUF_INIT;
	return s;
}

/* The length that the first byte of a UTF-8 character tells; 0 if it can be none. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if ((first & 0xe0) == 0xc0)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return (first & 0xf8) == 0xf0 ? 4 : 0;
}

/*
 * Decodes one UTF-8 character of at most len bytes. Returns its length and
 * sets *ret_cp, or 0 if the bytes are not well-formed (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF).
 */
static size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *ret_cp)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char bits[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t n = utf8_length(s[0]);
	uint32_t cp = s[0] & bits[n];

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return n;
}

/* Says whether a code point could change how the text around it is shown. */
static bool is_format_control(uint32_t cp)
{
	return (cp >= 0x7f && cp < 0xa0) || cp == 0x061c || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xfff9 && cp <= 0xfffb) || (cp >= 0xe0000 && cp <= 0xe007f);
}

void buf_add_printable(struct buf *b, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];
		uint32_t cp = 0;

		n = utf8_decode((const unsigned char *)s + i, len - i, &cp);
		if (n == 0) {
			buf_addf(b, "\\x%02x", c);
			n = 1;
		} else if (c == '\n') {
			buf_adds(b, "\\n");
		} else if (c == '\t') {
			buf_adds(b, "\\t");
		} else if (c == '\\') {
			buf_adds(b, "\\\\");
		} else if (c < 0x20) {
			buf_addf(b, "\\x%02x", c);
		} else if (is_format_control(cp)) {
			for (size_t k = 0; k < n; k++)
				buf_addf(b, "\\x%02x", (unsigned char)s[i + k]);
		} else {
			buf_add(b, s + i, n);
		}
	}
}

void buf_add_prose(struct buf *b, const char *s, size_t len, bool lines)
{
	const char *end = s + len;

	while (s < end) {
		const char *from = s;

		while (s < end && *s != '\\' && (*s != '\n' || !lines))
			s++;
		buf_add_printable(b, from, (size_t)(s - from));
		if (s < end)
			buf_addc(b, *s++);
	}
}

void buf_add_json(struct buf *b, const char *s, size_t len)
{
	buf_addc(b, '"');
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];
		uint32_t cp = 0;

		n = utf8_decode((const unsigned char *)s + i, len - i, &cp);
		if (n == 0) {
			buf_adds(b, "\xef\xbf\xbd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_addf(b, "\\%c", c);
		} else if (c < 0x20 || cp == 0x7f) {
			buf_addf(b, "\\u%04x", c);
		} else {
			buf_add(b, s + i, n);
		}
	}
	buf_addc(b, '"');
}

void buf_add_html(struct buf *b, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];
		uint32_t cp = 0;

		n = utf8_decode((const unsigned char *)s + i, len - i, &cp);
		if (n == 0 || (c < 0x20 && c != '\n' && c != '\t') || is_format_control(cp) ||
			(cp & 0xfffe) == 0xfffe) {
			buf_adds(b, "\xef\xbf\xbd");
			n = n ? n : 1;
		} else if (c == '&') {
			buf_adds(b, "&amp;");
		} else if (c == '<') {
			buf_adds(b, "&lt;");
		} else if (c == '>') {
			buf_adds(b, "&gt;");
		} else if (c == '"') {
			buf_adds(b, "&quot;");
		} else if (c == '\'') {
			buf_adds(b, "&#39;");
		} else {
			buf_add(b, s + i, n);
		}
	}
}

void buf_add_duration(struct buf *b, long long ns)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}};
	double t = (double)ns;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		double v = t / units[i].ns, size = v < 0 ? -v : v;

		/* What would be rounded to 1000 ms is 1.00 s, to 10.00 s 10.0 s. */
		if (size >= 0.9995) {
			buf_addf(b, "%.*f %s",
				size < 9.995   ? 2
				: size < 99.95 ? 1
					       : 0,
				v, units[i].unit);
			return;
		}
	}
	buf_addf(b, "%lld ns", ns);
}
