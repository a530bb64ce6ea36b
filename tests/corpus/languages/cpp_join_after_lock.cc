/* cpp_join_after_lock.cc - the twin of cpp_join_under_lock: the mutex is given back before the thread is joined. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: Tr3kkR/Yuzu#2349
 */
#include <chrono>
#include <mutex>
#include <thread>

int main()
{
	std::mutex mutex;
	std::unique_lock<std::mutex> lock(mutex);
	std::thread worker([&] {
		std::lock_guard<std::mutex> guard(mutex);
		std::this_thread::sleep_for(std::chrono::seconds(30));
	});

	lock.unlock();
	worker.join();
	return 0;
}
