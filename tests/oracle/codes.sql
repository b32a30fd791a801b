-- The code lists as temporary tables, read from the same CSV files as the engine's.
-- Run from the repository root.

create temp table efi_code_rows (
    deficit text, label text, system text, code text, term text, also_in text,
    flags text, flag_note text);
\copy efi_code_rows from 'configs/codelists/efi_codes.csv' with (format csv, header)

create temp table efi_value_rows (
    rule text, deficit text, measure text, sex text, gt double precision,
    lt double precision, units text, system text, code text, provenance text, note text);
\copy efi_value_rows from 'configs/codelists/efi_value_rules.csv' with (format csv, header)

create temp table hfrs_code (code text primary key, weight numeric(4, 1), label text);
\copy hfrs_code from 'configs/codelists/hfrs.csv' with (format csv, header)

create temp table charlson_code (condition text, prefix text, primary key (prefix));
\copy charlson_code from 'configs/codelists/charlson_quan_icd10.csv' with (format csv, header)

create temp table charlson_weight (
    condition text primary key, label text, charlson1987 int, quan2011 int, shmi int);
\copy charlson_weight from 'configs/codelists/charlson_weights.csv' with (format csv, header)

create temp table bnf_chapter (chapter text primary key, label text);
\copy bnf_chapter from 'configs/codelists/bnf_chapters.csv' with (format csv, header)

-- A listed code counts whatever its value; a value rule only within its bounds.
create temp table efi_rule as
select deficit, code::bigint as code, null::float8 as gt, null::float8 as lt, null as sex
from efi_code_rows where system = 'SNOMED'
union
select deficit, code::bigint, gt, lt, nullif(sex, '')
from efi_value_rows where system = 'SNOMED';
create index on efi_rule (code);

analyze efi_rule;
analyze sid.gp_event, sid.prescription, sid.diagnosis, sid.hospital_spell, sid.hospital_episode;
