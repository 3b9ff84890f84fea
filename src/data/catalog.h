/* What a data set holds, before anything is read: names, places, labels. Every kind of source fills one of these, and the
 * rules about order, classes and --limit are written once, here. */
#ifndef PROTEA_DATA_CATALOG_H
#define PROTEA_DATA_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct protea_entry {
    size_t name;       /* offset in text */
    uint64_t at, size; /* where its bytes lie, or what the kind makes of them */
    int32_t label;     /* -1: none; of several the first */
    int32_t several;   /* where in tags its classes lie, when it has more than one; else 0 */
} protea_entry;

typedef struct protea_catalog {
    protea_entry *entry; /* (n) owned */
    int64_t n, capacity;
    char *text;          /* all names, each ended by 0; owned */
    size_t text_len, text_capacity;
    char **class_name;   /* (n_classes) owned, sorted bytewise; a kind that knows them fills them in with the labels */
    int n_classes;
    int32_t *tags;       /* of a set whose images can have several classes: each one's, ascending, ended by -1; owned; else NULL */
    const char *labels_by; /* where labels come from, or why there are none: fixed text; NULL while that is open */
    int64_t n_same_names;  /* entries that sorting left out */
} protea_catalog;

enum { PROTEA_MAX_IMAGES = 50000000 }; /* more than that is no data set, but a header that lies */

void protea_catalog_release(protea_catalog *c);
/* Whether a set of n images may be. Errors: PROTEA_ERR_INPUT naming path. */
protea_status protea_catalog_check_count(uint64_t n, const char *path);
/* Errors: PROTEA_ERR_INPUT naming the image when it is one too many, PROTEA_ERR_MEMORY. */
protea_status protea_catalog_add(protea_catalog *c, const char *name, uint64_t at, uint64_t size);
const char *protea_catalog_name(const protea_catalog *c, int64_t i);

/* Whether a set should take this file: named like a picture, and no part of the name begins with a dot. */
bool protea_catalog_is_hidden(const char *name);
bool protea_catalog_is_picture_name(const char *name);
/* Whether a class of this name can be a folder, and a line in a list of names: one visible part of a path, one line, at most 255
 * bytes. Labels of a table may be any text, `../x` too. */
bool protea_catalog_is_class_name(const char *name);

/* Keeps what lies under the folder sub ("" keeps all). */
void protea_catalog_keep_under(protea_catalog *c, const char *sub);
/* Bytewise by name; of entries with one name the last added stays, as tar has it. */
void protea_catalog_sort(protea_catalog *c);
/* The class rule. An image's class is the name of the folder that holds it, when all images lie equally deep (counted from
 * sub) in at least two folders of different names; otherwise the set has no labels: images at differing depth, or directly
 * at the top, are a collection, not classes. Folders of one name under different parents (train/cat, test/cat) are one
 * class. Classes are numbered bytewise. Needs a sorted catalog. */
protea_status protea_catalog_label(protea_catalog *c, const char *sub);
/* Takes labels away that the kind has given. */
void protea_catalog_unlabel(protea_catalog *c);
/* Numbers the words (entry i has label[i], borrowed; NULL: none) bytewise and makes them the classes. */
protea_status protea_catalog_label_by(protea_catalog *c, const char *const *label);
/* The same where a word can be several classes, with ';' between them: `cat;dog`. Where none is, it is the above. Blanks around
 * a class and classes without a name are left out. */
protea_status protea_catalog_label_by_sets(protea_catalog *c, const char *const *label);
/* How many classes an entry has; *label: them, ascending, borrowed. */
int protea_catalog_labels(const protea_catalog *c, int64_t i, const int32_t **label);
/* Keeps n entries, as many from each folder as from any other as far as they go round; which ones depends only on the names
 * and the seed. n = 0 keeps all. Needs a sorted catalog. */
protea_status protea_catalog_limit(protea_catalog *c, int64_t n, uint64_t seed);
/* Moves the classes of `from`, which holds the same images in the same order, and copies the labels. */
protea_status protea_catalog_take_labels(protea_catalog *to, protea_catalog *from);
/* Hash of names, sizes and labels: 32 hex digits. */
void protea_catalog_fingerprint(const protea_catalog *c, char out[static 33]);

#endif
