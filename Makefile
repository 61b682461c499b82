# Inodis. `make help` lists the targets.
PREFIX ?= /usr/local
BUILD  ?= build
CC     ?= gcc

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
OPT    ?= -O2 -g -fno-omit-frame-pointer
DEFS   ?= -DINODIS_JEMALLOC
LIBS   ?= -ljemalloc
CFLAGS += -std=gnu11 $(OPT) $(WARN) -I. $(DEFS) $(shell pkg-config --cflags fuse3 2>/dev/null) -MMD -MP -pthread
LDLIBS += $(LIBS) $(shell pkg-config --libs fuse3 2>/dev/null) -lm -pthread

SOURCES := $(sort $(shell find store resp fs -name '*.c'))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all unit clean
all: $(BUILD)/inodis

$(BUILD)/inodis: $(BUILD)/main.o $(BUILD)/libinodis.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libinodis.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libinodis.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libinodis.a -lcmocka $(LDLIBS)

unit: $(UNITS)
	@set -e; for t in $(UNITS); do echo "== $$t"; $$t; done

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(BUILD)/main.d $(UNITS:=.d)
