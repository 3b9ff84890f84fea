/* No output may be an input: what --overwrite removes, or a file replaces, would be gone before it is read. */
#ifndef PROTEA_API_OUTPUT_GUARD_H
#define PROTEA_API_OUTPUT_GUARD_H

#include "api/verb.h"

/* Looks at the call's arguments and at every option that is a text, as paths (`PATH::SUB` as PATH): none may be `output` itself,
 * nor, where output is a directory and --overwrite is given, a file of a run in it. --resume removes nothing.
 * Errors: PROTEA_ERR_USAGE naming the input. */
protea_status protea_output_guard(const protea_call *call, const char *output);

#endif
