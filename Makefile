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
TIDY     = $(shell find main.c store resp fs tests -name '*.[ch]' 2>/dev/null)

# What is built is said in a few words; make V=1 shows the commands.
V ?= 0
ifeq ($(V),0)
say = @echo '  $(1)  $(patsubst $(BUILD)/%,%,$@)';
else
say =
endif

.PHONY: all objects units unit run deps test test-crash test-damage check asan fuzz fuzzers bench bench-tools format install clean help
all: $(BUILD)/inodis

help:
	@echo 'make            build $(BUILD)/inodis'
	@echo 'make run        install what is missing, build, start a server with its mount at ./mnt'
	@echo '                (PORT=6380 and MNT=/some/dir choose others)'
	@echo 'make test       everything there is to test; ends with "N passed, N failed"'
	@echo 'make unit       the unit tests alone'
	@echo 'make check      layering, file sizes, formatting'
	@echo 'make asan       build-asan/inodis, with ASan and UBSan'
	@echo 'make fuzz       each fuzzer of tests/fuzz for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make test-crash kills the server and cuts its power CRASH_KILLS=$(CRASH_KILLS) times'
	@echo 'make test-damage loads DAMAGED=$(DAMAGED) damaged files and payloads, under ASan and UBSan'
	@echo 'make bench      the cost table, against redis-server and tmpfs (BENCH_SCALE=0.1 is quicker)'
	@echo 'make format     clang-format over every source'
	@echo 'make install    to DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)'
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

install: all
	install -D -m 755 $(BUILD)/inodis $(DESTDIR)$(PREFIX)/bin/inodis
	install -D -m 755 mount-scripts/mount.inodis $(DESTDIR)$(PREFIX)/sbin/mount.inodis
	install -D -m 644 mount-scripts/inodis.service $(DESTDIR)$(PREFIX)/lib/systemd/system/inodis.service
	sed -i 's#@PREFIX@#$(PREFIX)#g' $(DESTDIR)$(PREFIX)/lib/systemd/system/inodis.service \
		$(DESTDIR)$(PREFIX)/sbin/mount.inodis
	install -D -m 644 mount-scripts/fstab.example $(DESTDIR)$(PREFIX)/share/doc/inodis/fstab.example
	install -d $(DESTDIR)$(PREFIX)/share/doc/inodis/demo
	install -m 755 mount-scripts/demo/* $(DESTDIR)$(PREFIX)/share/doc/inodis/demo
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/inodis/README.md

clean:
	rm -rf $(BUILD) build-asan build-fuzz build-clang

-include $(OBJECTS:.o=.d) $(BUILD)/main.d $(UNITS:=.d) $(FUZZERS:=.d) $(TOOLS:=.d)
