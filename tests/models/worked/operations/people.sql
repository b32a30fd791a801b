-- One admission each, for configs/operations: diagnoses and operations in their order. Needs
-- sql/10_source.sql.
create table sid.operation (episode_id bigint, position int, opcs4_code text);
create temp table admission (id int, diagnoses text, operations text, method text, specialty text,
    sex text, episode int, day date, is_open boolean);
insert into admission values
    (1, 'L03', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (2, 'L03', 'A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (3, 'L03', 'I01', '21', '300', 'F', 1, date '2025-09-09', false),
    (4, 'L03', 'S471', '21', '300', 'F', 1, date '2025-09-09', false),
    (5, 'L03', 'S461', '21', '300', 'F', 1, date '2025-09-09', false),
    (6, 'L03', 'X031', '21', '300', 'F', 1, date '2025-09-09', false),
    (7, 'L03', 'X011', '21', '300', 'F', 1, date '2025-09-09', false),
    (8, 'L03', 'X061', '21', '300', 'F', 1, date '2025-09-09', false),
    (9, 'L03', 'X111', '21', '300', 'F', 1, date '2025-09-09', false),
    (10, 'L03', 'X311', '21', '300', 'F', 1, date '2025-09-09', false),
    (11, 'L03', 'S411', '21', '300', 'F', 1, date '2025-09-09', false),
    (12, 'L03', 'S501', '21', '300', 'F', 1, date '2025-09-09', false),
    (13, 'L03', 'Y531 A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (14, 'I50', 'K401', '21', '300', 'F', 1, date '2025-09-09', false),
    (15, 'I50', 'K511', '21', '300', 'F', 1, date '2025-09-09', false),
    (16, 'I50', 'K501', '21', '300', 'F', 1, date '2025-09-09', false),
    (17, 'I50', 'U201 K401', '21', '300', 'F', 1, date '2025-09-09', false),
    (18, 'I10', 'K711', '21', '300', 'F', 1, date '2025-09-09', false),
    (19, 'I10', 'K701', '21', '300', 'F', 1, date '2025-09-09', false),
    (20, 'I119', 'K531', '21', '300', 'F', 1, date '2025-09-09', false),
    (21, 'I110', 'K521', '21', '300', 'F', 1, date '2025-09-09', false),
    (22, 'I20', 'A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (23, 'I20', 'I01', '21', '300', 'F', 1, date '2025-09-09', false),
    (24, 'I20', 'U201 A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (25, 'J45', 'A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (26, 'J45 E101', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (27, 'L03 E101', 'A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (28, 'L03', 'a52.1', '21', '300', 'F', 1, date '2025-09-09', false),
    (29, 'L03', '-', '21', '300', 'F', 1, date '2025-09-09', false),
    (30, 'L03', '', '21', '300', 'F', 1, date '2025-09-09', false),
    (31, 'J81X', 'K401', '21', '300', 'F', 1, date '2025-09-09', false),
    (32, 'J20 J44', 'A521', '21', '300', 'F', 1, date '2025-09-09', false),
    (33, 'J20', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (34, 'J18.1 D57', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (35, 'J18.1', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (36, 'G40 J181', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (37, 'N10 J181', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (38, 'S72 J181', null, '21', '300', 'F', 1, date '2025-09-09', false),
    (39, 'J45', null, '22', '300', 'F', 1, date '2025-09-09', false),
    (40, 'J45', null, '25', '300', 'F', 1, date '2025-09-09', false),
    (41, 'J45', null, '2A', '300', 'F', 1, date '2025-09-09', false),
    (42, 'J45', null, '2D', '300', 'F', 1, date '2025-09-09', false),
    (43, 'J45', null, '11', '300', 'F', 1, date '2025-09-09', false),
    (44, 'J45', null, '21', '501', 'F', 1, date '2025-09-09', false),
    (45, 'J45', null, '21', '560', 'F', 1, date '2025-09-09', false),
    (46, 'J45', null, '21', '610', 'F', 1, date '2025-09-09', false),
    (47, 'J45', null, '21', '300', 'F', 1, date '2025-09-09', true),
    (48, 'J45', null, '21', '300', 'F', 2, date '2025-09-09', false),
    (49, 'J45', null, '21', '300', 'U', 1, date '2025-09-09', false),
    (50, 'J45', null, '21', '300', 'F', 1, date '2025-04-01', false),
    (51, 'J45', null, '21', '300', 'F', 1, date '2025-03-31', false),
    (52, 'I10', null, '21', '300', 'F', 1, date '2025-09-09', false);

insert into sid.practice (practice_code, pcn_code, locality) values ('P1', 'U1', 'Town');
insert into sid.person (person_id, birth_date, sex) select id, '1950-01-01', sex from admission;
insert into sid.registration (person_id, practice_code, start_date)
select id, 'P1', '2000-01-01' from admission;
insert into sid.hospital_spell (spell_id, person_id, admission_date, admission_method, main_specialty)
select id, id, day, method, specialty from admission;
insert into sid.hospital_episode
select id, id, id, episode, day, case when not is_open then day + 2 end from admission;
insert into sid.diagnosis
select id, id, id, day, place, code
from admission, string_to_table(diagnoses, ' ') with ordinality as d (code, place);
insert into sid.operation
select id, place, nullif(code, '')
from admission, string_to_table(coalesce(operations, ''), ' ') with ordinality as o (code, place)
where operations is not null;
