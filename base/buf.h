/* buf.h - a string that grows. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/banned.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * BUF_INIT is an empty buffer. data is always a NUL-terminated string, never
 * NULL; bytes inside may be anything. buf_done frees what the buffer holds.
 */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

extern char buf_empty[1];

#define BUF_INIT ((struct buf){.data = buf_empty})

void buf_done(struct buf *b);
#define _cleanup_buf_ __attribute__((cleanup(buf_done)))

/* Empties the buffer and keeps its memory. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Returns the text, which the caller frees; the buffer is empty afterwards. */
char *buf_steal(struct buf *b);

/*
 * Adds len bytes as valid printable UTF-8: control characters and bytes that
 * are not UTF-8 become \xNN, newline \n, tab \t, backslash \\; for the
 * terminal and for one-line texts. Bidirectional and other format controls
 * are escaped too, so that hostile names cannot reorder a line.
 */
void buf_add_printable(struct buf *b, const char *s, size_t len);

/*
 * Adds a text that pptrace made, parts of which were made printable when that was done: the same but for backslashes,
 * which stay as they are; with lines also for newlines. The text itself may come from a file that somebody forged.
 */
void buf_add_prose(struct buf *b, const char *s, size_t len, bool lines);

/* Adds a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void buf_add_json(struct buf *b, const char *s, size_t len);

/* Adds text for HTML and XML: & < > " ' escaped, control characters and invalid UTF-8 U+FFFD. */
void buf_add_html(struct buf *b, const char *s, size_t len);

/* Adds a duration in the largest fitting unit with three digits: "1.25 ms", "830 ns", "12.0 s". */
void buf_add_duration(struct buf *b, long long ns);

#endif
