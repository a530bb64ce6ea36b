/* asan.c - programs that are built with AddressSanitizer start all the same. */
/* SPDX-License-Identifier: MIT */

/* As in sanitizer/asan_interface.h, which is not there everywhere. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

/*
 * Its library ends a program in which it is not the first one, and what is preloaded comes before it. That does no
 * harm: the functions that both wrap it finds behind this library. What ASAN_OPTIONS says takes precedence.
 */
const char *__asan_default_options(void)
{
	return "verify_asan_link_order=0";
}
