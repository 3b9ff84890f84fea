/* UTF-8, strictly: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef PROTEA_BASE_UTF8_H
#define PROTEA_BASE_UTF8_H
/* Length of the sequence at s (ended by a 0) and its code point; 0 if there is none. */
int protea_utf8_decode(const unsigned char *s, unsigned *code);
#endif
