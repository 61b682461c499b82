/* tests/bench/during.c - what clients feel while a server is busy otherwise: paced writes, and reads one at a time.
 *
 *     during PORT KEYS RATE      until standard input ends
 *
 * RATE SETs a second of random keys out of KEYS (load.c's) go over one connection, a millisecond's worth at a time; over another one GET
 * follows the other. Prints "WRITES_A_SECOND READS P50_US P99_US P999_US MAX_US".
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port;
static uint64_t keys, rate;
static volatile int over;
static double written;

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		perror("connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void need(ssize_t n, const char *what)
{
	if (n <= 0) {
		perror(what);
		exit(1);
	}
}

static void *write_paced(void *arg)
{
	int fd = dial();
	uint64_t began = now_ns(), sent = 0, answered = 0, seed = began;
	char *out = malloc(rate / 100 * 100 + 100), in[65536];

	(void)arg;
	while (!over) {
		uint64_t due = (now_ns() - began) * rate / 1000000000, n = due - sent;
		size_t len = 0;
		/* A server that is behind is not given more than it answers. */
		if (sent - answered > rate / 100)
			n = 0;
		if (n > rate / 1000)
			n = rate / 1000;
		for (uint64_t i = 0; i < n; i++, seed++)
			len += (size_t)sprintf(out + len,
					       "*3\r\n$3\r\nSET\r\n$11\r\nkey:%07" PRIu64
					       "\r\n$32\r\n%016" PRIx64 "%016" PRIx64 "\r\n",
					       mix(seed) % keys, seed, seed);
		for (size_t at = 0; at < len;) {
			ssize_t w = write(fd, out + at, len - at);
			need(w, "write");
			at += (size_t)w;
		}
		sent += n;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		while (poll(&p, 1, n ? 0 : 1) > 0) {
			ssize_t r = read(fd, in, sizeof in);
			need(r, "read");
			for (ssize_t i = 0; i < r; i++)
				answered += in[i] == '\n';
		}
	}
	written = (double)answered / ((double)(now_ns() - began) / 1e9);
	free(out);
	close(fd);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static uint64_t *took;
static size_t count, room;

static void *read_one_by_one(void *arg)
{
	int fd = dial();
	uint64_t seed = now_ns();
	char out[64], in[256];

	(void)arg;
	while (!over) {
		int len = sprintf(out, "*2\r\n$3\r\nGET\r\n$11\r\nkey:%07" PRIu64 "\r\n",
				  mix(++seed) % keys);
		uint64_t began = now_ns();
		need(write(fd, out, (size_t)len), "write");
		need(read(fd, in, sizeof in), "read");
		if (count == room)
			took = realloc(took, (room = room * 2 + 4096) * sizeof(*took));
		took[count++] = now_ns() - began;
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t writer, reader;
	char byte;

	if (argc != 4) {
		fprintf(stderr, "usage: during PORT KEYS RATE\n");
		return 2;
	}
	port = atoi(argv[1]);
	keys = strtoull(argv[2], NULL, 10);
	rate = strtoull(argv[3], NULL, 10);
	pthread_create(&writer, NULL, write_paced, NULL);
	pthread_create(&reader, NULL, read_one_by_one, NULL);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	over = 1;
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	if (count == 0)
		return 1;
	qsort(took, count, sizeof(*took), by_size);
	printf("%.0f %zu %.1f %.1f %.1f %.1f\n", written, count, (double)took[count / 2] / 1e3,
	       (double)took[count * 99 / 100] / 1e3, (double)took[count * 999 / 1000] / 1e3,
	       (double)took[count - 1] / 1e3);
	free(took);
	return 0;
}
