/* record_dump.c - records as lines of text, made from the list of their kinds. */
/* SPDX-License-Identifier: MIT */
#include "schema/record_dump.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/record.h"

struct field {
	const char *name;
	size_t size; /* of a text; 0: number */
};

#define NUM(name, meaning) {#name, 0},
#define TEXT(name, size, meaning) {#name, size},
#define EVENT(NAME, name, number, meaning, fields)                                                 \
	static const struct field fields_##NAME[] = {fields};
#include "schema/events.def"
#undef EVENT
#undef NUM
#undef TEXT

struct kind {
	const char *name;
	size_t size;
	size_t n_fields;
	const struct field *fields;
};

static const struct kind kinds[REC_KIND_END] = {
#define EVENT(NAME, name, number, meaning, fields)                                                 \
	[number] = {#NAME, sizeof(struct rec_##NAME), ARRAY_SIZE(fields_##NAME), fields_##NAME},
#include "schema/events.def"
#undef EVENT
};

static const char *const flag_names[] = {"cut", "unread", "shim", "snap", "compat"};

const char *record_name(unsigned kind)
{
	return kind < REC_KIND_END && kinds[kind].name ? kinds[kind].name : "UNKNOWN";
}

size_t record_size(unsigned kind)
{
	return kind < REC_KIND_END ? kinds[kind].size : 0;
}

/* Texts end at their first NUL, but for those whose length another field says. */
static size_t text_length(const struct rec_head *rec, const char *text, size_t size)
{
	size_t len = 0;

	if (rec->kind == REC_MORE)
		len = ((const struct rec_MORE *)rec)->len;
	else if (rec->kind == REC_PIPE_IO)
		len = ((const struct rec_PIPE_IO *)rec)->data_len;
	else if (rec->kind == REC_WAIT_BEGIN)
		len = ((const struct rec_WAIT_BEGIN *)rec)->words_valid;
	else
		return strnlen(text, size);
	return len < size ? len : size;
}

static void dump_number(struct buf *b, const char *name, const char *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof v);
	if (!v)
		return;
	if ((int64_t)v < 0 && (int64_t)v > -4096)
		buf_addf(b, " %s=%" PRId64, name, (int64_t)v);
	else if (v >> 32)
		buf_addf(b, " %s=0x%" PRIx64, name, v);
	else
		buf_addf(b, " %s=%" PRIu64, name, v);
}

void record_dump(struct buf *b, const struct rec_head *rec)
{
	const struct kind *k = rec->kind < REC_KIND_END ? &kinds[rec->kind] : NULL;
	const char *at = (const char *)(rec + 1), *end = (const char *)rec + rec->size;

	buf_addf(b, "%" PRIu64 ".%09" PRIu64 " %u %u %s", rec->ts / 1000000000,
		rec->ts % 1000000000, rec->pid, rec->tid, record_name(rec->kind));
	for (size_t i = 0; k && i < k->n_fields; i++) {
		const struct field *f = &k->fields[i];
		size_t size = f->size ? f->size : sizeof(uint64_t), len;

		if ((size_t)(end - at) < size)
			break;
		if (!f->size) {
			dump_number(b, f->name, at);
		} else if ((len = text_length(rec, at, size)) > 0) {
			buf_addf(b, " %s=\"", f->name);
			buf_add_printable(b, at, len);
			buf_addc(b, '"');
		}
		at += size;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (rec->flags & (1u << i))
			buf_addf(b, " [%s]", flag_names[i]);
}
