/* ring.h - read the ring buffer that eBPF programs fill. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_RING_H
#define TRACER_EBPF_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/source.h"

/*
 * Reads the kernel's memory directly: unlike libbpf's reader it can say up to
 * which time everything has been seen.
 */
struct ebpf_ring;

/*
 * How room for records is shared out: the near ring is what the processors' caches hold, the far one takes
 * what finds no room there.
 */
struct ebpf_room {
	size_t near, far;
};

/* Returns how so many bytes, a power of two, are shared out. */
struct ebpf_room ebpf_room_of(size_t bytes);

/* Maps the ring of the map fd with size bytes. Returns 0 and *ret, freed with ebpf_ring_free; or -errno. */
int ebpf_ring_new(int fd, size_t size, struct ebpf_ring **ret);
void ebpf_ring_free(struct ebpf_ring *r);

/* Returns how many bytes are unread. */
size_t ebpf_ring_unread(const struct ebpf_ring *r);

/* Says whether there are records that could not be mapped. */
bool ebpf_ring_is_stuck(const struct ebpf_ring *r);

/* Hands over all finished records. Returns a time (CLOCK_MONOTONIC, ns) up to which none is outstanding. */
uint64_t ebpf_ring_drain(struct ebpf_ring *r, source_emit *emit, void *arg);

#endif
