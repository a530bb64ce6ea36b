/* once_crossed.c - two initialisers each need what the other one sets up. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: apache/nuttx#10752, mattias800/prosper#69
 */
#include <pthread.h>

static pthread_once_t config = PTHREAD_ONCE_INIT, logging = PTHREAD_ONCE_INIT;
static pthread_barrier_t both;

static void nothing(void)
{
}

static void set_up_config(void)
{
	pthread_barrier_wait(&both);
	pthread_once(&logging, nothing);
}

static void set_up_logging(void)
{
	pthread_barrier_wait(&both);
	pthread_once(&config, nothing);
}

static void *log_something(void *arg)
{
	pthread_once(&logging, set_up_logging);
	return arg;
}

int main(void)
{
	pthread_t logger;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&logger, NULL, log_something, NULL);
	pthread_once(&config, set_up_config);
	pthread_join(logger, NULL);
	return 0;
}
