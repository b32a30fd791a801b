#!/bin/sh
# docs.sh [--check]: writes docs/models.md, the card of every model that ships, from the
# configs; with --check only says whether the file is current. The last chapter, which no
# config can say, is scripts/models_not_shipped.md.
set -eu
cd "$(dirname "$0")/.."
stratify=${STRATIFY:-build/release/stratify}
configs='library discharge/run inouye/run efi2/run'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The cards of a config, and their names in order. Without a server: all of it is in configs.
cards() {
    mkdir -p "$work/$1"
    env -u PGHOST "$stratify" models -q -c "configs/$1.yaml" | awk 'NR > 1 {print $1}' >"$work/$1/ids"
    while read -r id; do
        env -u PGHOST "$stratify" models -q "$id" -c "configs/$1.yaml" >"$work/$1/$id"
    done <"$work/$1/ids"
}
title() {
    case $1 in
    library) echo "The library (configs/library.yaml)" ;;
    discharge/run) echo "Admissions that have ended (configs/discharge)" ;;
    inouye/run) echo "Inouye's five factors (configs/inouye)" ;;
    efi2/run) echo "Optional, off by default (configs/efi2)" ;;
    esac
}

for config in $configs; do cards "$config"; done
{
    cat <<'END'
# Models

The card of every model that ships: what it is for, whom it applies to, what goes in, its bands, its source, licence and
limits. Made from the configs by `make docs`; `stratify models NAME -c CONFIG` prints one. Models that people ask for and
that do not ship, what is missing of each and the config that takes it, are in the
[last chapter](#models-that-are-not-shipped-and-what-they-would-need).

Segments that ship as `cohorts:` of a run: [Kaiser triangle](../configs/segments/kaiser.yaml), [frailty by long-term
conditions](../configs/segments/frailty_grid.yaml), [Core20PLUS5](../configs/segments/core20plus5.yaml), [BNSSG's segments of
the Cambridge score](../configs/segments/bnssg.yaml), and [life stages in the manner of Bridges to
Health](../configs/segments/bridges_style.yaml), which are our own reading.
END
    for config in $configs; do
        printf '\n## %s\n\n' "$(title "$config")"
        while read -r id; do
            printf -- '- [%s](#%s)\n' "$(sed -n '1s/^# //p' "$work/$config/$id")" "$id"
        done <"$work/$config/ids"
    done
    cat <<'END'

## Not shipped

- [The numbers are not public](#the-numbers-are-not-public)
- [The numbers are public, the licence is not clear](#the-numbers-are-public-the-licence-is-not-clear)
- [Parts of models that ship](#parts-of-models-that-ship)
- [Shipped, but waiting for inputs](#shipped-but-waiting-for-inputs)
END
    for config in $configs; do
        while read -r id; do
            printf '\n<a id="%s"></a>\n\n' "$id"
            # One level deeper: a card is a chapter here.
            sed 's/^#/##/' "$work/$config/$id"
        done <"$work/$config/ids"
    done
    printf '\n'
    sed 's/^#/##/' scripts/models_not_shipped.md
} >"$work/models.md"

if [ "${1:-}" = --check ]; then
    cmp "$work/models.md" docs/models.md
else
    cp "$work/models.md" docs/models.md
fi
