// cpp_answer_slow.cc - a thread waits for an answer that another one works on.
// SPDX-License-Identifier: MIT
// forbid: deadlock stuck
// source: the healthy twin of cpp_semaphores.cc
#include <chrono>
#include <future>
#include <thread>

int main()
{
	std::future<int> answer = std::async(std::launch::async, [] {
		std::this_thread::sleep_for(std::chrono::seconds(60));
		return 0;
	});

	return answer.get();
}
