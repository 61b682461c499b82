/* Supervision: what the notification socket hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "resp/supervise.h"

static int listen_at(const char *name, size_t n)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	memcpy(addr.sun_path, name, n);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, size), 0);
	return fd;
}

static void assert_heard(int fd, const char *text)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	assert_true(n >= 0);
	buf[n] = '\0';
	assert_string_equal(buf, text);
}

static void readiness_reaches_a_socket_by_path(void **state)
{
	(void)state;
	char path[64];
	snprintf(path, sizeof(path), "/tmp/inodis-notify-%d", (int)getpid());
	unlink(path);
	int fd = listen_at(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	supervise_ready(SUPERVISED_SYSTEMD);
	assert_heard(fd, "STATUS=Ready to accept connections\nREADY=1\n");
	supervise_stopping(SUPERVISED_SYSTEMD);
	assert_heard(fd, "STOPPING=1\n");
	close(fd);
	unlink(path);
}

static void an_abstract_socket_is_reached_too(void **state)
{
	(void)state;
	char name[64];
	snprintf(name, sizeof(name), "@inodis-notify-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	int fd = listen_at(name, 1 + strlen(name + 1));
	assert_true(supervise_notify("READY=1"));
	assert_heard(fd, "READY=1");
	close(fd);
}

static void a_socket_that_is_not_there_is_said_and_harmless(void **state)
{
	(void)state;
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	assert_false(supervise_notify("READY=1"));
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_false(supervise_notify("READY=1"));
	unsetenv("NOTIFY_SOCKET");
	assert_false(supervise_notify("READY=1"));
}

static void auto_follows_the_environment(void **state)
{
	(void)state;
	unsetenv("UPSTART_JOB");
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(supervise_mode(SUPERVISED_AUTO), SUPERVISED_NO);
	setenv("NOTIFY_SOCKET", "/run/x", 1);
	assert_int_equal(supervise_mode(SUPERVISED_AUTO), SUPERVISED_SYSTEMD);
	assert_int_equal(supervise_mode(SUPERVISED_NO), SUPERVISED_NO);
	unsetenv("NOTIFY_SOCKET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readiness_reaches_a_socket_by_path),
		cmocka_unit_test(an_abstract_socket_is_reached_too),
		cmocka_unit_test(a_socket_that_is_not_there_is_said_and_harmless),
		cmocka_unit_test(auto_follows_the_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
