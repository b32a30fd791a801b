/*
 * folder.c - see folder.h.
 */
#include "engine/extract/folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/mem.h"
#include "engine/extract/manifest.h"

static int fail(const char *path, const char *what, Err *err)
{
    return err_add(err, ERR_SOURCE, (Where){path, 0, 0}, "could not %s: %s", what,
                   strerror(errno));
}

/* ---- the folder -------------------------------------------------------- */

/* What others can look into must all the more be possible to delete. */
static int check_owner(int fd, const char *path, FolderUse use, Err *err)
{
    struct stat about;

    if (fstat(fd, &about) != 0)
        return fail(path, "look at the folder of the extract", err);
    if (about.st_uid == geteuid() && (use == FOLDER_DELETE || (about.st_mode & 077) == 0))
        return 0;
    err_add(err, ERR_CONFIG, (Where){path, 0, 0},
            about.st_uid == geteuid()
                ? "others can look into the folder of the extract"
                : "the folder of the extract belongs to another user");
    err_hint(err, "an extract is patient data: its folder is for its owner only (mode "
                  "0700)");
    return -1;
}

int folder_open(int *fd, const char *path, FolderUse use, Err *err)
{
    *fd = -1;
    if (use == FOLDER_WRITE && mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail(path, "make the folder of the extract", err);
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return fail(path, "open the folder of the extract", err);
    if (check_owner(*fd, path, use, err) != 0)
        return -1;
    if (flock(*fd, (use == FOLDER_READ ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0)
        return err_add(err, ERR_LOCKED, (Where){path, 0, 0},
                       "the extract is in use by another process");
    return 0;
}

void folder_close(int fd)
{
    if (fd >= 0)
        close(fd); /* and with it the lock */
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);

    return len >= n && strcmp(name + len - n, end) == 0;
}

static bool is_ours(const char *name)
{
    return ends_in(name, FILE_SUFFIX) || strcmp(name, MANIFEST_NAME) == 0 ||
           strcmp(name, MANIFEST_NAME ".new") == 0;
}

int folder_sweep(const char *path, bool (*keep)(const void *own, const char *name),
                 const void *own, Err *err)
{
    DIR *folder = opendir(path);
    int n = 0;

    if (folder == NULL)
        return fail(path, "open the folder of the extract", err);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_ours(entry->d_name) || (keep != NULL && keep(own, entry->d_name)))
            continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0) != 0) {
            n = fail(path, "remove a file of the extract", err);
            break;
        }
        n++;
    }
    closedir(folder);
    return n;
}

/* Files of ours, or a manifest that says so: others have manifests, too. */
static bool holds_extract(int fd)
{
    int manifest = openat(fd, MANIFEST_NAME, O_RDONLY | O_CLOEXEC);
    DIR *folder = fdopendir(dup(fd));
    char start[sizeof MANIFEST_START] = "";
    bool has_any = manifest >= 0 &&
                   read(manifest, start, sizeof start - 1) == (ssize_t)sizeof start - 1 &&
                   strcmp(start, MANIFEST_START) == 0;

    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        has_any |= ends_in(entry->d_name, FILE_SUFFIX);
    if (folder != NULL)
        closedir(folder);
    if (manifest >= 0)
        close(manifest);
    return has_any;
}

int folder_delete(const char *path, Err *err)
{
    int fd, rc = folder_open(&fd, path, FOLDER_DELETE, err);

    if (rc == 0 && !holds_extract(fd))
        rc = err_add(err, ERR_CONFIG, (Where){path, 0, 0},
                     "the folder holds no extract: nothing is deleted");
    if (rc == 0)
        rc = folder_sweep(path, NULL, NULL, err) < 0 ? -1 : 0;
    if (rc == 0 && rmdir(path) != 0)
        rc = fail(path, "remove the folder of the extract", err);
    folder_close(fd);
    return rc;
}

/* ---- files ------------------------------------------------------------- */

int file_write(const char *path, const void *bytes, size_t n, Err *err)
{
    const char *at = bytes;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0)
        return fail(path, "write a file of the extract", err);
    while (n > 0 && rc == 0) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno != EINTR)
            rc = fail(path, "write a file of the extract", err);
        if (done > 0) {
            at += done;
            n -= (size_t)done;
        }
    }
    if (rc == 0 && fsync(fd) != 0)
        rc = fail(path, "write a file of the extract", err);
    if (close(fd) != 0 && rc == 0)
        rc = fail(path, "write a file of the extract", err);
    return rc;
}

int file_read(uint8_t **bytes, size_t *n, const char *path, Err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    struct stat about;

    *bytes = NULL;
    *n = 0;
    if (fd < 0)
        return fail(path, "read a file of the extract", err);
    if (fstat(fd, &about) != 0)
        rc = fail(path, "read a file of the extract", err);
    if (rc == 0)
        *bytes = mem_grow(NULL, (size_t)about.st_size + 1, 1, "the extract");
    while (rc == 0 && *n < (size_t)about.st_size) {
        ssize_t done = read(fd, *bytes + *n, (size_t)about.st_size - *n);

        if (done == 0)
            break;
        if (done < 0 && errno != EINTR)
            rc = fail(path, "read a file of the extract", err);
        *n += done > 0 ? (size_t)done : 0;
    }
    close(fd);
    if (rc != 0) {
        free(*bytes);
        *bytes = NULL;
    }
    return rc;
}

int file_sha256(uint8_t out[32], const char *path, Err *err)
{
    enum { PART = 1 << 20 };
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t *part = mem_alloc(PART, 1, "a file");
    ssize_t n = 1;

    if (fd < 0 || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        rc = fail(path, "read the file", err);
    while (rc == 0 && n != 0) {
        n = read(fd, part, PART);
        if (n < 0 && errno != EINTR)
            rc = fail(path, "read the file", err);
        if (n > 0)
            EVP_DigestUpdate(context, part, (size_t)n);
    }
    if (rc == 0)
        EVP_DigestFinal_ex(context, out, NULL);
    if (fd >= 0)
        close(fd);
    EVP_MD_CTX_free(context);
    free(part);
    return rc;
}

void sha256(uint8_t out[32], const void *bytes, size_t n)
{
    unsigned len = 32;
    int done = EVP_Digest(bytes, n, out, &len, EVP_sha256(), NULL);

    assert(done == 1 && len == 32);
}
