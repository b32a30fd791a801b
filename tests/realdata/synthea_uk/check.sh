# Synthea with UK geography: SNOMED CT problems, people known by UUIDs.
set_up synthea_uk synthea_uk
run_set 2021-08-01
ids=$here/ids
cells "$here/data/patients.csv.gz" id birthdate deathdate | alive $as_of >"$ids"
rows_in_run() { cells "$here/data/$1.csv.gz" patient start code | among "$ids" $as_of; }

people "$(wc -l <"$ids")"
counted "condition rows" "$(rows_in_run conditions | wc -l)" conditions
counted "medication rows" "$(rows_in_run medications | wc -l)" medications
counted "care plan rows" "$(rows_in_run careplans | wc -l)" careplans
read_rows condition conditions
read_rows medication medications
read_rows careplan careplans

# Deficits of every person. The engine knows people by a hash, so the numbers alone are
# compared.
rows_in_run conditions | awk -F, -v ids="$ids" '
    FILENAME != "-" {if ($3 == "SNOMED") deficits[$4] = deficits[$4] " " $1; next}
    {
        n = split(deficits[$3], d, " ")
        for (i = 1; i <= n; i++)
            if (!has[$1, d[i]]++)
                sum[$1]++
    }
    END {while ((getline id < ids) > 0) print sum[id] + 0}' \
    configs/codelists/efi_codes.csv - | sort -n >"$here/deficits"
scores "$out" deficits | cut -d, -f2 | sort -n >"$here/deficits.engine"
expect "synthea_uk: frailty deficits of every person" cmp "$here/deficits" "$here/deficits.engine"
counted "frailty deficits" "$(awk '{sum += $1} END {print sum}' "$here/deficits")" deficits
