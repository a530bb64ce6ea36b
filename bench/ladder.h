/* ladder.h - the steps of which recording a system call is made. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef BENCH_LADDER_H
#define BENCH_LADDER_H

/* Each does what those before it do, too. */
enum ladder_step {
	STEP_EMPTY_EXIT, /* a program that does nothing when a call ends */
	STEP_EMPTY,      /* and one when it begins */
	STEP_SLOT,       /* is this thread traced? which call is it in? */
	STEP_TIME,       /* when it began and ended */
	STEP_OBJECT,     /* what the descriptor is */
	STEP_RECORD,     /* a record of it, which a reader gives back unread */
	STEP_DATA,       /* with the first bytes that were moved */
	STEP_READ,       /* which the reader copies, to no end */
	STEP_END
};

#define LADDER_DATA 32

struct ladder_record {
	unsigned long long ended;
	unsigned long long began;
	long long nr;
	long long result;
	unsigned long long object;
	unsigned long long fd;
	char data[LADDER_DATA];
};

#endif
