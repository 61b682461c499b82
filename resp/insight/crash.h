/* resp/insight/crash.h - a process that fails says why: the report in the log.
 *
 * A fatal signal writes a report as Redis does (what happened, where, INFO, the clients, the client whose command ran) and then
 * ends the process by the same signal, unless crash-log-enabled is no. SIGALRM, from watchdog-period or from outside, writes where
 * the process is and goes on. There is one server to report on: crash_install keeps it.
 */
#ifndef RESP_CRASH_H
#define RESP_CRASH_H

struct server;

/* From now on. In sanitized builds fatal signals stay the sanitizer's. */
void crash_install(struct server *s);

/* Report and end. */
_Noreturn void crash_panic(struct server *s, const char *what);
_Noreturn void crash_assertion(struct server *s, const char *what);

/* watchdog-period: report when @ms pass without watchdog_feed; 0 switches it off. */
void watchdog_apply(struct server *s);
/* Once a turn of the cron. */
void watchdog_feed(struct server *s);

#endif
