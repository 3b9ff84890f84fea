/* Base64 of texts that are not UTF-8, or hold characters that YAML refuses or folds. */
#include "base/yaml_binary.h"

#include <string.h>

#include "base/utf8.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_refused(unsigned code)
{
    return (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe || code == 0xffff;
}

bool protea_yaml_can_quote(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        unsigned code;
        int len = protea_utf8_decode(s, &code);
        if (len == 0 || (len > 1 && is_refused(code)))
            return false;
        s += len;
    }
    return true;
}

void protea_yaml_write_binary(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    fputs("!!binary \"", out);
    for (size_t left = strlen(text); left > 0; left -= left < 3 ? left : 3, s += 3) {
        unsigned second = left > 1 ? s[1] : 0, third = left > 2 ? s[2] : 0;
        unsigned bits = (unsigned)s[0] << 16 | second << 8 | third;
        fputc(digits[bits >> 18], out);
        fputc(digits[bits >> 12 & 63], out);
        fputc(left > 1 ? digits[bits >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[bits & 63] : '=', out);
    }
    fputc('"', out);
}

bool protea_yaml_decode_binary(char *text)
{
    size_t len = strcspn(text, "="), padding = strlen(text + len);
    if (padding > 2 || (len + padding) % 4 != 0 || strspn(text + len, "=") != padding)
        return false;
    unsigned bits = 0;
    char *out = text;
    for (size_t i = 0; i < len; i++) {
        const char *digit = strchr(digits, text[i]);
        if (digit == NULL)
            return false;
        bits = bits << 6 | (unsigned)(digit - digits);
        if (i % 4 != 0)
            *out++ = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    *out = 0;
    return strlen(text) == (size_t)(out - text);
}
