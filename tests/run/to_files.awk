# Rewrites sources.yaml so that tables are read from gzip CSV files in the folder `feed`;
# with `only`, that one table and no other.
/^ *table: sid\./ {
    indent = $0
    sub(/table:.*/, "", indent)
    table = $2
    sub(/^sid\./, "", table)
    if (only == "" || only == table) {
        print indent "kind: csv"
        print indent "files: \"" feed "/" table "*.csv.gz\""
        next
    }
}
{ print }
