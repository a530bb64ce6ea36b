/* deadlock-self.c - a function locks what its caller has locked already. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

#include <pthread.h>

static pthread_mutex_t account_lock = PTHREAD_MUTEX_INITIALIZER;
static bool fixed = false;
static int balance = 0;

static void deposit(int amount, bool is_locked)
{
	if (!is_locked)
		pthread_mutex_lock(&account_lock);
	balance += amount;
	if (!is_locked)
		pthread_mutex_unlock(&account_lock);
}

int main(int argc, char **argv)
{
	struct demo_option options[] = {
		{"--fixed", "tell the inner function that the lock is held", .flag = &fixed},
		{0},
	};

	demo_options(argc, argv, "", options);
	pthread_mutex_lock(&account_lock);
	deposit(10, fixed);
	pthread_mutex_unlock(&account_lock);
	printf("balance %d\n", balance);
	return 0;
}
