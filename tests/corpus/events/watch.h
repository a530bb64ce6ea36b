/* watch.h - a folder of one's own in which inotify tells of new files. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_WATCH_H
#define TESTS_CORPUS_WATCH_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody else makes files in there, as who is told what a program prints does beside it. */
#define FOLDER "watched"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int events;

static inline void watch_here(void)
{
	events = inotify_init1(IN_CLOEXEC);
	if (events < 0 || mkdir(FOLDER, 0700) != 0 ||
		inotify_add_watch(events, FOLDER, IN_CREATE) < 0) {
		printf("skip: inotify cannot be had here\n");
		fflush(stdout);
		_exit(0);
	}
}

static inline void next_event(void)
{
	char event[4096];

	if (read(events, event, sizeof event) < 0)
		_exit(1);
}

#endif
