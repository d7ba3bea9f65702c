#include "characters.h"

#include "format.h"
#include "letters_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char printable[CHARACTERS + 1] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c";

char character_of(uint8_t id) { return printable[id]; }

int id_of(unsigned char byte) { return number_of[byte] - 1; }

const char *ascii_for(uint32_t code, char one[2]) {
    one[0] = code == '\r' ? '\n' : (char)code;
    one[1] = '\0';
    if (code < 0x80) return id_of((unsigned char)code) >= 0 ? one : NULL;
    size_t r = 0;
    while (r + 1 < sizeof runs / sizeof *runs && runs[r + 1].first <= code) r++;
    if (code < runs[r].first || code - runs[r].first >= runs[r].count) return NULL;
    if (!runs[r].ascii) return "";
    unsigned char byte = (unsigned char)runs[r].ascii[code - runs[r].first];
    if (byte >= 0x80) return several[byte - 0x80];
    one[0] = (char)byte;
    return byte == 1 ? NULL : one;
}

const char *script_of(uint32_t code) {
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (code >= scripts[i].first && code <= scripts[i].last) return scripts[i].name;
    return NULL;
}

char *escaped(const char *text, size_t length, char *name) {
    static const char plain[] = "\n\t\r\\", letters[] = "ntr\\";
    char *end = name;
    *end = '\0';
    for (size_t i = 0; i < length; i++) {
        const char *found = memchr(plain, text[i], sizeof plain - 1);
        if (found)
            end += sprintf(end, "\\%c", letters[found - plain]);
        else if (text[i] >= ' ' && text[i] <= '~')
            end += sprintf(end, "%c", text[i]);
        else
            end += sprintf(end, "\\x%02x", (unsigned char)text[i]);
    }
    return name;
}

size_t unescaped(const char *text, uint8_t *ids) {
    char *plain = text_unescaped(text);
    size_t length = strlen(plain), count = 0;
    while (count < length && id_of((unsigned char)plain[count]) >= 0) {
        ids[count] = (uint8_t)id_of((unsigned char)plain[count]);
        count++;
    }
    free(plain);
    return count == length ? count : 0;
}

char *character_name(char character, char *name) {
    if (character == ' ') return strcpy(name, "space");
    if (character == '\\') return strcpy(name, "\\");
    return escaped(&character, 1, name);
}

CharacterKind character_kind(char character) {
    if (character && strchr("aeiou", character)) return VOWEL;
    if (character >= 'a' && character <= 'z') return CONSONANT;
    if (character >= 'A' && character <= 'Z') return CAPITAL;
    if (character >= '0' && character <= '9') return DIGIT;
    return character == ' ' || (character >= '\t' && character <= '\r') ? WHITESPACE : PUNCTUATION;
}
