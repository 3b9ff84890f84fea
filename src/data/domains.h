/* Labelled data sets as domains of one training set: classes matched by name, a part of each held out for validation. */
#ifndef PROTEA_DATA_DOMAINS_H
#define PROTEA_DATA_DOMAINS_H

#include "data/source.h"

enum { PROTEA_MAX_DOMAINS = 16 };

typedef struct protea_domains {
    int n;                                          /* D */
    protea_source *part[PROTEA_MAX_DOMAINS];        /* (D) as opened; owned */
    protea_class_names classes;                     /* of all domains, sorted bytewise */
    protea_source *train;                           /* training images, domain after domain; owned */
    int64_t first[PROTEA_MAX_DOMAINS + 1];          /* domain d is images first[d] .. first[d + 1] - 1 of train */
    protea_source *held_out[PROTEA_MAX_DOMAINS];    /* (D) owned; NULL without a holdout */
} protea_domains;

/* Opens each spec with opts (its limit holds for each alone) and matches the classes. Close in any case. Errors: those of
 * protea_source_open, PROTEA_ERR_INPUT when a set has no labels, PROTEA_ERR_USAGE when there are more than there is room
 * for. */
protea_status protea_domains_open(protea_domains *d, const char *const *spec, int n, const protea_source_opts *opts);
/* Makes train, first and held_out. holdout: share in 0..1 of each class of each domain that is held out, rounded, drawn by
 * the seed; of a class with two images and more at least one is held out and one is not. */
protea_status protea_domains_split(protea_domains *d, double holdout, uint64_t seed);
void protea_domains_close(protea_domains *d);

#endif
