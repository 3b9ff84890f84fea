/* The thread-local message and the escaping of what comes from outside. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Length of the valid UTF-8 sequence at s and its code point; 0 if there is none. */
static int utf8_decode(const unsigned char *s, unsigned *code)
{
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    int len = (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (len == 0)
        return 0;
    unsigned value = s[0] & (0xffu >> (len + 1));
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3fu);
    }
    static const unsigned least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return len;
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
        int len = utf8_decode(s, &code);
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
