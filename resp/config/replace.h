/* resp/config/replace.h - a small file written whole or not at all. */
#ifndef RESP_CONFIG_REPLACE_H
#define RESP_CONFIG_REPLACE_H

#include <stdbool.h>

#include "resp/config/text.h"

/* A temporary file beside @path, synced, takes its place and its mode. False with errno, and the old file untouched. */
bool file_replace(const char *path, const struct text *content);

#endif
