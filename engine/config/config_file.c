/*
 * config_file.c - the bytes of configs and lists, and whether they are text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/config.h"

enum { MOST_BYTES = 16 << 20 };

int config_file(const char **text, size_t *len, const char *path, Arena *arena, Err *err)
{
    Where where = {.name = path};
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t n = 0, room = 0;
    int rc = -1;

    if (file == NULL)
        return err_add(err, ERR_CONFIG, where, "could not open: %s", strerror(errno));
    do {
        if (n == room) {
            room = room > 0 ? room * 2 : 1 << 16;
            bytes = mem_grow(bytes, room, 1, path);
        }
        n += fread(bytes + n, 1, room - n, file);
    } while (!feof(file) && !ferror(file) && n <= MOST_BYTES);
    if (ferror(file)) {
        err_add(err, ERR_CONFIG, where, "could not read: %s", strerror(errno));
    } else if (n > MOST_BYTES) {
        err_add(err, ERR_CONFIG, where, "larger than %d MiB", MOST_BYTES >> 20);
    } else {
        *text = arena_text(arena, bytes, n);
        *len = n;
        rc = 0;
    }
    free(bytes);
    fclose(file);
    return rc;
}

/* libfyaml looks at some of this only, and stops at a zero byte; libcsv does neither. */
int config_check_text(const char *name, const char *text, size_t len, Err *err)
{
    Where where = {name, 1, 0};

    for (size_t at = 0, n; at < len; at += n + 1, where.line++) {
        const char *end = memchr(text + at, '\n', len - at);

        n = end == NULL ? len - at : (size_t)(end - text) - at;
        if (memchr(text + at, '\0', n) != NULL || !text_is_utf8(text + at, n))
            return err_add(err, ERR_CONFIG, where, "this line is not UTF-8 text");
    }
    return 0;
}
