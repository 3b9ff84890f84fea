/* What `protea eval svm` says: of what it trains, and of what came out. */
#ifndef PROTEA_API_SVM_REPORT_H
#define PROTEA_API_SVM_REPORT_H

#include "api/eval_protocol.h"
#include "eval/svm_probe.h"

/* Logs the settings, and warns of classes that are smaller than the shots or that no test image has. protocol: its name. */
void protea_svm_announce(const protea_evaluation *e, const char *protocol, const protea_svm_probe_opts *p,
                         const protea_two_sets *sets);

/* Logs the scores and fills e->result: a list for each figure, with an element for each number of shots; the classes' own; the
 * settings. score (shots), unconverged: of protea_svm_probe. */
void protea_svm_report(const protea_evaluation *e, const char *protocol, const protea_svm_probe_opts *p,
                       const protea_svm_result *score, int64_t unconverged, const protea_two_sets *sets);

#endif
