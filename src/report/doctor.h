/* What is wrong with a run, told from what it logged, and what to try. */
#ifndef PROTEA_REPORT_DOCTOR_H
#define PROTEA_REPORT_DOCTOR_H

#include "report/run_record.h"

enum { PROTEA_FINDINGS_MAX = 20, PROTEA_FINDING_TEXT = 640 };

typedef struct protea_finding {
    const char *what;                 /* in plain words; constant */
    char why[PROTEA_FINDING_TEXT];    /* the numbers it was told from */
    const char *remedy;               /* what to try; constant */
} protea_finding;

typedef struct protea_findings {
    int n;
    protea_finding item[PROTEA_FINDINGS_MAX];
} protea_findings;

/* The gravest first; none for a healthy run. doubles: prototypes that are nearly the same as others, of n_prototypes; 0 where none
 * are known. */
void protea_doctor_examine(protea_findings *f, const protea_run_record *record, int64_t doubles, int64_t n_prototypes);

#endif
