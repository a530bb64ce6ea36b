/* source.h - what the path of a source file, as a compiler writes it, says of it. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdbool.h>

/* Says whether it is a header of the system or of C++'s library. */
bool source_is_header(const char *file);

#endif
