/*
 * folder.h - the folder of an extract, and whole files in it.
 *
 * An extract is patient data at rest: its folder is for its owner only (0700, files
 * 0600), and one that others can look into is refused. One process at a time writes to
 * it, and none while another reads.
 */
#ifndef ENGINE_EXTRACT_FOLDER_H
#define ENGINE_EXTRACT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

typedef enum FolderUse { FOLDER_READ, FOLDER_WRITE, FOLDER_DELETE } FolderUse;

/* Opens and locks the folder; *fd is closed by folder_close. To be written to it is made
 * if it is not there. ERR_CONFIG where it belongs to somebody else or, unless it is to be
 * deleted, others can look into it; ERR_LOCKED where it is in use. */
int folder_open(int *fd, const char *path, FolderUse use, Err *err);
void folder_close(int fd); /* -1 is accepted */

/* Removes files of an extract that keep() does not name. Returns how many, or -1. */
int folder_sweep(const char *path, bool (*keep)(const void *own, const char *name),
                 const void *own, Err *err);
/* Removes the extract and its folder. Refuses a folder that is none. */
int folder_delete(const char *path, Err *err);

/* Writes a new file for its owner only; it is on the disk when this returns. */
int file_write(const char *path, const void *bytes, size_t n, Err *err);
/* The whole file; free(*bytes). */
int file_read(uint8_t **bytes, size_t *n, const char *path, Err *err);

/* SHA-256 of bytes, and of a whole file of any kind. */
int file_sha256(uint8_t out[32], const char *path, Err *err);
void sha256(uint8_t out[32], const void *bytes, size_t n);

#endif
