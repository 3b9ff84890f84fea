/* Failing and forwarding. Who detects a fault writes the message once; who forwards adds nothing. */
#ifndef PROTEA_BASE_STATUS_H
#define PROTEA_BASE_STATUS_H

#include <protea/status.h>

/* Stores the message for protea_last_error() and returns status. Control characters, bytes that are not
 * UTF-8 and bidi marks are escaped, so a hostile file name stays text. Cut at 1,000 bytes. */
protea_status protea_fail(protea_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a failed call of the system means: PROTEA_ERR_MEMORY where errno says so, else the status given. */
protea_status protea_errno_status(protea_status otherwise);

/* Hands a message taken on another thread (a loader worker) up on this one. */
protea_status protea_fail_text(protea_status status, const char *text);

#define PROTEA_TRY(call)                            \
    do {                                            \
        protea_status try_status_ = (call);         \
        if (try_status_ != PROTEA_OK)               \
            return try_status_;                     \
    } while (0)

/* Writes text into out (size bytes, always terminated) with everything that is not printable UTF-8 escaped
 * as \n, \t, \xHH or \u{...}. Returns out. Used for messages, logs and reports alike. */
char *protea_escape(char *out, unsigned long size, const char *text);

#endif
