/* forged.c - a libpython whose memory lies, for tests/e2e/languages/python.sh: -DVERSION says of which release, -DCOOKIE that it tells its sizes. */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#ifdef VERSION
/* Every list that begins here leads back to its beginning: threads, frames, interpreters and types without an end. */
void *_PyRuntime[1 << 16];
unsigned long Py_Version = (unsigned long)VERSION << 16;

__attribute__((constructor)) static void fill(void)
{
	for (unsigned i = 0; i < sizeof _PyRuntime / sizeof *_PyRuntime; i++)
		_PyRuntime[i] = _PyRuntime;
#ifdef COOKIE
	memcpy(_PyRuntime, "xdebugpy", 8);
	_PyRuntime[1] = (void *)Py_Version;
	_PyRuntime[2] = (void *)(uintptr_t)COOKIE;
#endif
}
#endif

void PyThread_acquire_lock(void);
void PyThread_acquire_lock(void)
{
}
