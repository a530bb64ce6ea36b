/* dwarf_text.h - names in debugging information that may be damaged. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SYMBOLS_DWARF_TEXT_H
#define TRACER_SYMBOLS_DWARF_TEXT_H

#include <elfutils/libdw.h>

/*
 * Returns the text of an attribute of die (DW_AT_name, ...), or of what that one refers to for it, or NULL: there is none, or it does not
 * end within its section, which libdw (0.188) leaves to whoever asks. It is valid as long as the debugging information.
 */
const char *dwarf_text(Dwarf_Die *die, unsigned attribute);

#endif
