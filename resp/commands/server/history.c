/* resp/commands/server/history.c - since when commands can do what they did not at first: COMMAND DOCS's history. */
#include <string.h>

#include "resp/commands/server/catalog.h"

/* A command's rows stand together. */
static const struct {
	const char *name, *since, *change;
} history[] = {
	{"acl|getuser", "6.2.0", "Shows patterns of channels"},
	{"acl|getuser", "7.0.0", "Shows selectors, and patterns as rules instead of as a list"},
	{"acl|setuser", "6.2.0", "Takes patterns of channels"},
	{"acl|setuser", "7.0.0", "Takes selectors and rights on keys"},
	{"auth", "6.0.0", "Takes a user name too"},
	{"bgsave", "3.2.2", "SCHEDULE"},
	{"bitcount", "7.0.0", "BYTE and BIT"},
	{"bitpos", "7.0.0", "BYTE and BIT"},
	{"blpop", "6.0.0", "The time may have a fraction"},
	{"brpop", "6.0.0", "The time may have a fraction"},
	{"brpoplpush", "6.0.0", "The time may have a fraction"},
	{"bzpopmax", "6.0.0", "The time may have a fraction"},
	{"bzpopmin", "6.0.0", "The time may have a fraction"},
	{"client|list", "2.8.12", "Shows the id"},
	{"client|list", "5.0.0", "TYPE"},
	{"client|list", "6.0.0", "Shows the user"},
	{"client|list", "6.2.0", "Shows argv-mem, tot-mem, laddr and redir; ID"},
	{"client|list", "7.0.0", "Shows resp, multi-mem, rbs and rbp"},
	{"client|list", "7.0.3", "Shows ssub"},
	{"client|pause", "6.2.0", "WRITE and ALL"},
	{"client|kill", "2.8.12", "Filters with names"},
	{"client|kill", "2.8.12", "ID"},
	{"client|kill", "3.2.0", "TYPE master"},
	{"client|kill", "5.0.0", "TYPE replica; slave still stands for it"},
	{"client|kill", "6.2.0", "LADDR"},
	{"cluster|slots", "4.0.0", "Shows the ids of nodes"},
	{"cluster|slots", "7.0.0", "Shows more of each node's network"},
	{"cluster|meet", "4.0.0", "Takes the port of the bus"},
	{"command|info", "7.0.0", "Without names all commands are shown"},
	{"config|set", "7.0.0", "Takes several directives"},
	{"config|get", "7.0.0", "Takes several patterns"},
	{"exists", "3.0.3", "Takes several keys"},
	{"expire", "7.0.0", "NX, XX, GT and LT"},
	{"expireat", "7.0.0", "NX, XX, GT and LT"},
	{"flushall", "4.0.0", "ASYNC"},
	{"flushall", "6.2.0", "SYNC"},
	{"flushdb", "4.0.0", "ASYNC"},
	{"flushdb", "6.2.0", "SYNC"},
	{"geoadd", "6.2.0", "CH, NX and XX"},
	{"georadius", "6.2.0", "ANY"},
	{"georadius", "7.0.0", "Units in upper case too"},
	{"georadius_ro", "6.2.0", "ANY"},
	{"georadiusbymember", "7.0.0", "Units in upper case too"},
	{"geosearch", "7.0.0", "Units in upper case too"},
	{"geosearchstore", "7.0.0", "Units in upper case too"},
	{"hdel", "2.4.0", "Takes several fields"},
	{"hello", "6.2.0", "The protocol may be left out"},
	{"hset", "4.0.0", "Takes several fields with their values"},
	{"info", "7.0.0", "Takes several sections"},
	{"lpop", "6.2.0", "Takes a count"},
	{"lpush", "2.4.0", "Takes several elements"},
	{"lpushx", "4.0.0", "Takes several elements"},
	{"migrate", "3.0.0", "COPY and REPLACE"},
	{"migrate", "3.0.6", "KEYS"},
	{"migrate", "4.0.7", "AUTH"},
	{"migrate", "6.0.0", "AUTH2"},
	{"pexpire", "7.0.0", "NX, XX, GT and LT"},
	{"pexpireat", "7.0.0", "NX, XX, GT and LT"},
	{"pttl", "2.8.0", "Answers -2 where there is no key"},
	{"renamenx", "3.2.0", "A key may be renamed to itself"},
	{"restore", "3.0.0", "REPLACE"},
	{"restore", "5.0.0", "ABSTTL"},
	{"restore", "5.0.0", "IDLETIME and FREQ"},
	{"restore-asking", "3.0.0", "REPLACE"},
	{"restore-asking", "5.0.0", "ABSTTL"},
	{"restore-asking", "5.0.0", "IDLETIME and FREQ"},
	{"rpop", "6.2.0", "Takes a count"},
	{"rpush", "2.4.0", "Takes several elements"},
	{"rpushx", "4.0.0", "Takes several elements"},
	{"sadd", "2.4.0", "Takes several members"},
	{"scan", "6.0.0", "TYPE"},
	{"script|flush", "6.2.0", "ASYNC and SYNC"},
	{"set", "2.6.12", "EX, PX, NX and XX"},
	{"set", "6.0.0", "KEEPTTL"},
	{"set", "6.2.0", "GET, EXAT and PXAT"},
	{"set", "7.0.0", "NX and GET go together"},
	{"shutdown", "7.0.0", "NOW, FORCE and ABORT"},
	{"slowlog|get", "4.0.0", "Shows the client's address and name"},
	{"spop", "3.2.0", "Takes a count"},
	{"srandmember", "2.6.0", "Takes a count"},
	{"srem", "2.4.0", "Takes several members"},
	{"ttl", "2.8.0", "Answers -2 where there is no key"},
	{"xadd", "6.2.0", "NOMKSTREAM, MINID and LIMIT"},
	{"xadd", "7.0.0", "An id may leave the number behind its time open"},
	{"xautoclaim", "7.0.0", "Answers too which entries are gone"},
	{"xgroup|create", "7.0.0", "ENTRIESREAD"},
	{"xgroup|setid", "7.0.0", "ENTRIESREAD"},
	{"xinfo|stream", "6.0.0", "FULL"},
	{"xinfo|stream", "7.0.0",
	 "Shows the highest deleted id, what was added and read, and how far groups lag"},
	{"xinfo|stream", "7.2.0", "Shows when a consumer was last active"},
	{"xinfo|groups", "7.0.0", "Shows what was read and the lag"},
	{"xinfo|consumers", "7.2.2", "Shows for how long a consumer did nothing"},
	{"xpending", "6.2.0", "IDLE; ends of ranges may be left out"},
	{"xrange", "6.2.0", "Ends may be left out"},
	{"xrevrange", "6.2.0", "Ends may be left out"},
	{"xsetid", "7.0.0", "ENTRIESADDED and MAXDELETEDID"},
	{"xtrim", "6.2.0", "MINID and LIMIT"},
	{"zadd", "2.4.0", "Takes several members"},
	{"zadd", "3.0.2", "XX, NX, CH and INCR"},
	{"zadd", "6.2.0", "GT and LT"},
	{"zrange", "6.2.0", "REV, BYSCORE, BYLEX and LIMIT"},
	{"zrangebyscore", "2.0.0", "WITHSCORES"},
	{"zrank", "7.2.0", "WITHSCORE"},
	{"zrem", "2.4.0", "Takes several members"},
	{"zrevrangebyscore", "2.1.6", "Ends may be left out"},
	{"zrevrank", "7.2.0", "WITHSCORE"},
};
#define NHISTORY (sizeof(history) / sizeof(*history))

size_t history_find(const char *fullname, size_t *first)
{
	size_t n = 0;
	for (size_t i = 0; i < NHISTORY; i++) {
		if (strcmp(history[i].name, fullname) == 0 && n++ == 0)
			*first = i;
	}
	return n;
}

const char *history_since(size_t i)
{
	return history[i].since;
}

const char *history_change(size_t i)
{
	return history[i].change;
}
