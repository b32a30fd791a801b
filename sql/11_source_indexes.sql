-- Keys and indexes of schema sid, applied after the rows; can be applied again. The rows
-- lie in the order of time, so a small block range index finds a window of dates.

create index if not exists gp_event_person_id_idx
    on sid.gp_event using btree (person_id, event_date);

create index if not exists prescription_person_id_idx
    on sid.prescription using btree (person_id, issue_date);

create index if not exists gp_event_snomed_code_idx
    on sid.gp_event using btree (snomed_code);

create index if not exists diagnosis_person_id_idx
    on sid.diagnosis using btree (person_id, diagnosis_date);

create index if not exists diagnosis_icd10_code_idx
    on sid.diagnosis using btree (icd10_code);

create index if not exists diagnosis_episode_id_idx
    on sid.diagnosis using btree (episode_id);

create index if not exists outpatient_appointment_person_id_idx
    on sid.outpatient_appointment using btree (person_id, appointment_date);

create index if not exists ae_attendance_person_id_idx
    on sid.ae_attendance using btree (person_id, arrival_date);

create index if not exists community_contact_person_id_idx
    on sid.community_contact using btree (person_id, contact_date);

alter table sid.hospital_episode drop constraint if exists hospital_episode_pkey,
    add constraint hospital_episode_pkey primary key (episode_id);

create index if not exists hospital_episode_spell_id_idx
    on sid.hospital_episode using btree (spell_id);

alter table sid.hospital_spell drop constraint if exists hospital_spell_pkey,
    add constraint hospital_spell_pkey primary key (spell_id);

create index if not exists hospital_spell_person_id_idx
    on sid.hospital_spell using btree (person_id, admission_date);

create index if not exists mental_health_contact_person_id_idx
    on sid.mental_health_contact using btree (person_id, contact_date);

alter table sid.person drop constraint if exists person_pkey,
    add constraint person_pkey primary key (person_id);

create index if not exists registration_person_id_idx
    on sid.registration using btree (person_id, start_date);

create index if not exists registration_practice_code_idx
    on sid.registration using btree (practice_code);

create index if not exists social_care_package_person_id_idx
    on sid.social_care_package using btree (person_id, start_date);

create index if not exists opt_out_person_id_idx
    on sid.opt_out using btree (person_id);

alter table sid.practice drop constraint if exists practice_pkey,
    add constraint practice_pkey primary key (practice_code);

alter table sid.synth_dirt drop constraint if exists synth_dirt_pkey,
    add constraint synth_dirt_pkey primary key (kind, source);

create index if not exists gp_event_event_date_brin
    on sid.gp_event using brin (event_date);

create index if not exists prescription_issue_date_brin
    on sid.prescription using brin (issue_date);

create index if not exists hospital_spell_admission_date_brin
    on sid.hospital_spell using brin (admission_date);

create index if not exists diagnosis_diagnosis_date_brin
    on sid.diagnosis using brin (diagnosis_date);
