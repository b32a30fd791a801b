-- Admissions of people in the run, with days that may be true. Needs population.sql.

create temp table spell as
select s.person_id, spell_id, admission_date as day, admission_method as method,
    main_specialty as specialty
from sid.hospital_spell s
join in_run p using (person_id)
where not p.hides_hospital and admission_date < :'as_of'
    and admission_date between p.birth_date and coalesce(p.death_date, 'infinity')
    and admission_date not in (select day from sentinel);
analyze spell;
