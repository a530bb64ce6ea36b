/* cpp_join_under_lock.cc - a thread is joined by one that holds the mutex which the thread wants. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: Tr3kkR/Yuzu#2349
 */
#include <chrono>
#include <mutex>
#include <thread>

int main()
{
	std::mutex mutex;
	std::unique_lock<std::mutex> lock(mutex);
	std::thread worker([&] { std::lock_guard<std::mutex> guard(mutex); });

	worker.join();
	return 0;
}
