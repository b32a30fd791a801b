/*
 * manifest.h - what an extract holds: its sources, their columns, their files.
 *
 * One JSON document and, on a last line, the SHA-256 of what stands before it. It names
 * every file and holds the SHA-256 of each chunk's head, which holds the checksums of all
 * its sections: so the manifest is the extract, and a file that is not what it says is
 * refused. It is written last, by rename: until then the extract is what it was before.
 *
 * It holds names of tables and columns, and counts; no data of a person.
 */
#ifndef ENGINE_EXTRACT_MANIFEST_H
#define ENGINE_EXTRACT_MANIFEST_H

#include "engine/base/mem.h"
#include "engine/extract/chunk.h"

#define MANIFEST_NAME  "manifest.json"
#define MANIFEST_START "{\n \"stratify_extract\":"
#define FILE_SUFFIX    ".stratum" /* of all other files */
enum { EXTRACT_FORMAT = 1 };

typedef struct ManifestFile {
    const char *name;
    ChunkFile chunk;
} ManifestFile;

/* A part of a source that is pulled again as a whole. */
typedef struct Piece {
    uint32_t first, last; /* pages of a table; 0, 0 = everything */
    const char *file; /* of a source of files: the path, and the SHA-256 of the file */
    const char *digest;
    ManifestFile *files; /* in the order of the rows */
    int n_files;
} Piece;

typedef struct ExtractColumn {
    const char *name;
    uint8_t type;      /* as it arrives; 0 = every value is missing */
    bool is_integer;   /* an integer of the database, and not only of the program */
    bool may_be_plain; /* see chunk.h */
} ExtractColumn;

typedef struct ExtractSource {
    const char *place; /* see extract_place(); several may have the same */
    const char
        *state;     /* pieces stay while it is the same; NULL = pulled whole each time */
    uint32_t pages; /* of the table; 0 = not known */
    bool is_text_person, has_persons;
    ExtractColumn *columns; /* beside the person, where it has persons */
    int n_columns;
    Piece *pieces;
    int n_pieces;
} ExtractSource;

typedef struct Manifest {
    int64_t generation;  /* 1 more with every change */
    const char *server;  /* whose transaction ids xmin counts; NULL = no database */
    uint64_t xmin;       /* every transaction before it is seen; 0 = not known */
    uint64_t log_before; /* position in the server's log before it; 0 = not known */
    uint64_t log_after;  /* and after it */
    const char *snapshot;
    const char *people; /* file: ids, the list of persons */
    uint32_t n_people;
    const char *people_digest;
    const char *opt_outs; /* digest of the list, or NULL without one */
    ExtractSource *sources;
    int n_sources;
} Manifest;

/* Reads and proves; everything is in the arena. ERR_SOURCE where there is none. */
int manifest_read(Manifest *manifest, const char *folder, Arena *arena, Err *err);
int manifest_write(const Manifest *manifest, const char *folder, Err *err);
/* The same from memory, for tests and fuzzing. */
int manifest_parse(Manifest *manifest, const char *name, const char *text, size_t len,
                   Arena *arena, Err *err);
/* free() the text. */
char *manifest_text(const Manifest *manifest);

/* True if a file of the folder is part of the extract: for folder_sweep. */
bool manifest_has(const void *manifest, const char *name);

/* The next source of the place behind that one, NULL = the first. NULL if there is none.
 */
const ExtractSource *manifest_source(const Manifest *manifest, const char *place,
                                     const ExtractSource *behind);
uint64_t source_rows(const ExtractSource *source);

/* Lower-case hex in the arena, and back. */
const char *hex_text(Arena *arena, const uint8_t *bytes, size_t n);
bool hex_bytes(uint8_t *bytes, size_t n, const char *text);

#endif
