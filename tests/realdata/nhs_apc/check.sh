# Simulated hospital episodes: spells from episodes, X filler, sex 9, one-digit methods.
set_up nhs_apc nhs_apc_simulated
run_set 2018-02-01
ids=$here/ids
cells "$here/data/patients.csv.gz" patient_id date_of_birth date_of_death | alive $as_of >"$ids"

episodes() {
    cells "$here/data/episodes.csv.gz" patient_id admission_date encounter_id admission_method |
        among "$ids" $as_of
}
diagnoses() {
    cells "$here/data/diagnoses.csv.gz" patient_id episode_start icd_code | among "$ids" $as_of
}

people "$(wc -l <"$ids")"
counted spells "$(episodes | cut -d, -f1,3 | sort -u | wc -l)" spells
counted "emergency spells" "$(episodes | awk -F, '$4 == 2 {print $1, $3}' | sort -u | wc -l)" \
    emergencies
counted diagnoses "$(diagnoses | wc -l)" diagnoses
counted prescriptions "$(cells "$here/data/prescriptions.csv.gz" patient_id authoring_date |
    among "$ids" $as_of | wc -l)" prescriptions
read_rows spell episodes
read_rows diagnosis diagnoses
read_rows prescription prescriptions

# The Hospital Frailty Risk Score of every person, in tenths.
diagnoses | awk -F, '$2 >= "2016-02-01" {print $1 "," substr($3, 1, 3)}' | sort -u |
    awk -F, -v ids="$ids" '
        FILENAME != "-" {if (FNR > 1) tenths[$1] = int($2 * 10 + 0.5); next}
        {sum[$1] += tenths[$2]}
        END {while ((getline id < ids) > 0) printf "%s,%.6g\n", id, sum[id] / 10}' \
        configs/codelists/hfrs.csv - | sort >"$here/hfrs"
scores "$out" hfrs >"$here/hfrs.engine"
expect "nhs_apc: frailty score of every person" cmp "$here/hfrs" "$here/hfrs.engine"
counted "sum of frailty scores" \
    "$(awk -F, '{sum += $2} END {printf "%.6g\n", sum}' "$here/hfrs")" hfrs
