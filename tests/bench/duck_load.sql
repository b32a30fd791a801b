-- The tables that the job needs, from the CSV files of the server: done once, not timed.
create table person as select * from read_csv(':dir/person.csv', header = true,
    nullstr = '', types = {'person_id': 'BIGINT', 'sex': 'VARCHAR'});
create table registration as select * from read_csv(':dir/registration.csv', header = true);
create table practice as select * from read_csv(':dir/practice.csv', header = true);
create table opt_out as select * from read_csv(':dir/opt_out.csv', header = true);
create table gp_event as select * from read_csv(':dir/gp_event.csv', header = true,
    columns = {'person_id': 'BIGINT', 'event_date': 'DATE', 'snomed_code': 'BIGINT',
               'numeric_value': 'DOUBLE'});
create table prescription as select * from read_csv(':dir/prescription.csv', header = true,
    columns = {'person_id': 'BIGINT', 'issue_date': 'DATE', 'bnf_code': 'VARCHAR',
               'items': 'SMALLINT'});
create table hospital_spell as select * from read_csv(':dir/hospital_spell.csv', header = true,
    types = {'admission_method': 'VARCHAR'});
create table diagnosis as select * from read_csv(':dir/diagnosis.csv', header = true,
    types = {'icd10_code': 'VARCHAR'});
create table ae_attendance as select * from read_csv(':dir/ae_attendance.csv', header = true);
create table efi_code as select * from read_csv(':dir/efi_code.csv', header = true,
    types = {'gt': 'DOUBLE', 'lt': 'DOUBLE', 'sex': 'VARCHAR', 'has_rule': 'BOOLEAN'});
create table hfrs_code as select * from read_csv(':dir/hfrs_code.csv', header = true);
create table charlson_code as select * from read_csv(':dir/charlson_code.csv', header = true);
create table charlson_bit as select * from read_csv(':dir/charlson_bit.csv', header = true);
create table chapter as select * from read_csv(':dir/chapter.csv', header = true,
    types = {'chapter': 'VARCHAR'});
create table sentinel as select * from read_csv(':dir/sentinel.csv', header = true);
