-- An example of an integrated dataset, schema sid: what a run reads. It stands for the
-- platform of an integrated care system; a real one has its own tables, and says in
-- configs/sources.yaml which of them are what. Names in capitals are those of the NHS
-- Data Model and Dictionary.
--
-- Can be applied again: tables that are there are left alone. Keys and indexes are in
-- 11_source_indexes.sql, applied after the rows.

create schema if not exists sid;
comment on schema sid is 'Example integrated dataset: linked, pseudonymised records of people';

create table if not exists sid.person (
    person_id bigint not null,
    birth_date date,
    sex text,
    ethnic_category text,
    lsoa_code text,
    imd_decile smallint,
    imd_vintage text,
    is_care_home boolean not null default false,
    death_date date,
    is_test_patient boolean not null default false
);
comment on table sid.person is
    'One row a person (PATIENT). The person is a pseudonym; no identifier is held.';
comment on column sid.person.person_id is
    'Pseudonym; the same in every table and feed';
comment on column sid.person.birth_date is
    'PERSON BIRTH DATE';
comment on column sid.person.sex is
    'PERSON PHENOTYPIC SEX: M male, F female, I indeterminate, U not known';
comment on column sid.person.ethnic_category is
    'ETHNIC CATEGORY: A to S of the 2001 census, Z not stated, 99 not known';
comment on column sid.person.lsoa_code is
    'LOWER LAYER SUPER OUTPUT AREA (RESIDENCE), 2011 boundaries';
comment on column sid.person.imd_decile is
    'INDEX OF MULTIPLE DEPRIVATION DECILE of the LSOA: 1 most deprived, 10 least';
comment on column sid.person.imd_vintage is
    'Release of the index that the decile is from';
comment on column sid.person.is_care_home is
    'Usual address is a care home (ACCOMMODATION STATUS)';
comment on column sid.person.death_date is
    'PERSON DEATH DATE; null while alive';
comment on column sid.person.is_test_patient is
    'Made for testing a system: never a real person';

create table if not exists sid.registration (
    person_id bigint not null,
    practice_code text not null,
    start_date date,
    end_date date
);
comment on table sid.registration is
    'GP PATIENT REGISTRATION: one row a person and practice. Overlaps occur.';
comment on column sid.registration.person_id is
    'Pseudonym';
comment on column sid.registration.practice_code is
    'GENERAL MEDICAL PRACTICE CODE (PATIENT REGISTRATION), ODS';
comment on column sid.registration.start_date is
    'GP PRACTICE REGISTRATION START DATE';
comment on column sid.registration.end_date is
    'GP PRACTICE REGISTRATION END DATE; null while registered';

create table if not exists sid.practice (
    practice_code text not null,
    practice_name text,
    pcn_code text,
    pcn_name text,
    locality text,
    place text,
    icb_code text
);
comment on table sid.practice is
    'Practice, PCN, locality, place. Geography is data: one more grouping is one more column.';
comment on column sid.practice.practice_code is
    'ORGANISATION CODE (GP PRACTICE), ODS';
comment on column sid.practice.practice_name is
    'ORGANISATION NAME';
comment on column sid.practice.pcn_code is
    'PRIMARY CARE NETWORK CODE; null where the practice is in none';
comment on column sid.practice.pcn_name is
    'PRIMARY CARE NETWORK NAME';
comment on column sid.practice.locality is
    'Planning locality of the practice; a PCN may lie across two';
comment on column sid.practice.place is
    'Place of the integrated care system';
comment on column sid.practice.icb_code is
    'INTEGRATED CARE BOARD CODE, ODS';

create table if not exists sid.opt_out (
    person_id bigint not null,
    opt_out_type text not null,
    opt_out_date date
);
comment on table sid.opt_out is
    'What a person has asked not to happen with their data.';
comment on column sid.opt_out.person_id is
    'Pseudonym';
comment on column sid.opt_out.opt_out_type is
    'type-1 (leaves no practice), national (NATIONAL DATA OPT-OUT), local (no risk stratification)';
comment on column sid.opt_out.opt_out_date is
    'Date it took effect';

create table if not exists sid.gp_event (
    person_id bigint not null,
    event_date date,
    snomed_code bigint,
    numeric_value double precision
);
comment on table sid.gp_event is
    'Coded entries of the GP record.';
comment on column sid.gp_event.person_id is
    'Pseudonym';
comment on column sid.gp_event.event_date is
    'CLINICAL EVENT DATE; null or a sentinel such as 1900-01-01 where not known';
comment on column sid.gp_event.snomed_code is
    'SNOMED CT CONCEPT ID';
comment on column sid.gp_event.numeric_value is
    'OBSERVATION VALUE, where the entry is a measurement';

create table if not exists sid.prescription (
    person_id bigint not null,
    issue_date date,
    bnf_code text,
    items smallint
);
comment on table sid.prescription is
    'Medicines issued by the practice: one row an issue of one medicine.';
comment on column sid.prescription.person_id is
    'Pseudonym';
comment on column sid.prescription.issue_date is
    'PRESCRIPTION ISSUE DATE';
comment on column sid.prescription.bnf_code is
    'BRITISH NATIONAL FORMULARY CODE: chemical substance (9 characters) or presentation (15)';
comment on column sid.prescription.items is
    'PRESCRIPTION ITEM COUNT; an issue for two months counts 2';

create table if not exists sid.hospital_spell (
    spell_id bigint not null,
    person_id bigint not null,
    admission_date date,
    discharge_date date,
    discharge_ready_date date,
    admission_method text,
    main_specialty text,
    discharge_destination text,
    provider_code text
);
comment on table sid.hospital_spell is
    'HOSPITAL PROVIDER SPELL: one stay with one provider. This is an admission.';
comment on column sid.hospital_spell.spell_id is
    'HOSPITAL PROVIDER SPELL IDENTIFIER';
comment on column sid.hospital_spell.person_id is
    'Pseudonym';
comment on column sid.hospital_spell.admission_date is
    'START DATE (HOSPITAL PROVIDER SPELL)';
comment on column sid.hospital_spell.discharge_date is
    'DISCHARGE DATE (HOSPITAL PROVIDER SPELL); null while in hospital';
comment on column sid.hospital_spell.discharge_ready_date is
    'DISCHARGE READY DATE (HOSPITAL PROVIDER SPELL)';
comment on column sid.hospital_spell.admission_method is
    'METHOD OF ADMISSION (HOSPITAL PROVIDER SPELL): 21 to 28 and 2A to 2D emergency, 11 to 13 elective, 31 and 32 maternity';
comment on column sid.hospital_spell.main_specialty is
    'MAIN SPECIALTY CODE of the first episode';
comment on column sid.hospital_spell.discharge_destination is
    'DESTINATION OF DISCHARGE (HOSPITAL PROVIDER SPELL): 19 home, 79 died';
comment on column sid.hospital_spell.provider_code is
    'ORGANISATION IDENTIFIER (CODE OF PROVIDER), ODS';

create table if not exists sid.hospital_episode (
    episode_id bigint not null,
    spell_id bigint not null,
    person_id bigint not null,
    episode_order smallint,
    episode_start date,
    episode_end date
);
comment on table sid.hospital_episode is
    'CONSULTANT EPISODE (HOSPITAL PROVIDER): the part of a spell under one consultant.';
comment on column sid.hospital_episode.episode_id is
    'CONSULTANT EPISODE IDENTIFIER';
comment on column sid.hospital_episode.spell_id is
    'Its HOSPITAL PROVIDER SPELL IDENTIFIER';
comment on column sid.hospital_episode.person_id is
    'Pseudonym';
comment on column sid.hospital_episode.episode_order is
    'EPISODE NUMBER within the spell, from 1';
comment on column sid.hospital_episode.episode_start is
    'START DATE (EPISODE)';
comment on column sid.hospital_episode.episode_end is
    'END DATE (EPISODE)';

create table if not exists sid.diagnosis (
    episode_id bigint,
    spell_id bigint,
    person_id bigint not null,
    diagnosis_date date,
    position smallint,
    icd10_code text
);
comment on table sid.diagnosis is
    'Diagnoses of episodes: one row a code.';
comment on column sid.diagnosis.episode_id is
    'CONSULTANT EPISODE IDENTIFIER';
comment on column sid.diagnosis.spell_id is
    'HOSPITAL PROVIDER SPELL IDENTIFIER';
comment on column sid.diagnosis.person_id is
    'Pseudonym';
comment on column sid.diagnosis.diagnosis_date is
    'Start of the episode that recorded it';
comment on column sid.diagnosis.position is
    '1 PRIMARY DIAGNOSIS (ICD), 2 and up SECONDARY DIAGNOSIS (ICD)';
comment on column sid.diagnosis.icd10_code is
    'ICD-10 code as the feed wrote it: dots, an X filler and lower case occur';

create table if not exists sid.ae_attendance (
    person_id bigint not null,
    arrival_date date,
    department_type text,
    disposal text,
    acuity text
);
comment on table sid.ae_attendance is
    'EMERGENCY CARE ATTENDANCE.';
comment on column sid.ae_attendance.person_id is
    'Pseudonym';
comment on column sid.ae_attendance.arrival_date is
    'EMERGENCY CARE ARRIVAL DATE';
comment on column sid.ae_attendance.department_type is
    'EMERGENCY CARE DEPARTMENT TYPE: 01 major, 02 single specialty, 03 urgent treatment, 04 walk-in';
comment on column sid.ae_attendance.disposal is
    'A and E ATTENDANCE DISPOSAL CODE: 01 admitted, 02 and 03 discharged, 12 left before treatment';
comment on column sid.ae_attendance.acuity is
    'EMERGENCY CARE ACUITY: 1 immediate to 5 non-urgent';

create table if not exists sid.outpatient_appointment (
    person_id bigint not null,
    appointment_date date,
    specialty text,
    attended text
);
comment on table sid.outpatient_appointment is
    'OUT-PATIENT APPOINTMENT.';
comment on column sid.outpatient_appointment.person_id is
    'Pseudonym';
comment on column sid.outpatient_appointment.appointment_date is
    'APPOINTMENT DATE';
comment on column sid.outpatient_appointment.specialty is
    'MAIN SPECIALTY CODE';
comment on column sid.outpatient_appointment.attended is
    'ATTENDED OR DID NOT ATTEND CODE: 5 and 6 seen, 3 did not attend, 2 and 4 cancelled';

create table if not exists sid.community_contact (
    person_id bigint not null,
    contact_date date,
    team text
);
comment on table sid.community_contact is
    'CARE CONTACT of community health services.';
comment on column sid.community_contact.person_id is
    'Pseudonym';
comment on column sid.community_contact.contact_date is
    'CARE CONTACT DATE';
comment on column sid.community_contact.team is
    'SERVICE OR TEAM TYPE REFERRED TO (COMMUNITY CARE), in words';

create table if not exists sid.mental_health_contact (
    person_id bigint not null,
    contact_date date,
    team text
);
comment on table sid.mental_health_contact is
    'CARE CONTACT of mental health services.';
comment on column sid.mental_health_contact.person_id is
    'Pseudonym';
comment on column sid.mental_health_contact.contact_date is
    'CARE CONTACT DATE';
comment on column sid.mental_health_contact.team is
    'SERVICE OR TEAM TYPE REFERRED TO (MENTAL HEALTH), in words';

create table if not exists sid.social_care_package (
    person_id bigint not null,
    start_date date,
    end_date date,
    package_type text,
    weekly_cost double precision
);
comment on table sid.social_care_package is
    'Adult social care arranged by the council.';
comment on column sid.social_care_package.person_id is
    'Pseudonym';
comment on column sid.social_care_package.start_date is
    'Start of the package';
comment on column sid.social_care_package.end_date is
    'End of the package; null while it lasts';
comment on column sid.social_care_package.package_type is
    'Service type, in words';
comment on column sid.social_care_package.weekly_cost is
    'Gross weekly cost in pounds';

create table if not exists sid.synth_dirt (
    kind text not null,
    source text not null,
    rows bigint not null
);
comment on table sid.synth_dirt is
    'How many faulty rows stratify synth has planted, by kind and table. Empty on a real platform.';
comment on column sid.synth_dirt.kind is
    'Kind of fault, as in --dirt';
comment on column sid.synth_dirt.source is
    'Table of this schema';
comment on column sid.synth_dirt.rows is
    'Number of rows';
