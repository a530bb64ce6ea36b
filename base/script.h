/* script.h - what an interpreter runs: the script that its arguments name. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_SCRIPT_H
#define BASE_SCRIPT_H

#include <stddef.h>

/*
 * Returns the script, module or file that an interpreter (python, ruby, node) was started with, without its folder; owned
 * by the caller. NULL: path is no interpreter, or what it runs has no name. argv: len bytes, a NUL behind each argument.
 */
char *script_of(const char *path, const char *argv, size_t len);

#endif
