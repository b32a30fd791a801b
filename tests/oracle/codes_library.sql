-- The further lists of configs/library.yaml, from the same CSV files as the engine's.

create temp table cms_rows (condition_id text, list text, role text, system text, code text,
    term text, provenance text, default_use text, flags text);
\copy cms_rows from 'configs/codelists/cms_codes.csv' with (format csv, header)
create temp table cms_medicine (list text, prefix text, note text);
\copy cms_medicine from 'configs/codelists/cms_drug_bnf_hint.csv' with (format csv, header)
create temp table qof_rows (cluster text, register text, role text, system text, code text,
    source text);
\copy qof_rows from 'configs/codelists/qof_codes.csv' with (format csv, header)
create temp table cfs_rows (system text, code text, level text, label text);
\copy cfs_rows from 'configs/codelists/cfs_codes.csv' with (format csv, header)
create temp table pam_rows (what text, system text, code text, label text);
\copy pam_rows from 'configs/codelists/pam_codes.csv' with (format csv, header)
create temp table acb_rows (prefix text, medicine text, weight int, confidence text);
\copy acb_rows from 'configs/codelists/acb_bnf.csv' with (format csv, header)
create temp table aec_rows (prefix text, medicine text, weight int, confidence text);
\copy aec_rows from 'configs/codelists/aec_bnf.csv' with (format csv, header)
create temp table bnf_scope (prefix text, name text, is_excluded text);
\copy bnf_scope from 'configs/codelists/bnf_polypharmacy_exclusions_ncl.csv' with (format csv, header)
create temp table shmi_code (condition text, prefix text, sources text);
\copy shmi_code from 'configs/codelists/charlson_shmi_icd10.csv' with (format csv, header)
create temp table elixhauser_code (condition text, prefix text);
\copy elixhauser_code from 'configs/codelists/elixhauser_quan_icd10.csv' with (format csv, header)
create temp table elixhauser_weight (condition text, label text, elixhauser int,
    elixhauser_ahrq_mortality int, elixhauser_ahrq_readmission int, swiss int);
\copy elixhauser_weight from 'configs/codelists/elixhauser_weights.csv' with (format csv, header)
create temp table imperial_code (syndrome text, prefix text);
\copy imperial_code from 'configs/codelists/frailty_imperial_icd10.csv' with (format csv, header)
create temp table acsc_code (system text, grouping text, condition text, place text,
    position_lt text, prefix text);
\copy acsc_code from 'configs/codelists/acsc_icd10.csv' with (format csv, header)
create temp table acsc_extra (system text, condition text, rule text, place text, prefix text);
\copy acsc_extra from 'tests/oracle/acsc_operations.csv' with (format csv, header)
create temp table falls_code (rule text, role text, place text, position_lt text, prefix text);
\copy falls_code from 'configs/codelists/falls_nhp_icd10.csv' with (format csv, header)

-- list, code: as each model reads the rows.
create temp table gp_list as
select distinct 'cms' as family, list, code::bigint as code from cms_rows
where system = 'SNOMED' and '1' = any (string_to_array(default_use, ';'))
    and not 'damaged' = any (string_to_array(coalesce(flags, ''), ';'))
union
select 'cms37', list, code::bigint from cms_rows
where system = 'SNOMED' and code <> '162658001'
union
select 'qof', cluster, code::bigint from qof_rows
union
select 'cfs', level, code::bigint from cfs_rows where system = 'SNOMED'
union
select 'pam', what, code::bigint from pam_rows;
create index on gp_list (code);
analyze gp_list;

-- Without the rows marked suspect-map.
create temp table efi_rule_reviewed as
select deficit, code::bigint as code, null::float8 as gt, null::float8 as lt, null as sex
from efi_code_rows
where system = 'SNOMED' and not 'suspect-map' = any (string_to_array(coalesce(flags, ''), ';'))
union
select deficit, code::bigint, gt, lt, nullif(sex, '')
from efi_value_rows where system = 'SNOMED';
create index on efi_rule_reviewed (code);
analyze efi_rule_reviewed;
