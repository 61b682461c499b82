/* fs/metrics.h - server/metrics: INFO's figures in Prometheus's text format, by the names that redis_exporter gave them, so that
 * existing dashboards and alerts fit.
 */
#ifndef FS_METRICS_H
#define FS_METRICS_H

#include "fs/task.h"

/* Load them into t->content. */
void metrics_load(struct task *t);

#endif
