/* trace_note.h - say what a recording lacks before anybody trusts it. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_TRACE_NOTE_H
#define CLI_COMMON_TRACE_NOTE_H

struct sqlite3;

/*
 * Says on stderr that events were lost and that the recording is not complete,
 * where that is so; with --verbose also its blind spots. Every command that
 * reads a trace calls it once, after it has opened the file.
 */
void trace_note(struct sqlite3 *db, const char *path);

/* Opens the trace for reading, or dies; then as trace_note. The caller closes it. */
struct sqlite3 *trace_open(const char *path);

/* The same, where other commands than "why" and "run" deal with a process or a program that is named instead of a recording. */
struct sqlite3 *trace_open_or(const char *path, const char *of_process, const char *of_program);

/* Returns the trace that the operands name: at most one, else pptrace.db; NULL after a message. */
const char *trace_operand(const char *command, int argc, char **argv);

#endif
