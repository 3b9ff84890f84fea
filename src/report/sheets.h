/* Sheets of nearest neighbours: some images, each with those whose features are most like its own. */
#ifndef PROTEA_REPORT_SHEETS_H
#define PROTEA_REPORT_SHEETS_H

#include <stdio.h>

#include "eval/model.h"

enum { PROTEA_SHEETS = 12, PROTEA_SHEET_NEIGHBOURS = 8 };

/* Writes a <section>: queries spread over the classes (or over the set where there are none), neighbours among at most
 * 2,048 images spread over the whole set. Labels serve to mark neighbours of another class, never to choose them.
 * Nothing is written where fewer than two images can be used. Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INPUT. */
protea_status protea_sheets_write(protea_ctx *cx, FILE *out, const protea_model *model, protea_source *source);

#endif
