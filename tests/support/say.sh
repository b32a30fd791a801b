# say.sh: what the shell tests share. Source it; end with `summary`.
passed=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stratify=${STRATIFY:-build/release/stratify}

# expect NAME COMMAND...: the command must succeed.
expect() {
    name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
        tail -20 "$work/out"
    fi
}

# expect_same NAME A B: two texts or numbers.
expect_same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  one:   %s\n  other: %s\n' "$1" "$2" "$3"
    fi
}

# expect_exit NAME CODE COMMAND...: the command must end with this code.
expect_exit() {
    name=$1 want=$2
    shift 2
    got=0
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$want" ] || tail -5 "$work/out"
    expect_same "$name: exit code" "$got" "$want"
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
