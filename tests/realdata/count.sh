# count.sh: reading CSV files by column name, and counting in them. Source it.

# cells FILE COLUMN...: these columns, comma-separated, without the header.
cells() {
    file=$1
    shift
    zcat "$file" | awk -F, -v want="$*" '
        {
            sub(/\r$/, "") # lines may end as RFC 4180 has it
            if (index($0, "\"")) { # commas inside quotes are no concern of ours
                pieces = split($0, piece, "\"")
                $0 = piece[1]
                for (i = 2; i <= pieces; i++) {
                    if (i % 2 == 0)
                        gsub(/,/, ";", piece[i])
                    $0 = $0 piece[i]
                }
            }
        }
        NR == 1 {
            n = split(want, name, " ")
            for (i = 1; i <= NF; i++)
                at[$i] = i
            for (i = 1; i <= n; i++)
                if (!(name[i] in at)) {
                    print "no column " name[i] > "/dev/stderr"
                    exit 1
                }
            next
        }
        {
            line = $at[name[1]]
            for (i = 2; i <= n; i++)
                line = line "," $at[name[i]]
            print line
        }'
}

rows_of() { zcat "$1" | tail -n +2 | wc -l | tr -d ' '; }

# add_up: NAME,NUMBER lines -> one sorted line a name with its sum.
add_up() { awk -F, '{sum[$1] += $2} END {for (s in sum) print s "=" sum[s]}' | sort | xargs; }

# scores OUT MODEL: person,score of everybody whom the model scored, sorted.
scores() {
    cells "$1/person.csv.gz" person_id "$2_score" |
        awk -F, '$2 != "" {printf "%s,%.6g\n", $1, $2}' | sort
}

score_sum() { scores "$1" "$2" | awk -F, '{sum += $2} END {printf "%.6g\n", sum}'; }

# alive AS_OF < id,birth,death: ids of those who are in the run.
alive() { awk -F, -v d="$1" '$2 <= d && ($3 == "" || $3 >= d) {print $1}'; }

# among IDS AS_OF < id,date,...: rows of these people before the day.
among() {
    awk -F, -v ids="$1" -v d="$2" '
        BEGIN {while ((getline id < ids) > 0) is_in[id] = 1}
        ($1 in is_in) && substr($2, 1, 10) < d'
}
