-- What the SQL peer has before its night begins: the code lists as tables, ready to join,
-- and result tables of the same shape as those of the engine. Run from the repository root.
drop schema if exists peer cascade;
create schema peer;

create temp table efi_code_rows (
    deficit text, label text, system text, code text, term text, also_in text,
    flags text, flag_note text);
\copy efi_code_rows from 'configs/codelists/efi_codes.csv' with (format csv, header)
create temp table efi_value_rows (
    rule text, deficit text, measure text, sex text, gt double precision,
    lt double precision, units text, system text, code text, provenance text, note text);
\copy efi_value_rows from 'configs/codelists/efi_value_rules.csv' with (format csv, header)
create temp table hfrs_rows (code text, weight numeric(4, 1), label text);
\copy hfrs_rows from 'configs/codelists/hfrs.csv' with (format csv, header)
create temp table charlson_rows (condition text, prefix text);
\copy charlson_rows from 'configs/codelists/charlson_quan_icd10.csv' with (format csv, header)
create temp table charlson_weight (
    condition text, label text, charlson1987 int, quan2011 int, shmi int);
\copy charlson_weight from 'configs/codelists/charlson_weights.csv' with (format csv, header)
create temp table chapter_rows (chapter text, label text);
\copy chapter_rows from 'configs/codelists/bnf_chapters.csv' with (format csv, header)

-- One bit a deficit. A listed code counts whatever its value: one row a code. A rule on
-- values counts within its bounds: one row a rule.
create temp table bit as
select deficit, 1::bigint << (row_number() over (order by deficit) - 1)::int as mask
from (select deficit from efi_code_rows union select deficit from efi_value_rows) d;
create table peer.efi_code as
select code::bigint as code, bit_or(mask) as mask, null::float8 as gt, null::float8 as lt,
    null::text as sex, false as has_rule
from efi_code_rows join bit using (deficit)
where system = 'SNOMED' group by code
union all
select code::bigint, mask, gt, lt, nullif(sex, ''),
    gt is not null or lt is not null or nullif(sex, '') is not null
from efi_value_rows join bit using (deficit)
where system = 'SNOMED';

create table peer.hfrs_code as
select code, (weight * 10)::int as tenths, row_number() over (order by code)::int as number
from hfrs_rows;

create table peer.charlson_code as
select prefix, 1 << (dense_rank() over (order by condition) - 1)::int as mask
from charlson_rows;

create table peer.charlson_bit as
select b.mask, b.weight, coalesce(s.mask, 0) as serious_mask
from (select condition, charlson1987 as weight,
          1 << (dense_rank() over (order by condition) - 1)::int as mask
      from charlson_weight join (select distinct condition from charlson_rows) r
          using (condition)) b
left join (values ('diab', 'diabwc'), ('canc', 'metacanc'), ('mld', 'msld'))
    as h (mild, serious) on h.mild = b.condition
left join (select condition, 1 << (dense_rank() over (order by condition) - 1)::int as mask
           from (select distinct condition from charlson_rows) r) s
    on s.condition = h.serious;

create table peer.chapter as select chapter from chapter_rows;
create table peer.sentinel (day date);
insert into peer.sentinel values ('1582-10-15'), ('1600-01-01'), ('1800-01-01'),
    ('1801-01-01'), ('1900-01-01'), ('9999-12-31');

create table peer.person (
    run_id bigint not null, person_id bigint not null, practice_code text not null,
    age smallint not null, segment_no smallint, score double precision[] not null,
    outcome smallint[] not null, band smallint[] not null, rank integer[] not null,
    flag smallint[], primary key (run_id, person_id)) partition by list (run_id);
create table peer.cohort_member (
    run_id bigint not null, cohort text not null, group_code text not null,
    rank integer not null, person_id bigint not null, movement text not null,
    left_reason text, practice_code text, age smallint, segment_no smallint, scores jsonb,
    reasons text[], explanation jsonb, primary key (run_id, cohort, group_code, person_id))
    partition by list (run_id);
analyze;
