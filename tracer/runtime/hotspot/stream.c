/* stream.c - numbers as HotSpot compresses them, and its tables of source lines. */
/* SPDX-License-Identifier: MIT */
/*
 * UNSIGNED5 (src/hotspot/share/utilities/unsigned5.hpp): a byte below L ends a
 * number, each one counts 64 times as much as the one before it. Up to Java 19
 * L is 192; from 20 on every byte is one more, and L 191, so that none is 0.
 */
#include "tracer/runtime/hotspot/hotspot.h"

enum { LONGEST = 5, SHIFT = 6, LONG_BYTES = 64 };

static uint8_t next_byte(struct hotspot_stream *s)
{
	if (s->at < s->len)
		return s->bytes[s->at++];
	s->failed = true;
	return 0;
}

uint32_t hotspot_stream_next(struct hotspot_stream *s)
{
	uint32_t sum = 0, low = 256 - LONG_BYTES - s->excess;

	for (unsigned i = 0; i < LONGEST; i++) {
		uint32_t byte = (uint32_t)next_byte(s) - s->excess;

		sum += byte << (SHIFT * i);
		if (s->failed || byte < low || byte > 255)
			break;
	}
	return s->failed ? 0 : sum;
}

static int32_t next_signed(struct hotspot_stream *s)
{
	uint32_t n = hotspot_stream_next(s);

	return (int32_t)(n >> 1 ^ (0 - (n & 1)));
}

/* The table (CompressedLineNumberReadStream): pairs of steps, a small one in a byte, 0xff before a large one, 0 at the end. */
int hotspot_line(const struct hotspot_method *method, int bci, int version)
{
	struct hotspot_stream s = {
		.bytes = method->lines, .len = method->n_lines, .excess = version >= 20};
	uint32_t at = 0, line = 0, best = 0, best_at = 0;

	if (bci < 0)
		return 0;
	for (uint8_t byte; (byte = next_byte(&s)) != 0 && !s.failed;) {
		if (byte == 0xff) {
			at += (uint32_t)next_signed(&s);
			line += (uint32_t)next_signed(&s);
		} else {
			at += byte >> 3;
			line += byte & 7;
		}
		if (s.failed || at > (uint32_t)bci || (best && at < best_at))
			continue;
		best = line;
		best_at = at;
		if (at == (uint32_t)bci)
			break;
	}
	return best <= INT32_MAX ? (int)best : 0;
}
