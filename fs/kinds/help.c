/* fs/kinds/help.c - what the manual says of each kind; the rows of the table point here. */
#include "fs/kinds/kinds.h"

const struct kind_help string_help = {
	.file = "KEY",
	.is = "the value",
	.over = "SET: the whole value, published when the file is closed; a time to live is "
		"dropped",
	.append = "APPEND; a time to live stays",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
};

const struct kind_help list_help = {
	.file = "KEY",
	.is = "the elements, one a line, from head to tail",
	.over = "replaces the list by the lines",
	.append = "RPUSH, a line an element",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
};

const struct kind_help set_help = {
	.file = "KEY",
	.is = "the members, one a line, in no order",
	.over = "replaces the set by the lines",
	.append = "SADD, a line a member",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
};

const struct kind_help zset_help = {
	.file = "KEY",
	.is = "score TAB member, one pair a line, the lowest score first",
	.over = "replaces the sorted set by the lines",
	.append = "ZADD, a line a member with its score",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
};

const struct kind_help hash_help = {
	.file = "KEY",
	.is = "field TAB value, one pair a line",
	.over = "replaces the hash by the lines",
	.append = "HSET, a line a field with its value",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
};

const struct kind_help field_help = {
	.file = "KEY/FIELD",
	.is = "the value of the field; mkdir KEY makes a place that becomes a key with its first "
	      "field",
	.over = "HSET",
	.append = "HSET of what was there and what is added",
	.remove = "HDEL; rm -r KEY removes the key",
	.move = "the field gets another name, or another hash; of KEY RENAME",
};

const struct kind_help set_member_help = {
	.file = "KEY/MEMBER",
	.is = "nothing, since the name says it all; test -e is SISMEMBER",
	.over = "SADD; touch does the same",
	.append = "only nothing can be added",
	.remove = "SREM; rm -r KEY removes the key",
	.move = "SREM here and SADD there; of KEY RENAME",
};

const struct kind_help zset_member_help = {
	.file = "KEY/MEMBER",
	.is = "the score",
	.over = "ZADD with the score that is written",
	.append = "ZADD, if what was there and what is added make a number",
	.remove = "ZREM; rm -r KEY removes the key",
	.move = "the score goes to another name or sorted set; of KEY RENAME",
};

const struct kind_help element_help = {
	.file = "KEY/INDEX",
	.is = "the element at that place, counted from 0; -1 is the last",
	.over = "LSET; the place behind the last is RPUSH",
	.append = "LSET of what was there and what is added",
	.remove = "removes the element, and those behind it move up; rm -r KEY removes the key",
	.move = "LSET there, and the element leaves its old place; of KEY RENAME",
};

const struct kind_help stream_help = {
	.file = "KEY",
	.is = "the entries, one a line: id, then field and value in turn, between TABs",
	.over = "replaces the stream by the lines",
	.append = "XADD; a first column that is an id is kept, otherwise the server gives one",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
	.poll = "an entry behind what was read",
};

const struct kind_help entry_help = {
	.file = "KEY/ID",
	.is = "field TAB value of the entry, one pair a line",
	.remove = "XDEL; rm -r KEY removes the key",
	.move = "an entry keeps its id; of KEY RENAME",
};

const struct kind_help queue_help = {
	.file = "KEY",
	.is = "takes one element off the head of a list, and waits while there is none (BLPOP)",
	.over = "RPUSH, a line an element; nothing is replaced",
	.append = "RPUSH, a line an element",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
	.poll = "an element that can be taken",
};

const struct kind_help channel_help = {
	.file = "CHANNEL",
	.is = "the messages from the moment it was opened, one a line; waits for the next "
	      "(SUBSCRIBE)",
	.over = "PUBLISH, a line a message",
	.append = "PUBLISH, a line a message",
	.poll = "a message",
};

const struct kind_help server_help = {
	.file = "NAME",
	.is = "clients, slowlog, stats of the mount, metrics in the text format of Prometheus, and "
	      "when the keys were last saved",
	.over = "save: BGSAVE; the others are not written",
};

const struct kind_help info_help = {
	.file = "SECTION",
	.is = "that section of INFO",
};

const struct kind_help config_help = {
	.file = "NAME",
	.is = "the value of the directive, as CONFIG GET has it",
	.over = "CONFIG SET; the text of a refusal is in server/stats",
	.append = "the same",
};

const struct kind_help key_help = {
	.file = "KEY",
	.is = "a symbolic link to the key in the directory of its type",
	.remove = "DEL",
	.move = "RENAME, mv -n RENAMENX",
};

const struct kind_help ttl_help = {
	.file = "KEY",
	.is = "the seconds that the key still has, -1 for no end",
	.over = "EXPIRE with the seconds that are written; -1 is PERSIST",
};
