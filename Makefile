# make                     build/release/stratify
# make demo                made-up people, a whole run, ranked lists (see README.md)
# make check               everything a change must pass
# make test ONLY='rank/*'  the tests of one module
# make fuzz ON=config      one parser against random bytes, FOR=60 seconds (clang)
# make realdata DIR=...    data that others made, run through configs alone
# make bench PEOPLE=50000  the engine beside its peers; make bench-models the scoring alone
# make soak                the long tests: kill -9, changed tables, 2,000,000 people
# make docs                docs/models.md from the configs
# make install             PREFIX=/usr/local DESTDIR=
# MODE=debug, MODE=asan    any of these, built for looking inside
# V=1                      the commands, not only what they make

MODE   ?= release
ONLY   ?= *
FOR    ?= 60
PEOPLE ?= 50000
PREFIX ?= /usr/local
B      := build/$(MODE)

VERSION := 0.1.0
PKGS    := libpq zlib libfyaml jansson libcrypto smartcols

CFLAGS_release := -O3
CFLAGS_debug   := -O0
CFLAGS_clang   := -O2
CFLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
                  -Wno-format-truncation
CFLAGS   := -std=c11 -g -fopenmp -ffp-contract=off -fno-math-errno \
            -fno-trapping-math $(CFLAGS_$(MODE)) -Werror \
            -Wall -Wextra -Wshadow -Wpedantic -Wvla -Wstrict-prototypes
CPPFLAGS = -I. -D_GNU_SOURCE -DSTRATIFY_VERSION='"$(VERSION)"' \
           -DSTRATIFY_PREFIX='"$(PREFIX)"' \
           $(shell pkg-config --cflags $(PKGS))
LDLIBS   = $(shell pkg-config --libs $(PKGS)) -lcsv -lm

FOLDERS  := engine/base engine/config engine/rule models/trees engine/codes engine/plan \
            engine/store engine/db engine/extract loaders models engine/synth \
            engine/strata engine/publish
PARALLEL := engine/publish/kind_table.c engine/publish/reconcile.c \
            engine/store/group.c engine/store/known.c engine/store/people.c \
            engine/strata/cohort.c engine/strata/rank.c engine/synth/synth.c \
            loaders/load.c models/score.c
LIB_C    := $(wildcard $(addsuffix /*.c,$(FOLDERS)))
LIB_O    := $(LIB_C:%.c=$B/%.o)
MAIN_O   := $(patsubst %.c,$B/%.o,$(wildcard engine/*.c))
TEST_O   := $(patsubst %.c,$B/%.o,$(wildcard tests/*/test_*.c tests/support/*.c))
FUZZ_O   := $(patsubst %.c,$B/%.o,$(wildcard tests/fuzz/*.c))
SQL      := $(wildcard sql/*.sql)
SEEDS_config := $(wildcard configs/*.yaml configs/models/*.yaml)
SEEDS_trees  := $(wildcard tests/data/trees/*/*.json tests/data/trees/*/*.ubj \
                tests/data/trees/*/*.txt)
FUZZ     := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

SILENT := $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS))))
making  = $(if $V,,@$(if $(SILENT),,echo '  $@';))

all: $B/stratify

objects: $(LIB_O) $(MAIN_O) $(FUZZ_O)

$B/stratify: $(MAIN_O) $B/libstratify.a
	$(making)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$B/test-all: $(TEST_O) $B/libstratify.a
	$(making)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

$B/libstratify.a: $(LIB_O) $B/sql.o
	@rm -f $@
	$(making)$(AR) rcs $@ $^

# The scripts travel inside the program: see engine/db/scripts.h.
$B/sql.o: $(SQL)
	@mkdir -p $(@D)
	$(making)$(LD) -r -b binary -z noexecstack -o $@ $(SQL)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(making)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$B/bench-models: $B/tests/bench/bench_models.o $B/tests/support/tiny.o $B/libstratify.a
	$(making)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

# Criterion counts a test that leaks as passed, so a report is a failure here; but not one
# of what Criterion itself loses now and then, which names no file of ours. Its runner's exit
# status is that loss as well, so what counts is the list of results that it wrote.
OURS := ERROR: AddressSanitizer|(engine|loaders|models|tests)/[^ ]*[.][ch]:[0-9]
test: $B/test-all $B/stratify
	@rm -f $B/report.* $B/results.tap
	-OMP_NUM_THREADS=2 ASAN_OPTIONS=log_path=$(CURDIR)/$B/report STRATIFY=$(CURDIR)/$B/stratify \
	    tests/support/cluster.sh $B/test-all --filter '$(ONLY)' --tap=$B/results.tap
	@test -s $B/results.tap && ! grep '^not ok' $B/results.tap
	@for report in $$(grep -lsE '$(OURS)' $B/report.*); do cat $$report; exit 1; done

setup:
	@scripts/setup.sh

floors:
	tests/support/floors.sh
	test "$$(grep -rl 'pragma omp' engine loaders models | LC_ALL=C sort | xargs)" \
	    = "$$(printf '%s\n' $(PARALLEL) | LC_ALL=C sort | xargs)"

format:
	clang-format --dry-run --Werror $$(git ls-files '*.[ch]')

demo:
	@scripts/setup.sh run
	@$(MAKE) -s all
	@scripts/demo.sh

check:
	@scripts/setup.sh test
	@tests/support/check.sh

# The corpus starts with real files, where there are any of the target's kind.
fuzz:
	@mkdir -p build/fuzz/corpus/$(ON)
	@cp -n $(SEEDS_$(ON)) build/fuzz/corpus/$(ON) 2>/dev/null || true
	$(MAKE) -s MODE=fuzz CC=clang build/fuzz/fuzz_$(ON)
	build/fuzz/fuzz_$(ON) -max_total_time=$(FOR) -print_final_stats=0 -close_fd_mask=3 \
	    -artifact_prefix=build/fuzz/$(ON)- build/fuzz/corpus/$(ON)

$B/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libstratify.a
	$(making)$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

docs: all
	scripts/docs.sh

fuzz-names:
	@echo $(FUZZ)

realdata: all
	tests/realdata/run.sh $(DIR)

bench: all
	tests/bench/run.sh $(PEOPLE)

bench-models: all $B/bench-models
	BENCH_MODELS=$B/bench-models tests/bench/models.sh $(if $(filter command% environment%,$(origin PEOPLE)),$(PEOPLE))

soak: all
	KILLS=100 tests/support/cluster.sh tests/run/kill_9.sh
	tests/support/cluster.sh tests/soak/extract_changes.sh
	CLUSTER_OPTIONS="-c wal_level=replica -c max_wal_senders=4" \
	    tests/support/cluster.sh tests/soak/promotion.sh
	tests/soak/scale.sh

install: all
	install -D -m 755 $B/stratify $(DESTDIR)$(PREFIX)/bin/stratify
	install -D -m 644 docs/stratify.1 $(DESTDIR)$(PREFIX)/share/man/man1/stratify.1
	mkdir -p $(DESTDIR)$(PREFIX)/share/stratify
	cp -R configs $(DESTDIR)$(PREFIX)/share/stratify/

clean:
	rm -rf build

-include $(LIB_O:.o=.d) $(MAIN_O:.o=.d) $(TEST_O:.o=.d)
.PHONY: all objects test setup floors format demo check docs fuzz fuzz-names realdata bench \
        bench-models soak install clean
