/*
 * test_folder.c - whose folder an extract lies in, and what is removed from it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/extract/folder.h"

static char outer[64], folder[96];

static void make_folder(void)
{
    snprintf(outer, sizeof outer, "/tmp/stratify-folder.XXXXXX");
    cr_assert_not_null(mkdtemp(outer));
    snprintf(folder, sizeof folder, "%s/extract", outer);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", outer);
    cr_assert_eq(system(command), 0);
}

static void put(const char *name)
{
    char path[160];
    Err err = {0};

    snprintf(path, sizeof path, "%s/%s", folder, name);
    cr_assert_eq(file_write(path, "x", 1, &err), 0, "%s", err.text);
}

static bool has(const char *name)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

TestSuite(folder, .init = make_folder, .fini = remove_folder);

Test(folder, is_for_its_owner_only)
{
    struct stat about;
    Err err = {0};
    char path[160];
    int fd;

    cr_assert_eq(folder_open(&fd, folder, FOLDER_WRITE, &err), 0, "%s", err.text);
    cr_assert_eq(stat(folder, &about), 0);
    cr_expect_eq(about.st_mode & 0777, 0700);
    put("a.stratum");
    snprintf(path, sizeof path, "%s/a.stratum", folder);
    cr_assert_eq(stat(path, &about), 0);
    cr_expect_eq(about.st_mode & 0777, 0600);
    folder_close(fd);
    for (mode_t bit = 1; bit < 0100; bit <<= 1) {
        err_clear(&err);
        cr_assert_eq(chmod(folder, 0700 | bit), 0);
        cr_expect_eq(folder_open(&fd, folder, FOLDER_READ, &err), -1, "mode %o",
                     0700 | bit);
        cr_expect_eq(err.kind, ERR_CONFIG);
        folder_close(fd);
    }
    cr_expect(strstr(err.text,
                     "extract: others can look into the folder of the extract") != NULL,
              "%s", err.text);
}

Test(folder, has_one_writer_or_many_readers)
{
    int reader, other, writer;
    Err err = {0};

    cr_assert_eq(folder_open(&writer, folder, FOLDER_WRITE, &err), 0, "%s", err.text);
    cr_expect_eq(folder_open(&reader, folder, FOLDER_READ, &err), -1);
    cr_expect_eq(err.kind, ERR_LOCKED);
    folder_close(reader);
    folder_close(writer);
    err_clear(&err);
    cr_assert_eq(folder_open(&reader, folder, FOLDER_READ, &err), 0, "%s", err.text);
    cr_assert_eq(folder_open(&other, folder, FOLDER_READ, &err), 0, "%s", err.text);
    cr_expect_eq(folder_open(&writer, folder, FOLDER_WRITE, &err), -1);
    cr_expect_eq(err.kind, ERR_LOCKED);
    folder_close(writer);
    err_clear(&err);
    cr_expect_eq(folder_delete(folder, &err), -1);
    folder_close(reader);
    folder_close(other);
}

static bool keep_a(const void *own, const char *name)
{
    return strcmp(own, name) == 0;
}

Test(folder, is_swept_of_its_own_files_only)
{
    Err err = {0};
    int fd;

    cr_assert_eq(folder_open(&fd, folder, FOLDER_WRITE, &err), 0);
    put("a.stratum");
    put("b.stratum");
    put("manifest.json.new");
    put("notes.txt");
    cr_expect_eq(folder_sweep(folder, keep_a, "a.stratum", &err), 2);
    cr_expect(has("a.stratum") && has("notes.txt") && !has("b.stratum"));
    folder_close(fd);
}

Test(folder, is_deleted_only_if_it_is_an_extract)
{
    Err err = {0};
    int fd;

    cr_assert_eq(folder_open(&fd, folder, FOLDER_WRITE, &err), 0);
    folder_close(fd);
    cr_expect_eq(folder_delete(folder, &err), -1);
    cr_expect(strstr(err.text, "the folder holds no extract: nothing is deleted") != NULL,
              "%s", err.text);
    put("manifest.json"); /* of another program */
    err_clear(&err);
    cr_expect_eq(folder_delete(folder, &err), -1);
    cr_expect(has("manifest.json"));
    put("a.stratum"); /* what a making that was ended before its end has left */
    cr_assert_eq(chmod(folder, 0755), 0); /* the more urgent */
    err_clear(&err);
    cr_expect_eq(folder_delete(folder, &err), 0, "%s", err.text);
    cr_expect_neq(access(folder, F_OK), 0);
}
