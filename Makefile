# make                     build/release/stratify
# make check               everything a change must pass
# make demo                a population, a run, ranked lists; see README.md
# make test ONLY='rank/*'  the tests of one module
# make fuzz ON=config      one parser against random bytes, FOR=60 seconds (clang)
# make install             PREFIX=/usr/local DESTDIR=
# MODE=debug, MODE=asan    any of these, built for looking inside

MODE ?= release
ONLY ?= *
FOR  ?= 60
B    := build/$(MODE)

PKGS := libpq zlib libfyaml jansson libcrypto smartcols

CFLAGS_release := -O2
CFLAGS_debug   := -O0
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS   := -std=c11 -g -fopenmp -ffp-contract=off $(CFLAGS_$(MODE)) -Werror \
            -Wall -Wextra -Wshadow -Wpedantic -Wvla -Wstrict-prototypes
CPPFLAGS = -I. -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS))
LDLIBS   = $(shell pkg-config --libs $(PKGS)) -lcsv -lm

FOLDERS  := engine/base engine/plan engine/store engine/db loaders models engine/synth \
            engine/strata engine/publish
LIB_C    := $(wildcard $(addsuffix /*.c,$(FOLDERS)))
LIB_O    := $(LIB_C:%.c=$B/%.o)
MAIN_O   := $(patsubst %.c,$B/%.o,$(wildcard engine/*.c))
TEST_O   := $(patsubst %.c,$B/%.o,$(wildcard tests/*/test_*.c tests/support/*.c))

all: $B/stratify

objects: $(LIB_O) $(MAIN_O)

$B/stratify: $(MAIN_O) $B/libstratify.a
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$B/test-all: $(TEST_O) $B/libstratify.a
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

$B/libstratify.a: $(LIB_O)
	@rm -f $@
	$(AR) rcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Criterion counts a test that leaks as passed, so a report is a failure here.
test: $B/test-all
	@rm -f $B/report.*
	OMP_NUM_THREADS=2 ASAN_OPTIONS=log_path=$(CURDIR)/$B/report \
	    tests/support/cluster.sh $B/test-all --filter '$(ONLY)'
	@if ls $B/report.* >/dev/null 2>&1; then cat $B/report.*; exit 1; fi

clean:
	rm -rf build

-include $(LIB_O:.o=.d) $(MAIN_O:.o=.d) $(TEST_O:.o=.d)
.PHONY: all objects test clean
