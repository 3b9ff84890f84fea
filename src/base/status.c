/* The thread-local message and the escaping of what comes from outside. */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static _Thread_local char last_error[1001] = "";

const char *protea_last_error(void)
{
    return last_error;
}

const char *protea_status_name(protea_status status)
{
    switch (status) {
    case PROTEA_OK: return "ok";
    case PROTEA_ERR_INTERNAL: return "internal";
    case PROTEA_ERR_USAGE: return "usage";
    case PROTEA_ERR_INPUT: return "input";
    case PROTEA_ERR_IO: return "io";
    case PROTEA_ERR_MEMORY: return "memory";
    case PROTEA_ERR_DIVERGED: return "diverged";
    case PROTEA_ERR_BUSY: return "busy";
    case PROTEA_ERR_RANK: return "rank";
    case PROTEA_STOPPED: return "stopped";
    }
    return "unknown";
}

/* Characters that change how the text around them is shown: controls, line separators, bidi marks, BOM. */
static int is_hostile(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

char *protea_escape(char *out, unsigned long size, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned long used = 0;
    if (size == 0)
        return out;
    while (*s) {
        char piece[16];
        unsigned code = 0;
        int len = protea_utf8_decode(s, &code);
        if (len == 0)
            snprintf(piece, sizeof piece, "\\x%02x", *s);
        else if (code == '\n')
            snprintf(piece, sizeof piece, "\\n");
        else if (code == '\t')
            snprintf(piece, sizeof piece, "\\t");
        else if (is_hostile(code))
            snprintf(piece, sizeof piece, code < 0x100 ? "\\x%02x" : "\\u{%x}", code);
        else {
            memcpy(piece, s, (size_t)len);
            piece[len] = 0;
        }
        unsigned long piece_len = strlen(piece);
        if (used + piece_len + 1 > size)
            break;
        memcpy(out + used, piece, piece_len);
        used += piece_len;
        s += len ? len : 1;
    }
    out[used] = 0;
    return out;
}

protea_status protea_errno_status(protea_status otherwise)
{
    return errno == ENOMEM ? PROTEA_ERR_MEMORY : otherwise;
}

protea_status protea_fail_text(protea_status status, const char *text)
{
    char copy[sizeof last_error]; /* text may be last_error itself */
    protea_escape(copy, sizeof copy, text);
    memcpy(last_error, copy, sizeof last_error);
    return status;
}

protea_status protea_fail(protea_status status, const char *format, ...)
{
    char text[sizeof last_error];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return protea_fail_text(status, text);
}
