/* rows.h: the definitions of lib/vocabulary.h written the short and slow way, with nothing of the
   program: for the tests that look themselves for the rows of a place. */
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline bool word_letter(char c) {
    return c == '_' || c == '\'' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static inline bool starts_word(const char *text, size_t i) {
    return word_letter(text[i]) && (i == 0 || !word_letter(text[i - 1]));
}

/* Where the last so many words before a place begin; SIZE_MAX when there are fewer. */
static inline size_t words_back(const char *text, size_t place, int words) {
    size_t start = place;
    while (words > 0 && start > 0) words -= starts_word(text, --start);
    return words > 0 ? SIZE_MAX : start;
}

/* Small letters, white space runs as one space, none at the start; returns the length. */
static inline size_t make_plain(const char *text, size_t length, char *plain) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = strchr(" \t\n\r\v\f", text[i]) ? ' ' : text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c != ' ' || (used && plain[used - 1] != ' ')) plain[used++] = c;
    }
    return used;
}

/* The character above place, a newline where the line above is shorter or there is none. */
static inline int slow_above(const char *text, size_t place) {
    size_t line = place, above;
    while (line > 0 && text[line - 1] != '\n') line--;
    if (line == 0) return '\n';
    above = line - 1;
    while (above > 0 && text[above - 1] != '\n') above--;
    above += place - line;
    return above < line ? (unsigned char)text[above] : '\n';
}

/* For each place [length + 1] the latest place before it that has the same two characters before
   it, 0 when there is none: a step of searches for longer strings. For the caller to free. */
static inline size_t *places_before(const char *text, size_t length) {
    size_t(*latest)[256] = calloc(256, sizeof *latest);
    size_t *before = calloc(length + 1, sizeof *before);
    if (!latest || !before) abort();
    for (size_t place = 2; place <= length; place++) {
        size_t *pair = &latest[(unsigned char)text[place - 2]][(unsigned char)text[place - 1]];
        before[place] = *pair;
        *pair = place;
    }
    free(latest);
    return before;
}

/* Where the key [length] before place stood last, not too far back; SIZE_MAX: nowhere. */
static inline size_t slow_last(const char *text, const size_t *before, size_t place, size_t length,
                               bool words) {
    enum { WINDOW = 1 << 22 };
    size_t found = place;
    while (found > length) {
        found = length > 1 ? before[found] : found - 1;
        if (found < length || place - found >= WINDOW) return SIZE_MAX;
        if (!memcmp(text + found - length, text + place - length, length) &&
            (!words || starts_word(text, found - length)))
            return found;
    }
    return SIZE_MAX;
}

/* How many rows a key of echoes has. */
static inline size_t slow_width(int key) { return key < 128 ? 100 : 400; }

/* The character after the key's last stand before place, or -1. A key is a number of characters;
   100 + a number of words; 103: what is above; 104: the word, and the character after the last
   stand but one, where the last had another. 128 more: *number becomes 0 for a first stand, 1 where
   another character came before, 2 and 3 for the same one twice and three times in a row. */
static inline int slow_echo(const char *text, const size_t *before, size_t place, int key,
                            int *number) {
    enum { WORDS = 100, ABOVE = 103, BEFORE = 104, CASES = 128, LONGEST = 40 };
    int plain = key == BEFORE ? WORDS + 1 : key % CASES, heard[3] = {-1, -1, -1};
    bool words = plain > WORDS;
    *number = 0;
    if (plain == ABOVE) return place == 0 ? -1 : slow_above(text, place);
    size_t start = words ? words_back(text, place, plain - WORDS) : place - (size_t)plain;
    if (start >= place || place - start > LONGEST) return -1;
    size_t length = place - start;
    for (int i = 0; i < 3 && place != SIZE_MAX; i++) {
        place = slow_last(text, before, place, length, words);
        if (place != SIZE_MAX) heard[i] = (unsigned char)text[place];
    }
    if (key == BEFORE) return heard[0] == heard[1] ? -1 : heard[1];
    if (key > CASES && heard[1] >= 0) *number = 1;
    if (key > CASES && heard[1] >= 0 && heard[0] == heard[1]) *number = 2 + (heard[1] == heard[2]);
    return heard[0];
}

/* How many characters the line has so far, at most 80. */
static inline size_t slow_column(const char *text, size_t place) {
    size_t column = 0;
    while (column < 80 && column < place && text[place - 1 - column] != '\n') column++;
    return column;
}

#endif
