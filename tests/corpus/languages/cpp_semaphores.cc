// cpp_semaphores.cc - two threads each wait for the semaphore that the other one would release afterwards.
// SPDX-License-Identifier: MIT
// expect: deadlock
// source: https://en.cppreference.com/w/cpp/thread/condition_variable/wait: the notification that each waits for comes after its own wait
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

class semaphore {
public:
	void release()
	{
		std::lock_guard<std::mutex> guard(mutex_);
		count_++;
		changed_.notify_one();
	}

	void acquire()
	{
		std::unique_lock<std::mutex> guard(mutex_);
		changed_.wait(guard, [this] { return count_ > 0; });
		count_--;
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	int count_ = 0;
};

semaphore request, answer;

} // namespace

int main()
{
	std::thread server([] {
		request.acquire();
		answer.release();
	});

	answer.acquire();
	request.release();
	server.join();
	return 0;
}
