#include "characters.h"

#include <stdio.h>
#include <string.h>

static const char printable[CHARACTERS + 1] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c";

char character_of(uint8_t id) { return printable[id]; }

int id_of(unsigned char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'z') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'Z') return byte - 'A' + 36;
    const char *found = byte ? strchr(printable + 62, byte) : NULL;
    return found ? (int)(found - printable) : -1;
}

static size_t escape_one(char character, char *name) {
    static const char plain[] = "\n\t\r\\", letter[] = "ntr\\";
    const char *found = character ? strchr(plain, character) : NULL;
    if (found) return (size_t)sprintf(name, "\\%c", letter[found - plain]);
    if (character >= ' ' && character <= '~') return (size_t)sprintf(name, "%c", character);
    return (size_t)sprintf(name, "\\x%02x", (unsigned char)character);
}

char *escaped(const char *text, size_t length, char *name) {
    size_t used = 0;
    name[0] = '\0';
    for (size_t i = 0; i < length; i++) used += escape_one(text[i], name + used);
    return name;
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

const char *character_kind_name(CharacterKind kind) {
    static const char *names[] = {"vowel", "consonant", "capital", "digit", "punctuation", "whitespace"};
    return names[kind];
}
