/* resp/config/apply.c - what a changed value does to a running server. Part of directive.h. */
#include <sys/resource.h>

#include "resp/acl/acl.h"
#include "resp/config/directive.h"
#include "resp/events.h"
#include "resp/insight/crash.h"
#include "resp/net/network.h"
#include "resp/persist/aof/aof.h"
#include "resp/persist/snapshot.h"
#include "resp/pressure.h"
#include "resp/process.h"
#include "resp/scripts/scripts.h"
#include "resp/server.h"
#include "resp/session.h"
#include "store/base/mem.h"

/* Descriptors that are not clients: the log, the listeners, epoll, the mount. */
#define FDS_RESERVED 32

#define HZ_MAX      500
#define BACKLOG_MIN 16384

bool apply_policy(struct server *s, struct config_error *err)
{
	(void)err;
	server_apply_config(s);
	return true;
}

/* A server that has not begun gets its hooks when it does. */
bool apply_events(struct server *s, struct config_error *err)
{
	(void)err;
	if (s->keyspace)
		events_apply_config(s);
	return true;
}

bool apply_scripts(struct server *s, struct config_error *err)
{
	(void)err;
	if (s->scripts)
		scripts_apply_config(s->scripts);
	return true;
}

/* Out of bounds is fitted, not refused, as Redis has it. */
bool apply_hz(struct server *s, struct config_error *err)
{
	(void)err;
	if (s->config.hz < 1)
		s->config.hz = 1;
	if (s->config.hz > HZ_MAX)
		s->config.hz = HZ_MAX;
	return true;
}

/* The backlog is to come; its size is fitted as Redis fits it. */
bool apply_backlog(struct server *s, struct config_error *err)
{
	(void)err;
	if (s->config.repl_backlog_size < BACKLOG_MIN)
		s->config.repl_backlog_size = BACKLOG_MIN;
	return true;
}

bool apply_port(struct server *s, struct config_error *err)
{
	if (s->network && network_rebind(s->network) < 0)
		return config_refuse(err, "Unable to listen on this port. Check server logs.");
	return true;
}

/* Certificates and the like matter from the moment that somebody listens with them. */
bool apply_tls(struct server *s, struct config_error *err)
{
	if (s->network && s->config.tls.port && network_load_tls(s->network) < 0)
		return config_refuse(err, "Unable to update TLS configuration. Check server logs.");
	return true;
}

bool apply_tls_port(struct server *s, struct config_error *err)
{
	return apply_tls(s, err) && apply_port(s, err);
}

bool apply_bind(struct server *s, struct config_error *err)
{
	if (s->network && network_rebind(s->network) < 0) {
		log_line(&s->config.log, LOG_LEVEL_WARNING, "Failed to bind");
		return config_refuse(err, "Failed to bind to specified addresses.");
	}
	return true;
}

/* How many clients the limit of open files has room for, after trying to raise it to @want. */
static unsigned clients_that_fit(unsigned want)
{
	struct rlimit lim;
	rlim_t need = (rlim_t)want + FDS_RESERVED;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return want;
	if (lim.rlim_cur < need) {
		struct rlimit more = {.rlim_cur = need,
				      .rlim_max = lim.rlim_max > need ? lim.rlim_max : need};
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return want;
		more = (struct rlimit){.rlim_cur = lim.rlim_max, .rlim_max = lim.rlim_max};
		if (lim.rlim_cur < lim.rlim_max && setrlimit(RLIMIT_NOFILE, &more) == 0)
			lim = more;
	}
	if (lim.rlim_cur >= need)
		return want;
	return lim.rlim_cur > FDS_RESERVED ? (unsigned)(lim.rlim_cur - FDS_RESERVED) : 0;
}

void config_fit_maxclients(struct config *cfg)
{
	unsigned fit = clients_that_fit(cfg->maxclients);

	if (fit == cfg->maxclients)
		return;
	if (fit == 0)
		fit = 1;
	log_line(&cfg->log, LOG_LEVEL_WARNING,
		 "You requested maxclients of %u requiring at least %llu max file descriptors.",
		 cfg->maxclients, (unsigned long long)cfg->maxclients + FDS_RESERVED);
	log_line(&cfg->log, LOG_LEVEL_WARNING,
		 "Server can't set maximum open files to %llu because of OS error: %s.",
		 (unsigned long long)cfg->maxclients + FDS_RESERVED, "Operation not permitted");
	log_line(&cfg->log, LOG_LEVEL_WARNING,
		 "Current maximum open files is %u. maxclients has been reduced to %u to "
		 "compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
		 fit + FDS_RESERVED, fit);
	cfg->maxclients = fit;
}

bool apply_maxclients(struct server *s, struct config_error *err)
{
	unsigned fit = clients_that_fit(s->config.maxclients);

	if (fit < s->config.maxclients)
		return config_refuse(err,
				     "The operating system is not able to handle the specified "
				     "number of clients, try with %u",
				     fit);
	if (s->network && network_rebind(s->network) < 0)
		return config_refuse(err, "Unable to change the number of clients");
	return true;
}

bool apply_maxmemory_clients(struct server *s, struct config_error *err)
{
	(void)err;
	if (s->network)
		network_shed_limit(s->network);
	return true;
}

bool apply_maxmemory(struct server *s, struct config_error *err)
{
	(void)err;
	uint64_t limit = s->config.maxmemory;
	size_t used = mem_used();

	if (limit && limit < used)
		log_line(&s->config.log, LOG_LEVEL_WARNING,
			 "WARNING: the new maxmemory value set via CONFIG SET (%llu) is smaller "
			 "than the current memory usage (%zu). This will result in key eviction "
			 "and/or the inability to accept new write commands depending on the "
			 "maxmemory-policy.",
			 (unsigned long long)limit, used);
	if (s->loop)
		pressure_begin(s);
	return apply_maxmemory_clients(s, err);
}

bool apply_requirepass(struct server *s, struct config_error *err)
{
	(void)err;
	acl_set_requirepass(s);
	return true;
}

bool apply_acllog(struct server *s, struct config_error *err)
{
	(void)err;
	acl_log_trim(s);
	return true;
}

bool apply_appendonly(struct server *s, struct config_error *err)
{
	if (!s->aof)
		return true;
	if (s->loading)
		return config_refuse(err, "The append only file cannot be switched while loading.");
	if (!aof_switch(s, s->config.appendonly))
		return config_refuse(err, "Unable to turn on AOF. Check server logs.");
	return true;
}

bool apply_shutdown(struct server *s, struct config_error *err)
{
	int both = SHUTDOWN_SAVE | SHUTDOWN_NOSAVE;

	if ((s->config.shutdown_on_sigint & both) != both &&
	    (s->config.shutdown_on_sigterm & both) != both)
		return true;
	return config_refuse(err, "shutdown options SAVE and NOSAVE can't be used simultaneously");
}

bool apply_title(struct server *s, struct config_error *err)
{
	(void)err;
	process_title(s, PROCESS_SERVER);
	return true;
}

bool apply_locale(struct server *s, struct config_error *err)
{
	return process_locale(s) || config_refuse(err, "Invalid locale name");
}

bool apply_oom(struct server *s, struct config_error *err)
{
	return process_oom_score(s, PROCESS_SERVER) ||
	       config_refuse(err, "Failed to apply new oom_score_adj configuration, check server "
				  "logs.");
}

bool apply_bg_thread(struct server *s, struct config_error *err)
{
	(void)err;
	mem_background(s->config.jemalloc_bg_thread);
	return true;
}

bool apply_watchdog(struct server *s, struct config_error *err)
{
	(void)err;
	watchdog_apply(s);
	return true;
}

/* Without save points, or where it is allowed, a failed save stops nobody; nor do replicas that nobody asks for. */
bool apply_saving(struct server *s, struct config_error *err)
{
	(void)err;
	snapshot_check_writes(s);
	return true;
}
