/* runtime_words.c - what people call the objects of a language's library. */
/* SPDX-License-Identifier: MIT */
#include "verdict/runtime_words.h"

#include <string.h>

#include "base/mem.h"

static const struct runtime_words rows[] = {
	{"Lock", "lock", "release it", RUNTIME_KIND_LOCK},
	{"RLock", "lock", "release it", RUNTIME_KIND_LOCK},
	{"_ModuleLock", "import of the module", "finish it", RUNTIME_KIND_LOCK},
	{"GIL", "lock", "release it", RUNTIME_KIND_LOCK},
	{"ReentrantLock", "lock", "unlock it", RUNTIME_KIND_LOCK},
	{"ReentrantReadWriteLock", "read-write lock", "unlock it", RUNTIME_KIND_LOCK},
	{"ReadLock", "read lock", "unlock it", RUNTIME_KIND_LOCK},
	{"WriteLock", "write lock", "unlock it", RUNTIME_KIND_LOCK},
	{"StampedLock", "lock", "unlock it", RUNTIME_KIND_LOCK},
	{"Mutex", "mutex", "unlock it", RUNTIME_KIND_LOCK},
	{"RWMutex", "read-write mutex", "unlock it", RUNTIME_KIND_LOCK},
	{"Class", "initialisation of the class", "finish it", RUNTIME_KIND_LOCK},
	{"Once", "first call of", "return from its Do", RUNTIME_KIND_LOCK},
	{"WaitGroup", "wait group", "call its Done", RUNTIME_KIND_OTHER},
	{"wait", "notification", "send it", RUNTIME_KIND_OTHER}, /* Atomics.wait */
	{"Cond", "condition variable", "signal it", RUNTIME_KIND_OTHER},
	{"chan", "channel", "use its other side", RUNTIME_KIND_OTHER},
	{"select", "channels of a select", "use one of them", RUNTIME_KIND_OTHER},
	{"select {}", "end of an empty select", "never comes", RUNTIME_KIND_NEVER},
	{"nil chan", "nil channel", "nobody can use", RUNTIME_KIND_NEVER},
	{"Condition", "condition", "notify it", RUNTIME_KIND_WORK},
	{"ConditionVariable", "condition variable", "signal it", RUNTIME_KIND_WORK},
	{"ConditionObject", "condition", "signal it", RUNTIME_KIND_WORK},
	{"ConditionNode", "condition", "signal it", RUNTIME_KIND_WORK},
	{"Event", "event", "set it", RUNTIME_KIND_WORK},
	{"Semaphore", "semaphore", "release it", RUNTIME_KIND_OTHER},
	{"BoundedSemaphore", "semaphore", "release it", RUNTIME_KIND_OTHER},
	{"CountDownLatch", "latch", "count it down", RUNTIME_KIND_WORK},
	{"Barrier", "barrier", "arrive at it", RUNTIME_KIND_OTHER},
	{"CyclicBarrier", "barrier", "arrive at it", RUNTIME_KIND_OTHER},
	{"Phaser", "barrier", "arrive at it", RUNTIME_KIND_OTHER},
	{"Exchanger", "exchanger", "arrive at it", RUNTIME_KIND_OTHER},
	{"SimpleQueue", "queue", "put something into it", RUNTIME_KIND_WORK},
	{"Future", "future", "complete it", RUNTIME_KIND_RESULT},
	{"FutureTask", "future", "complete it", RUNTIME_KIND_RESULT},
	{"CompletableFuture", "future", "complete it", RUNTIME_KIND_RESULT},
	{"futures.wait", "futures", "complete them", RUNTIME_KIND_RESULT},
	{"futures.as_completed", "futures", "complete them", RUNTIME_KIND_RESULT},
	{"awaitTermination", "end of the pool", "end it", RUNTIME_KIND_RESULT},
	{"ForkJoinTask", "task", "complete it", RUNTIME_KIND_RESULT},
	{"Stream", "parallel stream", "finish its work", RUNTIME_KIND_RESULT},
	{"IntStream", "parallel stream", "finish its work", RUNTIME_KIND_RESULT},
	{"LongStream", "parallel stream", "finish its work", RUNTIME_KIND_RESULT},
	{"DoubleStream", "parallel stream", "finish its work", RUNTIME_KIND_RESULT},
	{"HttpClient", "response", "send it", RUNTIME_KIND_RESULT},
	{"ApplyResult", "result", "produce it", RUNTIME_KIND_RESULT},
	{"MapResult", "result", "produce it", RUNTIME_KIND_RESULT},
	{"join", "tasks of the queue", "call its task_done", RUNTIME_KIND_WORK}, /* Queue.join */
	{"LockSupport", "permit", "unpark it", RUNTIME_KIND_WORK},
	{"ThreadPoolExecutor", "work queued to the pool", "give it work", RUNTIME_KIND_POOL},
	{"Pool", "results of the pool", "finish its tasks", RUNTIME_KIND_OTHER},
	{"ForkJoinPool", "work queued to the pool", "give it work", RUNTIME_KIND_POOL},
	{"Timer", "work queued to the timer", "give it work", RUNTIME_KIND_POOL},
	{"Thread", "end of thread", "let it end", RUNTIME_KIND_THREAD},
};

static const struct runtime_words queue = {"", "queue", "use its other side", RUNTIME_KIND_WORK};
static const struct runtime_words monitor = {
	"Monitor", "monitor", "release it", RUNTIME_KIND_LOCK}; /* of Ruby */
static const struct runtime_words other = {"", "object", "release it", RUNTIME_KIND_OTHER};

static bool ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

static bool separates(char c)
{
	return c == '.' || c == '$' || c == ':';
}

/* Says whether the name of a type ends with these parts. */
static bool is_called(const char *type, const char *parts)
{
	return ends(type, parts) && strlen(type) > strlen(parts) &&
	       separates(type[strlen(type) - strlen(parts) - 1]);
}

const struct runtime_words *runtime_words(const char *type)
{
	size_t last = strlen(type);
	const struct runtime_words *longest = NULL;

	while (last && !separates(type[last - 1]))
		last--;
	for (size_t i = 0; last && i < ARRAY_SIZE(rows); i++)
		if (is_called(type, rows[i].type) &&
			(!longest || strlen(rows[i].type) > strlen(longest->type)))
			longest = &rows[i];
	if (longest)
		return longest;
	if (!strcmp(type, monitor.type))
		return &monitor;
	/* "Queue", "LinkedBlockingQueue", "PriorityQueue"... */
	return last && (ends(type, "Queue") || ends(type, "Deque")) ? &queue : &other;
}
