/* tests/bench/load.c - fill a server in pipelined batches and say how long the slowest batch took.
 *
 *     load PORT strings COUNT BATCH    SET of 11-byte keys with 32-byte values
 *     load PORT zset COUNT BATCH       ZADD of 20-byte members to one sorted set, in no order
 *     load PORT publish COUNT BATCH    PUBLISH of 32-byte messages to 100 subscribers, until all have them
 *
 * What redis-benchmark cannot do: exact key and value lengths, each key once, and the slowest round trip. Prints
 * "SECONDS SLOWEST_USEC ERRORS".
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int dial(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		perror("connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int put_string(char *out, uint64_t i)
{
	return sprintf(out,
		       "*3\r\n$3\r\nSET\r\n$11\r\nkey:%07" PRIu64 "\r\n$32\r\n%016" PRIx64
		       "%016" PRIx64 "\r\n",
		       i, mix(i), mix(i + 1));
}

static int put_member(char *out, uint64_t i, uint64_t count)
{
	char score[24];
	/* An odd multiplier that is no factor of the count visits each number once, in no order. */
	uint64_t at = (i * 7368787) % count;
	int n = sprintf(score, "%" PRIu64, mix(at) % 100000000);

	return sprintf(
		out, "*4\r\n$4\r\nZADD\r\n$1\r\nz\r\n$%d\r\n%s\r\n$20\r\nmember:%013" PRIu64 "\r\n",
		n, score, at);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w <= 0) {
			perror("write");
			exit(1);
		}
		p += w;
		n -= (size_t)w;
	}
}

/* Read @want one-line replies; how many of them are errors. */
static uint64_t read_replies(int fd, uint64_t want)
{
	char buf[65536];
	uint64_t errors = 0;
	int at_start = 1;

	while (want) {
		ssize_t r = read(fd, buf, sizeof buf);
		if (r <= 0) {
			perror("read");
			exit(1);
		}
		for (ssize_t i = 0; i < r; i++) {
			if (at_start && buf[i] == '-')
				errors++;
			at_start = buf[i] == '\n';
			want -= at_start && want;
		}
	}
	return errors;
}

/* --- publishing --- */

#define SUBSCRIBERS 100
#define CHANNEL     "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n"
#define CONFIRMED   "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
#define TEXT        "$4\r\nnews\r\n$32\r\n0123456789abcdef0123456789abcdef\r\n"
#define PUBLISH     "*3\r\n$7\r\nPUBLISH\r\n" TEXT
#define MESSAGE     "*3\r\n$7\r\nmessage\r\n" TEXT

/* Read what has come for the subscribers; bytes they all still lack. */
static uint64_t drain(struct pollfd *subscribers, uint64_t *lacking)
{
	static char buf[1 << 18];
	uint64_t sum = 0;

	poll(subscribers, SUBSCRIBERS, 1);
	for (int i = 0; i < SUBSCRIBERS; i++) {
		if (subscribers[i].revents) {
			ssize_t r = read(subscribers[i].fd, buf, sizeof buf);
			if (r <= 0) {
				perror("read");
				exit(1);
			}
			lacking[i] -= (uint64_t)r;
		}
		sum += lacking[i];
	}
	return sum;
}

static void publish(int fd, int port, uint64_t count, uint64_t batch)
{
	struct pollfd subscribers[SUBSCRIBERS];
	uint64_t lacking[SUBSCRIBERS];
	char *out = malloc(batch * sizeof(PUBLISH));

	for (int i = 0; i < SUBSCRIBERS; i++) {
		subscribers[i] = (struct pollfd){.fd = dial(port), .events = POLLIN};
		write_all(subscribers[i].fd, CHANNEL, sizeof(CHANNEL) - 1);
		lacking[i] = sizeof(CONFIRMED) - 1 + count * (sizeof(MESSAGE) - 1);
	}
	/* All are subscribed before the first message. */
	while (drain(subscribers, lacking) > SUBSCRIBERS * count * (sizeof(MESSAGE) - 1))
		;
	uint64_t began = now_ns();
	for (uint64_t i = 0; i < count;) {
		size_t len = 0;
		uint64_t n = count - i < batch ? count - i : batch;
		for (uint64_t j = 0; j < n; j++, i++, len += sizeof(PUBLISH) - 1)
			memcpy(out + len, PUBLISH, sizeof(PUBLISH) - 1);
		write_all(fd, out, len);
		read_replies(fd, n);
		drain(subscribers, lacking);
	}
	while (drain(subscribers, lacking))
		;
	printf("%.3f 0 0\n", (double)(now_ns() - began) / 1e9);
	for (int i = 0; i < SUBSCRIBERS; i++)
		close(subscribers[i].fd);
	free(out);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: load PORT strings|zset|publish COUNT BATCH\n");
		return 2;
	}
	int fd = dial(atoi(argv[1]));
	int zset = strcmp(argv[2], "zset") == 0;
	uint64_t count = strtoull(argv[3], NULL, 10), batch = strtoull(argv[4], NULL, 10);
	if (strcmp(argv[2], "publish") == 0) {
		publish(fd, atoi(argv[1]), count, batch);
		return 0;
	}
	char *out = malloc(batch * 160);
	uint64_t slowest = 0, errors = 0, began = now_ns();

	for (uint64_t i = 0; i < count;) {
		size_t len = 0;
		uint64_t n = count - i < batch ? count - i : batch;
		for (uint64_t j = 0; j < n; j++, i++)
			len += (size_t)(zset ? put_member(out + len, i, count)
					     : put_string(out + len, i));
		uint64_t sent = now_ns();
		write_all(fd, out, len);
		errors += read_replies(fd, n);
		uint64_t took = now_ns() - sent;
		if (took > slowest)
			slowest = took;
	}
	printf("%.3f %.0f %" PRIu64 "\n", (double)(now_ns() - began) / 1e9, (double)slowest / 1e3,
	       errors);
	free(out);
	close(fd);
	return 0;
}
