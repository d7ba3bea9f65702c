/* Characters: names and escapes can be read back, and each has the kind that its class says. */
#include "../../lib/characters.h"
#include "../check.h"

#include <ctype.h>
#include <string.h>

static bool reads_as(const char *text, const char *expected) {
    uint8_t ids[64];
    size_t count = unescaped(text, ids);
    bool same = count == strlen(expected);
    for (size_t i = 0; same && i < count; i++) same = character_of(ids[i]) == expected[i];
    return same;
}

static CharacterKind kind_of(int c) {
    if (isspace(c)) return WHITESPACE;
    if (isdigit(c)) return DIGIT;
    if (isupper(c)) return CAPITAL;
    if (!islower(c)) return PUNCTUATION;
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' ? VOWEL : CONSONANT;
}

int main(void) {
    size_t unlike = 0, wrong_kinds = 0;
    for (uint8_t id = 0; id < 100; id++) {
        char c = character_of(id), two[] = {c, 'z'}, three[] = {c, 'z', '\0'}, name[16];
        escaped(two, 2, name);
        unlike += !reads_as(name, three) || id_of((unsigned char)c) != id;
        wrong_kinds += character_kind(c) != kind_of((unsigned char)c);
    }
    check(unlike == 0, "each character is escaped and read back, %zu are not", unlike);
    check(wrong_kinds == 0, "each character has its kind, %zu have not", wrong_kinds);
    check(reads_as("\\x41b\\x42", "AbB") && reads_as("\\n\\t\\r\\\\\\\"", "\n\t\r\\\"") &&
              reads_as("a\\", "a\\") && reads_as("\\q", "\\q") && reads_as("", ""),
          "escapes within a text, and a backslash that escapes nothing");
    check(reads_as("\\x01", "") && reads_as("ab\\xe9", ""), "what is no character is refused");
    char name[16], masked[32];
    check(!strcmp(character_name(' ', name), "space") &&
              !strcmp(character_name('\\', name), "\\") &&
              !strcmp(character_name('\n', name), "\\n") && !strcmp(character_name('x', name), "x"),
          "names of the space, the backslash, a line end and a letter");
    check(!strcmp(escaped("a\001\x0b", 3, masked), "a\\x01\\x0b"), "control characters by number");
    check(!strcmp(escaped("", 0, masked), ""), "a text of no characters");
    return 0;
}
