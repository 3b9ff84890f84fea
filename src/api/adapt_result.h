/* What came of adapters on a stream, as JSON, as a table of text, and image by image. */
#ifndef PROTEA_API_ADAPT_RESULT_H
#define PROTEA_API_ADAPT_RESULT_H

#include <stdio.h>

#include "api/verb.h"
#include "eval/adapt_run.h"

/* Fills result. One algorithm on one column: its figures, with source_accuracy and bn_accuracy beside them. Else `results`,
 * a list of them per algorithm and corruption, and `means`, a list per algorithm. */
protea_status protea_adapt_result(json_t *result, const protea_adapt_run *run, const char *stream);

/* What stats.json has besides, by algorithm: `over_time`, a list of [images seen, accuracy of the batch or null, mean entropy],
 * and with labels `confusion`, rows the true class. */
void protea_adapt_details(json_t *stats, const protea_adapt_run *run);

/* Logs accuracies: a row per algorithm, a column per corruption and their mean. Nothing without labels. */
protea_status protea_adapt_log_table(const protea_ctx *cx, const protea_adapt_run *run);

/* predictions.csv: row,path,class,algorithm,corruption,severity,predicted,probability,entropy; row numbers the answers of an
 * algorithm from 0 in the order of the stream. */
void protea_adapt_write_header(FILE *out);
void protea_adapt_write_rows(FILE *out, const protea_adapt_run *run, const protea_adapt_answers *answers);

#endif
