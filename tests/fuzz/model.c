/* model.c - fuzz the model: any records in any order, and the rows that come of them. */
/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"

#include <stdbool.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t next(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

/* Mostly small numbers, so that records meet each other; now and then an extreme. */
static uint64_t next_number(struct input *in)
{
	static const uint64_t odd[] = {UINT64_MAX, INT64_MAX, UINT32_MAX, INT32_MAX, 1u << 31,
		(uint64_t)INT64_MIN, 0x1000, 0x1028, 0x2000, 202, 61, 65536, 1000000000,
		10000000000, 128, 130};
	uint8_t b = next(in);

	return b < 176 ? b % 22u : odd[b % ARRAY_SIZE(odd)];
}

static void next_text(struct input *in, char *text, size_t size)
{
	size_t n = next(in) % 20;

	for (size_t i = 0; i < n && i < size; i++)
		text[i] = (char)next(in);
}

/* Fills a record of the wanted kind; returns its size, 0 for a kind that does not exist. */
static size_t fill(struct input *in, unsigned kind, void *out)
{
#define NUM(name, meaning) rec->name = next_number(in);
#define TEXT(name, text_size, meaning) next_text(in, rec->name, text_size);
#define EVENT(NAME, name, number, meaning, fields)                                                 \
	case number: {                                                                             \
		struct rec_##NAME *rec = out;                                                      \
		fields return sizeof *rec;                                                         \
	}
	switch (kind) {
#include "schema/events.def"
	default:
		return 0;
	}
#undef EVENT
#undef NUM
#undef TEXT
}

static void feed_one(struct model *m, struct input *in, uint64_t *ts)
{
	union {
		struct rec_head head;
		char room[1024];
	} rec;
	unsigned kind = next(in) % (REC_KIND_END + 1);
	uint8_t who = next(in), step = next(in);
	size_t size;

	memset(&rec, 0, sizeof rec);
	size = fill(in, kind, &rec);
	*ts += step < 250 ? step : (uint64_t)step << (step - 230);
	rec.head = (struct rec_head){.kind = (uint16_t)kind,
		.size = (uint16_t)size,
		.flags = who >> 6,
		.ts = who == 77 ? next_number(in) : *ts,
		.pid = 1 + (who & 3),
		.tid = 1 + (who & 3) + 4 * (who >> 2 & 3)};
	model_feed(m, &rec.head);
	if (step == 249)
		(void)model_flush(m, *ts);
}

static struct store *open_once(void)
{
	static struct store *st;
	char path[] = "/tmp/pptrace-fuzz-XXXXXX", *why = NULL;
	int fd;

	if (st)
		return st;
	fd = mkstemp(path);
	if (fd < 0 || close(fd) < 0 || store_open(path, &st, &why) < 0)
		BUG("cannot make a database");
	(void)unlink(path);
	return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct store *st = open_once();
	struct model_config config = {.t0 = 1000, .tracer_pid = 4, .data_bytes = 32};
	struct model *m = model_new(st, &config);
	uint64_t ts = config.t0;

	while (in.size)
		feed_one(m, &in, &ts);
	(void)model_oldest_wait(m);
	(void)model_finish(m, ts);
	model_free(m);
	/* Each input begins with an empty file. No record may make a statement fail. */
	(void)store_exec(st, "ROLLBACK; BEGIN");
	/* And the transaction is not to end because of the inputs before. */
	(void)store_commit_later(st);
	if (store_error(st)) {
		(void)fprintf(stderr, "%s\n", store_error(st));
		BUG("the database refused a row");
	}
	return 0;
}
