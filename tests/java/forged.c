/* forged.c - a libjvm.so whose tables lie, for tests/e2e/languages/java.sh: -DFORM says how. */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>

/* A row as HotSpot has it. */
struct row {
	const char *type, *field, *string;
	int32_t is_static;
	uint64_t offset;
	void *address;
};

static struct row *circle[2] = {(struct row *)circle, (struct row *)circle};

#if FORM == 1 /* rows without an end: the stride is 0 */
static struct row rows[] = {{"JavaThread", "_osthread", "", 0, 8, 0}};
uint64_t gHotSpotVMStructEntryArrayStride = 0;
#elif FORM == 2 /* offsets and addresses that lead nowhere */
#define ALL(type, field)                                                                           \
	{                                                                                          \
		type, field, "", 0, 0x7fffffffffffff00, (void *)-8                                 \
	}
#define FIXED(type, field, to)                                                                     \
	{                                                                                          \
		type, field, "", 1, 0, to                                                          \
	}
static int32_t version = 17;
static struct row rows[] = {ALL("JavaThread", "_threadObj"), ALL("JavaThread", "_osthread"),
	ALL("JavaThread", "_thread_state"), ALL("JavaThread", "_current_pending_monitor"),
	ALL("JavaThread", "_current_waiting_monitor"), ALL("OSThread", "_thread_id"),
	ALL("ObjectMonitor", "_owner"), ALL("ObjectMonitor", "_object"), ALL("Klass", "_name"),
	ALL("Symbol", "_body[0]"), ALL("Symbol", "_length"),
	FIXED("Abstract_VM_Version", "_vm_major_version", &version),
	FIXED("ThreadsSMRSupport", "_java_thread_list", (void *)-1), {0}};
uint64_t gHotSpotVMStructEntryArrayStride = sizeof(struct row);
#else /* lists and structures that lead in a circle, endless threads */
#define ALL(type, field)                                                                           \
	{                                                                                          \
		type, field, "", 0, 0, 0                                                           \
	}
#define FIXED(type, field, to)                                                                     \
	{                                                                                          \
		type, field, "", 1, 0, to                                                          \
	}
static int32_t version = 11;
static struct row rows[] = {ALL("JavaThread", "_threadObj"), ALL("JavaThread", "_osthread"),
	ALL("JavaThread", "_thread_state"), ALL("JavaThread", "_current_pending_monitor"),
	ALL("JavaThread", "_current_waiting_monitor"), ALL("OSThread", "_thread_id"),
	ALL("ObjectMonitor", "_owner"), ALL("ObjectMonitor", "_object"), ALL("Klass", "_name"),
	ALL("Klass", "_super"), ALL("Klass", "_java_mirror"), ALL("InstanceKlass", "_constants"),
	ALL("InstanceKlass", "_fields"), ALL("InstanceKlass", "_java_fields_count"),
	ALL("Symbol", "_body[0]"), ALL("Symbol", "_length"), ALL("JavaThread", "_next"),
	ALL("JavaThread", "_anchor"), ALL("JavaFrameAnchor", "_last_Java_sp"),
	FIXED("Abstract_VM_Version", "_vm_major_version", &version),
	FIXED("Threads", "_thread_list", circle), {0}};
uint64_t gHotSpotVMStructEntryArrayStride = sizeof(struct row);
#endif

static struct {
	const char *name;
	int32_t value;
} numbers[] = {{"_thread_blocked", 10}, {0}};
static struct {
	const char *name;
	uint64_t size;
} types[] = {{"ConstMethod", UINT64_MAX}, {0}};

void *gHotSpotVMStructs = rows, *gHotSpotVMTypes = types, *gHotSpotVMIntConstants = numbers;
uint64_t gHotSpotVMStructEntryTypeNameOffset = 0, gHotSpotVMStructEntryFieldNameOffset = 8,
	 gHotSpotVMStructEntryIsStaticOffset = 24, gHotSpotVMStructEntryOffsetOffset = 32,
	 gHotSpotVMStructEntryAddressOffset = 40, gHotSpotVMTypeEntryArrayStride = 16,
	 gHotSpotVMTypeEntryTypeNameOffset = 0, gHotSpotVMTypeEntrySizeOffset = 8,
	 gHotSpotVMIntConstantEntryArrayStride = 16, gHotSpotVMIntConstantEntryNameOffset = 0,
	 gHotSpotVMIntConstantEntryValueOffset = 8;
/* So that each form uses it. */
void *forged_circle = circle;
