#!/bin/sh
# Fails if a file includes a header of a higher floor, or of another folder on its
# own floor. The floors are those of docs/house.md.
floor() {
    case $1 in
    engine/base) echo 0 ;;
    engine/config | engine/rule | models/trees) echo 1 ;;
    engine/codes) echo 2 ;;
    engine/plan) echo 3 ;;
    engine/store | engine/db | engine/extract) echo 4 ;;
    loaders | models | engine/synth) echo 5 ;;
    engine/strata) echo 6 ;;
    engine/publish) echo 7 ;;
    engine) echo 8 ;;
    *)
        echo "unknown folder $1" >&2
        echo 99
        ;;
    esac
}
grep -rn --include='*.[ch]' '^#include "' engine loaders models |
    sed 's/^\([^:]*\):\([0-9]*\):#include "\(.*\)".*/\1 \2 \3/' |
    {
        bad=0
        while read -r file line header; do
            from=$(dirname "$file") to=$(dirname "$header")
            [ "$from" = "$to" ] && continue
            if [ "$(floor "$to")" -ge "$(floor "$from")" ]; then
                echo "$file:$line: must not include $header" && bad=1
            fi
        done
        exit $bad
    }
