/* resp/process.h - what the configuration says of the process itself: its title, its place on the kernel's list of victims, its
 * processors, its locale.
 */
#ifndef RESP_PROCESS_H
#define RESP_PROCESS_H

#include <stdbool.h>

struct server;

enum process_kind { PROCESS_SERVER, PROCESS_SAVE, PROCESS_REWRITE };

/* Before anything keeps a pointer into argv or the environment: both are moved elsewhere, so that the title can stand in their
 * place. Answers the moved arguments. */
char **process_keep_arguments(int argc, char **argv);

/* At start, and in a child that saves or rewrites: all that follows from the configuration. What the kernel refuses is logged. */
void process_apply(struct server *s, enum process_kind kind);

/* set-proc-title, proc-title-template. */
void process_title(struct server *s, enum process_kind kind);
/* oom-score-adj; false when the kernel refuses, which is logged. */
bool process_oom_score(struct server *s, enum process_kind kind);
/* locale-collate; false when there is no such locale. */
bool process_locale(struct server *s);

/* The picture of always-show-logo, or the line in its place. */
void process_greet(struct server *s);

#endif
