/* The sections of an adaptation's page. */
#ifndef PROTEA_REPORT_ADAPT_PARTS_H
#define PROTEA_REPORT_ADAPT_PARTS_H

#include <stdio.h>

#include "eval/adapt_run.h"

/* Accuracy (or entropy, without labels) along the stream: one plot for one algorithm, with source and bn in it; else a small
 * one for each. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_adapt_part_time(FILE *out, const protea_adapt_run *run);
/* Algorithms by corruptions. */
void protea_adapt_part_table(FILE *out, const protea_adapt_run *run);
/* Accuracy per class. Nothing for more classes than people read. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_adapt_part_classes(FILE *out, const protea_adapt_run *run);
/* What was taken for what; nothing for more classes than fit on a page. */
void protea_adapt_part_confusion(FILE *out, const protea_contender *c);

#endif
