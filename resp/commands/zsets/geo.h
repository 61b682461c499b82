/* resp/commands/zsets/geo.h - what the files of GEO commands share. */
#ifndef RESP_COMMANDS_GEO_H
#define RESP_COMMANDS_GEO_H

#include "resp/command.h"
#include "store/base/geo.h"
#include "store/types/zset.h"

/* argv[@i] and the one after it as a place; false with the error replied. */
bool geo_parse_point(struct call *c, int i, struct geo_point *out);

/* argv[@i] as a unit, in metres; false with the error replied. */
bool geo_parse_unit(struct call *c, int i, double *metres);

/* Where @member of @z is; false when it is not in it. */
bool geo_place(struct zset *z, struct bytes member, struct geo_point *out);

void geo_reply_point(struct call *c, struct geo_point p);
void geo_reply_distance(struct call *c, double d);

/* geo_search.c */
void geo_cmd_geosearch(struct call *c);
void geo_cmd_geosearchstore(struct call *c);
void geo_cmd_georadius(struct call *c);
void geo_cmd_georadius_ro(struct call *c);
void geo_cmd_georadiusbymember(struct call *c);
void geo_cmd_georadiusbymember_ro(struct call *c);

#endif
