#!/bin/sh
# check.sh: everything a change must pass, in order; the last line counts the tests.
#
# The result of each part is one line; the output of a part is shown when it fails.
# REALDATA names a folder of data that others made (default ../shared/realdata; left
# out where it does not exist). FUZZ_SECONDS is shared by all fuzz targets.
set -u
export LC_ALL=C.UTF-8
mkdir -p build/check
passed=0
failed=0

# part NAME COMMAND...: runs one part and counts what it tested.
part() {
    name=$1
    shift
    log=build/check/$(echo "$name" | tr -c 'a-z0-9\n' '-').log
    start=$(date +%s)
    if "$@" >"$log" 2>&1; then state=ok; else state=FAILED; fi
    count=$(count_tests "$log")
    if [ -n "$count" ]; then
        passed=$((passed + ${count%% *}))
        failed=$((failed + ${count##* }))
    elif [ $state = ok ]; then
        passed=$((passed + 1))
    fi
    if [ $state = FAILED ]; then
        [ -n "$count" ] && [ "${count##* }" != 0 ] || failed=$((failed + 1))
        tail -60 "$log"
    fi
    echo "$state $name (${count:+${count%% *} passed, ${count##* } failed, }$(($(date +%s) - start)) s)"
}

# Criterion's synthesis, or a line "N passed, N failed".
count_tests() {
    sed -n 's/.*Synthesis: Tested: .*Passing: [^0-9]*\([0-9]*\).*Failing: [^0-9]*\([0-9]*\).*Crashing: [^0-9]*\([0-9]*\).*/\1 \2 \3/p' \
        "$1" | awk '{print $1, $2 + $3}' | tail -1
    sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$1" | tail -1
}

fuzz_all() {
    targets=$(make -s fuzz-names)
    n=$(echo "$targets" | wc -w)
    for target in $targets; do
        make -s fuzz ON="$target" FOR=$((${FUZZ_SECONDS:-30} / n + 1)) || return 1
    done
    echo "$n passed, 0 failed"
}

jobs=$(nproc)
part "build with gcc" make -s -j"$jobs" all
part "build with clang" make -s -j"$jobs" MODE=clang CC=clang objects
part "floors" make -s floors
part "format" make -s format
make -s -j"$jobs" build/release/test-all >/dev/null 2>&1
part "tests" make -s test
make -s -j"$jobs" MODE=asan build/asan/test-all >/dev/null 2>&1
part "tests under sanitizers" make -s MODE=asan test
for script in tests/run/*.sh; do
    [ -x "$script" ] && part "$(basename "$script" .sh | tr _ ' ')" tests/support/cluster.sh "$script"
done
realdata=${REALDATA:-../shared/realdata}
[ -d "$realdata" ] && part "real data" make -s realdata DIR="$realdata"
part "fuzz" fuzz_all
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
