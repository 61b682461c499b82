#include "resp/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum config_supervised supervise_mode(enum config_supervised configured)
{
	if (configured != SUPERVISED_AUTO)
		return configured;
	if (getenv("UPSTART_JOB"))
		return SUPERVISED_UPSTART;
	return getenv("NOTIFY_SOCKET") ? SUPERVISED_SYSTEMD : SUPERVISED_NO;
}

const char *supervise_name(enum config_supervised mode)
{
	switch (mode) {
	case SUPERVISED_NO:
		return "no";
	case SUPERVISED_AUTO:
		return "auto";
	case SUPERVISED_SYSTEMD:
		return "systemd";
	case SUPERVISED_UPSTART:
		return "upstart";
	}
	return "no";
}

/* The socket's address: a path, or an abstract name that begins with '@'. */
static socklen_t notify_address(struct sockaddr_un *addr)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t n = name ? strlen(name) : 0;
	if (n < 2 || n >= sizeof(addr->sun_path) || (name[0] != '/' && name[0] != '@'))
		return 0;
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	memcpy(addr->sun_path, name, n);
	if (name[0] == '@')
		addr->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

bool supervise_notify(const char *state)
{
	struct sockaddr_un addr;
	socklen_t size = notify_address(&addr);
	if (!size) {
		errno = EINVAL;
		return false;
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	size_t n = strlen(state);
	ssize_t sent = sendto(fd, state, n, MSG_NOSIGNAL, (struct sockaddr *)&addr, size);
	int why = errno;
	close(fd);
	errno = why;
	return sent == (ssize_t)n;
}

void supervise_ready(enum config_supervised mode)
{
	if (mode == SUPERVISED_SYSTEMD)
		supervise_notify("STATUS=Ready to accept connections\nREADY=1\n");
	else if (mode == SUPERVISED_UPSTART && getenv("UPSTART_JOB"))
		raise(SIGSTOP);
}

void supervise_stopping(enum config_supervised mode)
{
	if (mode == SUPERVISED_SYSTEMD)
		supervise_notify("STOPPING=1\n");
}
