/* resp/net/busy.h - a script that does not end: others are answered meanwhile.
 *
 * The script runs inside the dispatch of a batch. From busy_begin() to busy_end() every turn of busy_turn() serves the listeners and the
 * clients with a batch of its own: their commands are refused with server->busy, but for those flagged CMD_ALLOW_BUSY, none of
 * which touches the data. What waited in the script's own batch behind it is answered the same way. Not served are the caller,
 * who waits for its reply, timers, and the mount: an operation on a file waits in the kernel until the script is over, since half of
 * a script's changes must be seen by nobody and an error could lose what a file was closed with.
 */
#ifndef RESP_NET_BUSY_H
#define RESP_NET_BUSY_H

struct server;
struct session;

/* @error, borrowed, is the line that others get. */
void busy_begin(struct server *s, struct session *caller, const char *error);
void busy_turn(struct server *s);
void busy_end(struct server *s);

#endif
