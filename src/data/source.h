/* A data set: found out by content, read at random, by any number of threads at once. */
#ifndef PROTEA_DATA_SOURCE_H
#define PROTEA_DATA_SOURCE_H

#include "format/class_names.h"
#include "image/image.h"

typedef struct protea_source protea_source;

/* What becomes of a list whose images have several classes: refused, as who reads it wants one each; taken without labels, for
 * who does not read them; or taken with all. */
typedef enum protea_several { PROTEA_SEVERAL_REFUSE, PROTEA_SEVERAL_UNLABEL, PROTEA_SEVERAL_KEEP } protea_several;

typedef struct protea_source_opts {
    int64_t limit;       /* 0: all; else this many images, as evenly over the folders as possible */
    uint64_t seed;       /* of the limit's choice */
    bool no_labels;      /* class-like folders are only folders */
    protea_several several;
    protea_limits limits;
} protea_source_opts;
protea_source_opts protea_source_opts_default(void);

/* spec: a folder (class folders, flat or nested), a tar, an IDX file, an .npy of uint8 (N,H,W,3), a CIFAR-10 or
 * CIFAR-100 binary file (each file also packed: gz, xz, zst) or the folder with CIFAR's, a list (.txt, .csv),
 * tars whose names are written as one (`s-{000..099}.tar`), `synth:NAME[,n=5000][,size=32][,seed=1]`, each but the last with
 * an optional `::SUB` after it.
 * Classes are the names of the folders that hold the images, sorted bytewise, numbered from 0; a set whose images all lie
 * in one folder has no labels. In a list an image can have several: `path,cat;dog`. Order: by path, bytewise. Only regular
 * files are opened; links are followed once, loops cut.
 * Errors: PROTEA_ERR_INPUT (nothing usable, unknown kind), PROTEA_ERR_IO. */
protea_status protea_source_open(protea_source **out, const char *spec, const protea_source_opts *opts);
void protea_source_close(protea_source *s); /* accepts NULL */

/* One image of another set, under a class number that may be another here. */
typedef struct protea_pick {
    int set;          /* in 0..n_sets-1 */
    int64_t image;
    int32_t label;    /* in 0..classes->n-1, or -1 */
} protea_pick;

/* A set of images of other sets, in the order given. The sets must outlive it, which reads through them; images that turn out
 * bad are noted here alone. An image's name is that in its set, with `set number:` before it where there are several sets.
 * *out: owned. classes: copied. */
protea_status protea_source_gather(protea_source **out, protea_source *const *set, int n_sets, const protea_pick *pick,
                                   int64_t n, const protea_class_names *classes);

int64_t protea_source_count(const protea_source *s);
const char *protea_source_kind(const protea_source *s); /* "folder", "tar", "list", "npy", "idx", "cifar10" ... */
int protea_source_n_classes(const protea_source *s);                 /* 0: no labels */
const char *protea_source_class(const protea_source *s, int label);  /* name */
int32_t protea_source_label(const protea_source *s, int64_t i);      /* -1 without labels; the first of several */
bool protea_source_has_several(const protea_source *s);              /* images can have several classes (PROTEA_SEVERAL_KEEP) */
/* How many classes image i has; *label: them, ascending, borrowed. */
int protea_source_labels(const protea_source *s, int64_t i, const int32_t **label);
/* Path or member name of image i, unique in the set; borrowed. Raw bytes: escape before showing. */
const char *protea_source_name(const protea_source *s, int64_t i);
/* Where labels come from, or why there are none: one line of fixed text. */
const char *protea_source_labels_by(const protea_source *s);
/* What is odd about the set and was seen when it was opened. */
typedef struct protea_oddities {
    int64_t same_names;       /* members of archives left out, as a later one has their name */
    int64_t empty_folders;    /* without images and folders */
    const char *empty_folder; /* one of them, raw bytes, borrowed; "" where there is none */
} protea_oddities;
protea_oddities protea_source_oddities(const protea_source *s);
/* What identifies the set: a hash of names, sizes and labels, 32 hex digits. */
const char *protea_source_fingerprint(const protea_source *s);
/* Decodes image i into *out (buffer reused). Thread-safe. Errors: PROTEA_ERR_INPUT for this image only. */
protea_status protea_source_read(const protea_source *s, int64_t i, protea_image *out);
/* Damage of an archive that was survived (truncated, bad checksum): one line, escaped, borrowed; NULL when there was none. */
const char *protea_source_warning(const protea_source *s);
/* Bytes of decoded or archived data held in memory, for the log. */
size_t protea_source_memory(const protea_source *s);

/* Images that could not be used, in order of index; grows while a set is read. */
typedef struct protea_skip { int64_t index; char *reason; } protea_skip;
/* Remembers that image i is bad; thread-safe, once per image. */
protea_status protea_source_skip(protea_source *s, int64_t i, const char *reason);
bool protea_source_is_bad(const protea_source *s, int64_t i);
/* How many there are; *list (may be NULL) is sorted by index, borrowed until the next call that asks for it. */
int64_t protea_source_skipped(const protea_source *s, const protea_skip **list);

#endif
