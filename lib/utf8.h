/* utf8.h: one character of UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF). */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes that the character at the start of bytes [length] takes, 1..4, and its code point;
   0 when no valid character begins there. */
static inline size_t utf8_read(const unsigned char *bytes, size_t length, uint32_t *code) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (length == 0) return 0;
    unsigned char first = bytes[0];
    *code = first;
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size > length) return 0;
    *code = first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) return 0;
        *code = *code << 6 | (bytes[i] & 0x3fu);
    }
    if (*code < smallest[size] || *code > 0x10ffff) return 0;
    if (*code >= 0xd800 && *code < 0xe000) return 0;
    return size;
}

/* Writes a code point of at most U+10FFFF as UTF-8 and a NUL; returns how many bytes, 1..4. */
static inline size_t utf8_write(uint32_t code, char bytes[5]) {
    size_t size = 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    static const unsigned char marks[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    bytes[size] = '\0';
    for (size_t i = size; i-- > 1; code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(marks[size] | code);
    return size;
}

#endif
