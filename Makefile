# Inodis. `make help` lists the targets.
PREFIX       ?= /usr/local
DESTDIR      ?=
BUILD        ?= build
ifeq ($(origin CC),default)
CC           := gcc
endif
CLANG        ?= clang
CLANG_FORMAT ?= clang-format
FUZZ_SECONDS ?= 60
CRASH_KILLS  ?= 200
DAMAGED      ?= 30000

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
OPT    ?= -O2 -g -fno-omit-frame-pointer
DEFS   ?= -DINODIS_JEMALLOC
LIBS   ?= -ljemalloc
# Static: the interpreter is small, and calls into it are many.
LUA    := -l:liblua5.1-cjson.a -l:liblua5.1-bitop.a -l:liblua5.1.a
CFLAGS += -std=gnu11 $(OPT) $(WARN) -I. $(DEFS) $(shell pkg-config --cflags fuse3 libssl libcrypto 2>/dev/null) -MMD -MP -pthread
LDLIBS += $(LIBS) $(shell pkg-config --libs fuse3 libssl libcrypto 2>/dev/null) -llzf $(LUA) -lm -ldl -pthread

# Sanitized builds use libc's heap: jemalloc would hide what ASan looks for.
SANITIZE := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined

SOURCES := $(sort $(shell find store resp fs -name '*.c' 2>/dev/null))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS   := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
TIDY     = $(shell find main.c store resp fs mount-scripts tests -name '*.[ch]' 2>/dev/null)

# What is built is said in a few words; make V=1 shows the commands.
V ?= 0
ifeq ($(V),0)
say = @echo '  $(1)  $(patsubst $(BUILD)/%,%,$@)';
else
say =
endif

.PHONY: all man objects units unit run deps test test-crash test-damage check asan fuzz fuzzers bench bench-tools format install uninstall clean help
all: $(BUILD)/inodis

help:
	@echo 'make            build $(BUILD)/inodis'
	@echo 'make run        install what is missing, build, start a server with its mount at ./mnt'
	@echo '                (PORT=6380 and MNT=/some/dir choose others)'
	@echo 'make test       everything there is to test; ends with "N passed, N failed"'
	@echo 'make unit       the unit tests alone'
	@echo 'make man        the manual pages and the completion, in $(BUILD)/manual'
	@echo 'make check      layering, file sizes, formatting'
	@echo 'make asan       build-asan/inodis, with ASan and UBSan'
	@echo 'make fuzz       each fuzzer of tests/fuzz for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make test-crash kills the server and cuts its power CRASH_KILLS=$(CRASH_KILLS) times'
	@echo 'make test-damage loads DAMAGED=$(DAMAGED) damaged files and payloads, under ASan and UBSan'
	@echo 'make bench      the cost table, against redis-server and tmpfs (BENCH_SCALE=0.1 is quicker)'
	@echo 'make format     clang-format over every source'
	@echo 'make install    to DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)'
	@echo 'make uninstall  takes away what install put there'
	@echo 'make clean      remove what was built'
	@echo 'make V=1 ...    shows each command'

$(BUILD)/inodis: $(BUILD)/main.o $(BUILD)/libinodis.a
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libinodis.a: $(OBJECTS)
	@rm -f $@
	$(call say,AR)ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libinodis.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libinodis.a -lcmocka $(LDLIBS)

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/libinodis.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/libinodis.a $(LDLIBS)

$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LDLIBS)

# --- the manual and the completion, from the tables ---

VERSION = $(shell sed -n 's/.*INODIS_VERSION  *"\(.*\)"/\1/p' resp/server.h)
PAGES  := $(BUILD)/manual/inodis.1 $(BUILD)/manual/inodis.conf.5 $(BUILD)/manual/inodis-mount.5
TABLES := $(BUILD)/manual/tables

$(TABLES): $(BUILD)/mount-scripts/manual/tables.o $(BUILD)/libinodis.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What a page takes from the tables stands in a file of its own for a moment.
$(BUILD)/manual/inodis.conf.5: LIST := directives
$(BUILD)/manual/inodis-mount.5: LIST := kinds
$(BUILD)/manual/%.5: mount-scripts/manual/%.5.in $(TABLES)
	$(call say,MAN)$(TABLES) $(LIST) >$@.list && sed -e '/^@[A-Z]*@$$/{r $@.list' -e 'd}' -e 's/@VERSION@/$(VERSION)/' $< >$@
	@rm -f $@.list

$(BUILD)/manual/%.1: mount-scripts/manual/%.1 resp/server.h
	@mkdir -p $(@D)
	$(call say,MAN)sed 's/@VERSION@/$(VERSION)/' $< >$@

$(BUILD)/manual/inodis.bash: mount-scripts/manual/inodis.bash.in $(TABLES)
	$(call say,GEN)$(TABLES) words | sed "s/.*/	'&'/" >$@.list && sed -e '/^@WORDS@$$/{r $@.list' -e 'd}' $< >$@
	@rm -f $@.list

man: $(PAGES) $(BUILD)/manual/inodis.bash

objects: $(OBJECTS) $(if $(wildcard main.c),$(BUILD)/main.o)
units: $(UNITS)
fuzzers: $(FUZZERS)
bench-tools: $(TOOLS)

unit: $(UNITS)
	@set -e; for t in $(UNITS); do echo "== $$t"; $$t; done

deps:
	@tests/deps run

# The pieces run in a make of their own: pkg-config may have been installed only a moment ago.
run:
	@tests/deps run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@mount-scripts/run-here $(BUILD)/inodis

test:
	@tests/deps test
	@/usr/bin/python3 tests/run

test-crash:
	@tests/deps test
	@$(MAKE) --no-print-directory all
	@INODIS=$(BUILD)/inodis /usr/bin/python3 tests/fault/crash.py --kills $(CRASH_KILLS)

test-damage:
	@tests/deps test
	@$(MAKE) --no-print-directory asan
	@INODIS=build-asan/inodis /usr/bin/python3 tests/fault/damage.py --files $(DAMAGED)

check:
	@/usr/bin/python3 tests/check.py

asan:
	@$(MAKE) --no-print-directory BUILD=build-asan DEFS= LIBS= \
		OPT="$(SANITIZE) -fsanitize=address,undefined" all

fuzz:
	@tests/deps test
	@$(MAKE) --no-print-directory BUILD=build-fuzz DEFS= LIBS= CC=$(CLANG) \
		OPT="$(SANITIZE) -fsanitize=address,undefined,fuzzer-no-link" fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run build-fuzz/tests/fuzz

bench:
	@tests/deps test >&2
	@$(MAKE) --no-print-directory all bench-tools >&2
	@/usr/bin/python3 tests/bench/bench.py $(BUILD)

format:
	$(CLANG_FORMAT) -i $(TIDY)

# What is installed: a mode, what it is, and its place below PREFIX.
DOC := share/doc/inodis
INSTALLED = \
	755:$(BUILD)/inodis:bin/inodis \
	755:mount-scripts/mount.inodis:sbin/mount.inodis \
	644:mount-scripts/inodis.service:lib/systemd/system/inodis.service \
	644:mount-scripts/inodis@.service:lib/systemd/system/inodis@.service \
	644:$(BUILD)/manual/inodis.1:share/man/man1/inodis.1 \
	644:$(BUILD)/manual/inodis.conf.5:share/man/man5/inodis.conf.5 \
	644:$(BUILD)/manual/inodis-mount.5:share/man/man5/inodis-mount.5 \
	644:$(BUILD)/manual/inodis.bash:share/bash-completion/completions/inodis \
	644:mount-scripts/fstab.example:$(DOC)/fstab.example \
	644:README.md:$(DOC)/README.md \
	$(foreach d,$(sort $(wildcard mount-scripts/demo/*)),755:$d:$(DOC)/demo/$(notdir $d))
WITH_PREFIX := sbin/mount.inodis lib/systemd/system/inodis.service lib/systemd/system/inodis@.service

install: all man
	@set -e; for f in $(INSTALLED); do \
		mode=$${f%%:*}; rest=$${f#*:}; \
		install -D -m $$mode $${rest%%:*} $(DESTDIR)$(PREFIX)/$${rest#*:}; \
		echo "  INSTALL  $(DESTDIR)$(PREFIX)/$${rest#*:}"; \
	done
	@cd $(DESTDIR)$(PREFIX) && sed -i 's#@PREFIX@#$(PREFIX)#g' $(WITH_PREFIX)

uninstall:
	@for f in $(INSTALLED); do rm -f $(DESTDIR)$(PREFIX)/$${f##*:}; done
	@rmdir $(DESTDIR)$(PREFIX)/$(DOC)/demo $(DESTDIR)$(PREFIX)/$(DOC) 2>/dev/null || true

clean:
	rm -rf $(BUILD) build-asan build-fuzz build-clang

-include $(OBJECTS:.o=.d) $(BUILD)/main.d $(BUILD)/mount-scripts/manual/tables.d $(UNITS:=.d) $(FUZZERS:=.d) $(TOOLS:=.d)
