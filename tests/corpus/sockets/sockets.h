/* sockets.h - connections that the programs of the corpus hang on, or do not. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_SOCKETS_H
#define TESTS_CORPUS_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a server listens. */
struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} addr;
	socklen_t len;
};

static inline void need(int rc, const char *what)
{
	if (rc >= 0)
		return;
	printf("skip: %s cannot be had here\n", what);
	fflush(stdout);
	_exit(0);
}

static inline struct place place_tcp(void)
{
	struct place p = {.len = sizeof p.addr.in};

	p.addr.in.sin_family = AF_INET;
	p.addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return p;
}

static inline struct place place_tcp6(void)
{
	struct place p = {.len = sizeof p.addr.in6};

	p.addr.in6.sin6_family = AF_INET6;
	p.addr.in6.sin6_addr = in6addr_loopback;
	return p;
}

/* A socket file in the folder that the program runs in; or a name without a file. */
static inline struct place place_unix(int abstract)
{
	struct place p = {.addr.un.sun_family = AF_UNIX};
	char *name = p.addr.un.sun_path + !!abstract;

	(void)snprintf(name, sizeof p.addr.un.sun_path - 1, "pptrace-%d.socket", (int)getpid());
	p.len = (socklen_t)(sizeof p.addr.un.sun_family + strlen(name) + 1);
	unlink(name);
	return p;
}

/* Listens there, and notes which port was given. */
static inline int listen_at(struct place *p)
{
	int fd = socket(p->addr.any.sa_family, SOCK_STREAM, 0);

	need(fd, "a socket");
	need(bind(fd, &p->addr.any, p->len), "the address");
	need(listen(fd, 4), "listen");
	need(getsockname(fd, &p->addr.any, &p->len), "the name");
	return fd;
}

static inline int connect_to(const struct place *p)
{
	int fd = socket(p->addr.any.sa_family, SOCK_STREAM, 0);

	need(connect(fd, &p->addr.any, p->len), "a connection");
	return fd;
}

/* Runs a client and a server at the two ends of one connection, and waits for the client. */
static inline int talk(struct place p, void (*client)(int fd), void (*server)(int fd))
{
	int listener = listen_at(&p), fd;

	if (fork() == 0) {
		close(listener);
		client(connect_to(&p));
		_exit(0);
	}
	fd = accept(listener, NULL, NULL);
	close(listener);
	server(fd);
	close(fd);
	wait(NULL);
	return 0;
}

/* Waits for an answer. */
static inline void receive(int fd)
{
	char byte;

	(void)!recv(fd, &byte, 1, 0);
}

static inline void take_note(int signo)
{
	(void)signo;
}

/* Asks a thread of its own over TCP, which gets the listening socket, with a handler of SIGINT in place. */
static inline int ask_oneself(void *(*serve)(void *listener))
{
	struct place p = place_tcp();
	int listener = listen_at(&p);
	pthread_t server;

	(void)signal(SIGINT, take_note);
	pthread_create(&server, NULL, serve, &listener);
	receive(connect_to(&p));
	return 0;
}

/* Sends until nothing fits any more, and on. */
static inline void pour(int fd)
{
	static char block[65536];

	while (send(fd, block, sizeof block, MSG_NOSIGNAL) > 0)
		;
}

#endif
