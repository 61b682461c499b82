/* resp/server.h - the server: the store, its configuration and its registries, tied together.
 *
 * main.c owns the one there is; everything else gets a pointer. It has no methods to speak of: a place where modules of this layer find
 * each other. Includers should include only what they use of it.
 */
#ifndef RESP_SERVER_H
#define RESP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "resp/config.h"
#include "resp/session.h"
#include "store/keyspace/evict.h"
#include "store/keyspace/keyspace.h"

#define INODIS_VERSION "0.1.0"
/* What redis_version and HELLO answer: the compatible surface. */
#define INODIS_REDIS_VERSION     "7.2.4"
#define INODIS_REDIS_VERSION_NUM 0x00070204

struct acl; /* users: resp/acl/acl.h */
struct loop;
struct journal;
struct registry; /* commands by name, with their statistics: dispatch.c */
struct slowlog;
struct snapshot; /* RDB files: resp/persist/ */
struct aof;      /* the append-only log: resp/persist/ */
struct network;  /* listeners and clients: resp/net/ */
struct pubsub;   /* subscriptions: resp/sessions/pubsub.h */
struct watches;  /* watched keys: resp/sessions/watch.h */
struct blocking; /* sessions that wait for keys: resp/sessions/blocking.h */
struct peers;    /* connections to other servers: resp/net/peer.h */
struct pause;    /* CLIENT PAUSE: resp/sessions/pause.h */
struct scripts;  /* Lua: resp/scripts/scripts.h */
struct tracking; /* client side caching: resp/sessions/tracking/ */
struct changes;  /* last-change stamps: resp/changes.h */

/* Told of every keyspace event, whatever notify-keyspace-events says. */
struct event_sink {
	void *arg;
	void (*event)(void *arg, struct db *db, struct bytes key, unsigned cls, const char *name);
};

/* What INFO counts. */
struct server_stats {
	uint64_t connections_received, rejected_connections, commands_processed;
	uint64_t net_input_bytes, net_output_bytes;
	uint64_t total_error_replies, unexpected_error_replies;
	uint64_t client_query_buffer_limit_disconnections,
		client_output_buffer_limit_disconnections;
	uint64_t evicted_clients, dirty;
	uint64_t reads_processed, writes_processed;
	uint64_t reply_shrinks, reply_expands;
	uint64_t acl_access_denied_auth, acl_access_denied_cmd, acl_access_denied_key,
		acl_access_denied_channel;
	uint64_t eviction_us_total;                  /* memory was above maxmemory for so long */
	int64_t exceeded_since_us;                   /* monotonic: it is since then; 0: it is not */
	uint64_t expire_cycle_us;                    /* INFO's expire_cycle_cpu_milliseconds */
	double ops_per_sec, input_kbps, output_kbps; /* sampled by the cron, like the next two */
	double turns_per_sec, turn_usec;
};

#define SERVER_SAMPLES 16

/* What the cron remembers from one turn to the next; server.c's own. */
struct server_cron {
	struct loop_timer *timer;
	struct {
		int64_t at_ms;
		uint64_t commands, input, output, turns, busy; /* the counters at that time */
		double ops[SERVER_SAMPLES], in[SERVER_SAMPLES], out[SERVER_SAMPLES];
		double turn_rate[SERVER_SAMPLES];
		uint64_t turn_count[SERVER_SAMPLES], turn_busy[SERVER_SAMPLES];
		unsigned next;
	} sample;
	bool expire_pending; /* the last slow expire cycle ran out of time */
	int64_t fast_expire_us;
};

/* Switches of DEBUG, all off at start. */
struct server_debug {
	bool skip_checksum;        /* RDB files and payloads of RESTORE are not checked */
	bool allow_all_in_scripts; /* scripts may call what CMD_NOSCRIPT forbids them */
	bool pause_cron;
	bool reply_keep;             /* buffers of idle clients stay */
	int64_t reply_peak_ms;       /* idle for so long; 0: as usual, -1: for ever */
	unsigned aof_flush_sleep_us; /* before each write of the log */
};

struct server {
	struct server_debug debug;
	struct config config;
	struct keyspace *keyspace;
	struct evict *evict;
	struct loop *loop;
	struct journal *journal;
	struct registry *registry;
	struct slowlog *slowlog;
	struct latency *latency; /* samples of what took long: resp/insight/latency.h */
	struct acl *acl;
	struct snapshot *snapshot;
	struct aof *aof;
	uint64_t durable; /* batches of the append-only log up to this one may be answered for */
	uint64_t synced;  /* batches up to this one are on the disk, whatever appendfsync says */
	struct network *network;
	struct changes *changes; /* NULL until a mount wants it */
	uint64_t marks;          /* given to streams: backend.h */
	struct pubsub *pubsub;
	struct watches *watches;         /* NULL while nobody watches */
	struct peers *peers;             /* NULL until MIGRATE */
	struct pause *pause;             /* NULL while not paused */
	struct tracking *tracking;       /* NULL while nobody tracks */
	const struct event_sink *events; /* who hears keyspace events, or NULL */
	struct session *sessions;        /* uthash by id */
	uint64_t next_session_id;
	struct scripts *scripts;
	const char *
		busy; /* the error line that others get while a script runs on, or NULL: resp/net/busy.h */
	const struct dispatch_item *item_at; /* which of a batch runs */
	bool out_of_memory;      /* what maxmemory said when the last command was admitted */
	struct session *current; /* whose command is running, or NULL */
	struct session *caller;  /* whose command it runs in, as a script's; good while running */
	unsigned running;        /* calls and units on the stack */
	size_t awaited_keys;     /* for which sessions wait: blocking.c's count */
	struct blocking *blocking;
	unsigned monitors;   /* sessions that MONITOR */
	uint64_t slow_ticks; /* from here a call is looked at again: clock, slow log */
	bool active_expire;  /* DEBUG SET-ACTIVE-EXPIRE */
	bool loading;
	const char *
		refuse_writes; /* an error line (MISCONF, NOREPLICAS) while writes are refused, else NULL */
	int exit_code;
	int64_t start_ms;
	char run_id[41], replid[41];
	char *executable;
	int argc;
	char **argv;
	struct server_stats stats;
	size_t memory_startup, memory_clients;
	char *const *mount_points; /* absolute, NULL behind the last; NULL while there is none */
	bool stopping;             /* server_shutdown was called */
	bool shutdown_waits;       /* it is called again, with these flags, when no script runs */
	unsigned shutdown_flags;
	struct loop_timer
		*evicting; /* set while memory is to be freed between commands: pressure.c */
	struct server_cron cron;
};

/* The server with its registries and its loop, around a filled configuration in a struct that was zero otherwise; no sockets yet.
 * keyhash_seed_random() comes before it. */
void server_init(struct server *s);
/* Frees what server_init made; sessions, the network and the mount are closed by then. The configuration is the caller's. */
void server_fini(struct server *s);

/* Have the keyspace, the loop and the log follow the configuration as it is now: after start and after CONFIG SET. */
void server_apply_config(struct server *s);

/* Register the periodic work with the loop (hz times a second): expiry, rehash, client timeouts, samples. */
void server_start(struct server *s);

/* Whether the running command is a part of something that must not be divided: a transaction, a script, a file's rows. */
static inline bool server_in_unit(const struct server *s)
{
	return s->running > 1;
}

/* How often the cron runs now: hz, more with many clients under dynamic-hz. */
int server_hz(const struct server *s);

/* 40 random hexadecimal digits and a zero. */
void server_make_id(char *id);

/* CONFIG RESETSTAT. */
void server_reset_stats(struct server *s);

/* SHUTDOWN's words; the numbers are those that shutdown-on-sigterm has. */
enum shutdown_flag {
	SHUTDOWN_SAVE = 1 << 0,
	SHUTDOWN_NOSAVE = 1 << 1,
	SHUTDOWN_NOW = 1 << 2,
	SHUTDOWN_FORCE = 1 << 3,
	SHUTDOWN_ABORT = 1 << 4,
};

/* Save what has to be saved, then end the loop, as SHUTDOWN and SIGTERM do; logs as Redis does, and server_fini the good-bye. False when
 * saving failed and the server goes on.
 *
 * While others are answered in the middle of a script what it did so far is kept by nothing: with SHUTDOWN_NOSAVE it is dropped, else the end
 * waits for the script's, and a script that wrote nothing is ended. */
bool server_shutdown(struct server *s, unsigned flags);

/* Its first part: save as @flags and the configuration ask for it. False when that failed, which is logged. */
bool server_save_for_exit(struct server *s, unsigned flags);

#endif
