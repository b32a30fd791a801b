-- Days that feeds write for "not known": docs/contract.md.
create temp table sentinel (day date primary key);
insert into sentinel values ('1582-10-15'), ('1600-01-01'), ('1800-01-01'),
    ('1801-01-01'), ('1900-01-01'), ('9999-12-31');
