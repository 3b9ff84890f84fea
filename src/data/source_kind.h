/* The seam for kinds of data sets: each kind is one file that fills a catalog and reads one image. */
#ifndef PROTEA_DATA_SOURCE_KIND_H
#define PROTEA_DATA_SOURCE_KIND_H

#include "base/bytes.h"
#include "data/braces.h"
#include "data/catalog.h"
#include "data/packed_file.h"
#include "data/source.h"

typedef struct protea_source_ops {
    const char *kind;
    /* Decodes one image; label is what messages call it. Thread-safe. */
    protea_status (*read)(const void *self, const protea_entry *entry, const char *name, const char *label,
                          const protea_limits *limits, protea_image *out);
    void (*close)(void *self);
    char between; /* path and name in messages: '!' for a member of an archive, '/' for a file in a folder */
} protea_source_ops;

/* What opening gives: a catalog in any order (the frame sorts, labels and limits it) and how to read its entries. */
typedef struct protea_opened {
    const protea_source_ops *ops;
    void *self;             /* owned; ops->close, also after a failed opening once ops is set */
    protea_catalog catalog; /* owned */
    protea_catalog empty;   /* folders in which nothing was found, each ended by '/'; owned */
    size_t memory;          /* bytes held */
    char *warning;          /* damage that was survived, owned, or NULL */
} protea_opened;

/* A kind that is one file, told by its first bytes (at most 512 are looked at), its size or the end of its name. open fills
 * *o and takes from file what it needs. */
typedef struct protea_file_kind {
    const char *what;    /* for messages: "a tar" */
    bool (*looks_like)(const uint8_t *bytes, size_t len, uint64_t size);
    const char *endings; /* instead, for text: ".txt|.csv" */
    protea_status (*open)(protea_opened *o, const char *path, protea_packed_file *file);
} protea_file_kind;

bool protea_looks_like_tar(const uint8_t *bytes, size_t len, uint64_t size);
protea_status protea_open_tar(protea_opened *o, const char *path, protea_packed_file *file);
bool protea_looks_like_cifar10(const uint8_t *bytes, size_t len, uint64_t size);
protea_status protea_open_cifar10(protea_opened *o, const char *path, protea_packed_file *file);
bool protea_looks_like_cifar100(const uint8_t *bytes, size_t len, uint64_t size);
protea_status protea_open_cifar100(protea_opened *o, const char *path, protea_packed_file *file);
bool protea_looks_like_idx(const uint8_t *bytes, size_t len, uint64_t size);
protea_status protea_open_idx(protea_opened *o, const char *path, protea_packed_file *file);
bool protea_looks_like_npy(const uint8_t *bytes, size_t len, uint64_t size);
protea_status protea_open_npy(protea_opened *o, const char *path, protea_packed_file *file);
protea_status protea_open_list(protea_opened *o, const char *path, protea_packed_file *file);

/* Folders: of pictures, or with CIFAR's training files in them (*is; o stays empty where there are none). */
protea_status protea_open_folder(protea_opened *o, const char *path);
protea_status protea_open_cifar_folder(protea_opened *o, const char *path, bool *is);
/* Tars whose names are written as one. What lies under sub is taken, and labelled. */
protea_status protea_open_shards(protea_opened *o, const protea_braces *braces, const char *sub, const protea_limits *limits);
/* Whatever lies at path[::SUB], one or many; path is cut before the `::`. *sub: what the frame is still to take alone, points
 * into path. Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO. */
protea_status protea_open_paths(protea_opened *o, char *path, const char **sub, const protea_source_opts *opts);
/* text: what follows `synth:`. */
protea_status protea_open_synth(protea_opened *o, const char *text);

/* Fills *o, classes too, from images of other sets. */
protea_status protea_open_gathered(protea_opened *o, protea_source *const *set, int n_sets, const protea_pick *pick, int64_t n,
                                   const protea_class_names *classes);

/* Decodes the picture in [at, at + size) of a blob. */
protea_status protea_read_picture(protea_image *out, const protea_blob *blob, uint64_t at, uint64_t size, const char *label,
                                  const protea_limits *limits);
/* The same of the file `name` in a folder (a descriptor), which must be a regular one. */
protea_status protea_read_picture_file(protea_image *out, int folder, const char *name, const char *label,
                                       const protea_limits *limits);
/* Whether the file is to be in the set: named like a picture or, by its first bytes, one that can be read. */
bool protea_is_picture(const char *name, const protea_blob *blob, uint64_t at, uint64_t size);

#endif
