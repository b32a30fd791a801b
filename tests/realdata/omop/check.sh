# OMOP CDM tables in PostgreSQL: look-ups in concept must not lose rows.
set_up omop omop_synthea27

# Column types by the naming rules of the CDM.
create_tables() {
    echo "create schema omop;"
    for file in "$here"/data/*.csv.gz; do
        table=$(basename "$file" .csv.gz)
        zcat "$file" | head -n 1 | awk -F, -v table="$table" '{
            printf "create table omop.%s (", table
            for (i = 1; i <= NF; i++) {
                type = "text"
                if ($i ~ /_id$/ && $i !~ /^(domain|vocabulary|concept_class)_id$/) type = "bigint"
                if ($i ~ /_of_birth$/) type = "int"
                if ($i ~ /_date$/) type = "date"
                printf "%s%s %s", (i > 1 ? ", " : ""), $i, type
            }
            print ");"
        }'
        printf "%scopy omop.%s from program 'zcat %s' with (format csv, header)\n" '\' "$table" "$file"
    done
}

create_tables >"$here/tables.sql"
expect "omop tables load" psql -Xq -v ON_ERROR_STOP=1 -f "$here/tables.sql"
run_set 2022-11-01
ids=$here/ids
cells "$here/data/death.csv.gz" person_id death_date |
    awk -F, -v d=$as_of '$2 < d {print $1}' >"$here/dead"
cells "$here/data/person.csv.gz" person_id | grep -vxFf "$here/dead" >"$ids"
rows_in_run() {
    file=$1
    shift
    cells "$here/data/$file.csv.gz" person_id "$@" | among "$ids" $as_of
}

people "$(wc -l <"$ids")"
counted "condition rows" "$(rows_in_run condition_occurrence condition_start_date | wc -l)" conditions
counted "drug rows" "$(rows_in_run drug_exposure drug_exposure_start_date | wc -l)" drugs
counted "procedure rows" "$(rows_in_run procedure_occurrence procedure_date | wc -l)" procedures
counted visits "$(rows_in_run visit_occurrence visit_start_date | wc -l)" visits
counted "emergency visits" "$(rows_in_run visit_occurrence visit_start_date visit_concept_id |
    awk -F, '$3 == 9203' | wc -l)" emergencies
read_rows condition condition_occurrence
read_rows drug drug_exposure
read_rows visit visit_occurrence
read_rows procedure procedure_occurrence
read_rows people person
