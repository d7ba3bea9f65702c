#include "vocabulary.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t at_most(size_t a, size_t b) { return a < b ? a : b; }

/* ---- what the kinds share: rows in the order of a list, readers of a text ---------------------- */

/* The strings of a training text, or of a file, each right before those that extend it. */
typedef struct {
    uint32_t parent, count;
    uint8_t letter;
} String;

typedef struct {
    String *strings;
    size_t size, capacity;
    size_t end[PHRASE_ROWS + 1]; /* of each kind */
} List;

static uint32_t list_add(List *list, uint32_t parent, uint8_t letter, size_t count) {
    list->strings =
        grow(list->strings, &list->capacity, list->size + 1, sizeof(String), "the list of rows");
    list->strings[list->size] = (String){parent, (uint32_t)count, letter};
    return (uint32_t)list->size++;
}

enum { FEW = 32 }; /* places that are read at a time */

/* Reads a text from place to place and finds the rows of one kind or group in its bags. A reader of
   zeros has read nothing. */
typedef struct {
    const Vocabulary *vocabulary;
    RowKind kind;
    int group;
    size_t end;                    /* where the text ends, as far as that is known */
    uint32_t phrase[PHRASE_WORDS]; /* the latest phrases, NO_PHRASE when the text has none */
    uint64_t *latest; /* echoes: a hash table of keys: hash and latest place, 32 bits each */
    size_t slots, used;
    size_t length[FEW]; /* the keys of these places: their lengths, 0 for none, */
    uint32_t hash[FEW]; /* and their hashes */
    size_t line, above; /* where this line and the one before begin */
    uint8_t column;
} Reader;

/* The slot with the row that extends parent by letter, or the empty slot where it belongs. */
static inline size_t slot_of(const Vocabulary *vocabulary, uint32_t parent, uint8_t letter) {
    uint64_t key = (uint64_t)parent << 8 | letter;
    size_t slot = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & vocabulary->slot_mask;
    for (;; slot = (slot + 1) & vocabulary->slot_mask) {
        uint32_t row = vocabulary->slots[slot];
        if (row == NO_ROW) return slot;
        if (vocabulary->parent[row] == parent && vocabulary->letter[row] == letter) return slot;
    }
}

static inline uint32_t child_row(const Vocabulary *vocabulary, uint32_t parent, uint8_t letter) {
    return vocabulary->slots[slot_of(vocabulary, parent, letter)];
}

/* Strings to be listed: each begins at one of the places of letters and ends before END. */
enum { END = CHARACTERS };
typedef struct {
    List *list;
    const uint8_t *letters;
    uint32_t *places, *spare; /* spare: as large */
    int shortest, longest;    /* shorter strings are characters, which have their rows */
    uint32_t min_count;
} Listing;

/* Sorts places by the letter after the first `length`; start [CHARACTERS + 2] is where each letter
   begins, END last. */
static void sort_places(const Listing *listing, size_t from, size_t to, int length, size_t *start) {
    const uint8_t *letters = listing->letters + length;
    uint32_t *places = listing->places, *spare = listing->spare;
    size_t next[CHARACTERS + 2] = {from};
    for (size_t i = from; i < to; i++) next[letters[places[i]] + 1]++;
    for (int c = 0; c <= CHARACTERS; c++) next[c + 1] += next[c];
    memcpy(start, next, sizeof next);
    for (size_t i = from; i < to; i++) spare[next[letters[places[i]]]++] = places[i];
    memcpy(places + from, spare + from, (to - from) * sizeof *places);
}

/* The strings at places from..to-1 have their first `length` letters in common: lists the longer
   ones. A string that occurs once is not extended: the longer one would be in the same one bag. */
static void list_longer(const Listing *listing, size_t from, size_t to, int length,
                        uint32_t parent) {
    size_t start[CHARACTERS + 2];
    sort_places(listing, from, to, length++, start);
    for (uint8_t letter = 0; letter < CHARACTERS; letter++) {
        size_t count = start[letter + 1] - start[letter];
        if (count == 0 || count < listing->min_count) continue;
        uint32_t row = letter;
        if (length >= listing->shortest) row = list_add(listing->list, parent, letter, count);
        if (count > 1 && length < listing->longest)
            list_longer(listing, start[letter], start[letter + 1], length, row);
    }
}

static void name_string(const Vocabulary *vocabulary, uint32_t row, char *name) {
    char text[MAX_PHRASE], printable[4 * MAX_PHRASE + 1];
    escaped(text, row_text(vocabulary, row, text), printable);
    bool phrase = row >= vocabulary->end[NGRAM_ROWS];
    sprintf(name, "%s\"%s\"", phrase ? "^" : "", printable);
}

/* ---- characters: the last one ------------------------------------------------------------------ */

static void list_characters(List *list, const uint8_t *text, size_t length,
                            const RowOptions *options) {
    (void)options;
    for (uint8_t c = 0; c < CHARACTERS; c++) list_add(list, NO_ROW, c, 0);
    for (size_t i = 0; i < length; i++) list->strings[text[i]].count++;
}

static void name_character(const Vocabulary *vocabulary, uint32_t row, char *name) {
    character_name(character_of(vocabulary->letter[row]), name);
}

/* ---- n-grams: read backwards from the last character ------------------------------------------- */

static void list_ngrams(List *list, const uint8_t *text, size_t length, const RowOptions *options) {
    uint8_t *letters = allocate(length + 1, 1, "the list of n-grams");
    uint32_t *places = allocate(2 * length, sizeof *places, "the list of n-grams");
    for (size_t i = 0; i < length; i++) {
        letters[length - 1 - i] = text[i];
        places[i] = (uint32_t)i;
    }
    letters[length] = END;
    Listing listing = {list,           letters,           places, places + length, 2,
                       options->order, options->min_count};
    list_longer(&listing, 0, length, 0, NO_ROW);
    free(letters);
    free(places);
}

/* Finds the longest, and the character where there is none: the others are its parents. */
static void read_ngrams(Reader *reader, const uint8_t *text, size_t from, size_t to, Bags *bags) {
    const Vocabulary *vocabulary = reader->vocabulary;
    for (size_t place = from; place < to; place++) {
        size_t longest = at_most((size_t)vocabulary->options.order, place);
        uint32_t row = place ? text[place - 1] : NO_ROW;
        for (size_t length = 1; length < longest; length++) {
            uint32_t longer = child_row(vocabulary, row, text[place - length - 1]);
            if (longer == NO_ROW) break;
            row = longer;
        }
        bags->ngram[place - bags->first] = row;
    }
}

/* ---- phrases: read forwards from where a word begins ------------------------------------------- */

enum {
    APOSTROPHE = 68,
    UNDERSCORE = 88,
    SPACE = 94,
    NEWLINE = 96
};                      /* ids; white space is 94..99 */
enum { NO_PHRASE = 0 }; /* row 0 is a character's */

static bool is_word_letter(uint8_t id) {
    return id < 62 || id == APOSTROPHE || id == UNDERSCORE; /* or a digit or a letter */
}

static bool word_begins(const uint8_t *text, size_t i) {
    return is_word_letter(text[i]) && !(i && is_word_letter(text[i - 1]));
}

/* Of white space, only the first counts. */
static bool is_repeated_space(const uint8_t *text, size_t i) {
    return text[i] >= SPACE && i > 0 && text[i - 1] >= SPACE;
}

/* Capitals (36..61) as small letters (10..35), white space as a space. */
static uint8_t plain(uint8_t id) {
    if (id >= SPACE) return SPACE;
    return id >= 36 && id < 62 ? (uint8_t)(id - 26) : id;
}

/* Copies what phrases can hold that begin with the word at `from`; returns how many letters. */
static size_t copy_phrase(const uint8_t *text, size_t from, size_t length, uint8_t *letters) {
    size_t used = 0;
    int words = 0;
    for (size_t i = from; i < length && used < MAX_PHRASE; i++) {
        words += word_begins(text, i);
        if (words > PHRASE_WORDS) break;
        if (!is_repeated_space(text, i)) letters[used++] = plain(text[i]);
    }
    letters[used] = END;
    return used;
}

static void list_phrases(List *list, const uint8_t *text, size_t length,
                         const RowOptions *options) {
    size_t words = 0, used = 0;
    for (size_t i = 0; i < length; i++) words += word_begins(text, i);
    /* a character is in PHRASE_WORDS of them at most, and each has an END */
    uint8_t *letters = allocate(PHRASE_WORDS * length + words + 1, 1, "the list of phrases");
    uint32_t *places = allocate(2 * words, sizeof *places, "the list of phrases");
    Listing listing = {list, letters, places, places + words, 1, MAX_PHRASE, options->min_count};
    words = 0;
    for (size_t i = 0; i < length; i++) {
        if (!word_begins(text, i)) continue;
        places[words++] = (uint32_t)used;
        used += copy_phrase(text, i, length, letters + used) + 1;
    }
    list_longer(&listing, 0, words, 0, NO_ROW);
    free(letters);
    free(places);
}

static void read_phrases(Reader *reader, const uint8_t *text, size_t from, size_t to, Bags *bags) {
    uint32_t *phrase = reader->phrase;
    for (size_t place = from; place < to; place++) {
        if (place && word_begins(text, place - 1)) {
            memmove(phrase + 1, phrase, (PHRASE_WORDS - 1) * sizeof *phrase);
            phrase[0] = NO_ROW; /* the root */
        }
        for (int w = 0; w < PHRASE_WORDS && place; w++) {
            if (phrase[w] == NO_PHRASE || is_repeated_space(text, place - 1)) continue;
            phrase[w] = child_row(reader->vocabulary, phrase[w], plain(text[place - 1]));
            if (phrase[w] == NO_ROW) phrase[w] = NO_PHRASE;
        }
        for (int w = 0; w < PHRASE_WORDS && place >= bags->first; w++)
            if (phrase[w] != NO_PHRASE) bags->beside[place - bags->first].phrase[w] = phrase[w];
    }
}

/* ---- echoes: what followed where the same key occurred last ------------------------------------ */

static int echo_groups(const RowOptions *options) { return options->echoes; }

/* How many characters before `place` are the key, 0 when there is none. */
static size_t key_length(int key, const uint8_t *text, size_t place) {
    if (key < ECHO_WORDS) return place < (size_t)key ? 0 : (size_t)key;
    int words = key - ECHO_WORDS;
    for (size_t length = 1; length <= at_most(place, MAX_ECHO_KEY); length++) {
        words -= word_begins(text, place - length);
        if (words == 0) return length;
    }
    return 0;
}

static uint32_t key_hash(const uint8_t *key, size_t length) {
    uint64_t hash = length, part;
    for (; length >= sizeof part; key += sizeof part, length -= sizeof part) {
        memcpy(&part, key, sizeof part);
        hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    for (; length > 0; length--) hash = (hash + *key++) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32);
}

/* Does the key [length] before `place` end before `other`, too? */
static bool same_key(int key, const uint8_t *text, size_t place, size_t other, size_t length) {
    if (other < length || memcmp(text + place - length, text + other - length, length))
        return false;
    return key < ECHO_WORDS || word_begins(text, other - length);
}

/* Returns which character followed when the key [length] before `place` occurred last within
   ECHO_WINDOW, NO_MEMBER when it did not; remembers that it is here. */
static uint8_t echo_at(Reader *reader, const uint8_t *text, size_t place, size_t length,
                       uint32_t hash) {
    int key = reader->vocabulary->options.echo_keys[reader->group];
    uint64_t *latest = reader->latest, here = (uint64_t)hash << 32 | (uint32_t)place;
    size_t slot = hash & (reader->slots - 1);
    for (; latest[slot]; slot = (slot + 1) & (reader->slots - 1)) {
        size_t distance = (uint32_t)place - (uint32_t)latest[slot];
        if (latest[slot] >> 32 != hash) continue;
        if (!same_key(key, text, place, place - distance, length)) continue;
        latest[slot] = here;
        return distance < ECHO_WINDOW ? text[place - distance] : NO_MEMBER;
    }
    latest[slot] = here;
    reader->used++;
    return NO_MEMBER;
}

/* Makes a table that is at most half full when the rest of the text, or as many keys again, are in
   it. Keys that are further back than the window are left out. */
static void renew_echoes(Reader *reader, size_t place) {
    uint64_t *old = reader->latest;
    size_t slots = reader->slots, room = 2 * reader->used;
    if (reader->end > place + room) room = reader->end - place;
    reader->slots = 1024;
    while (reader->slots < 2 * at_most(room, 2 * ECHO_WINDOW)) reader->slots *= 2;
    reader->latest = allocate(reader->slots, sizeof *reader->latest, "the echoes");
    reader->used = 0;
    for (size_t i = 0; i < slots; i++) {
        size_t slot = old[i] >> 32 & (reader->slots - 1);
        if (!old[i] || (uint32_t)place - (uint32_t)old[i] >= ECHO_WINDOW) continue;
        while (reader->latest[slot]) slot = (slot + 1) & (reader->slots - 1);
        reader->latest[slot] = old[i];
        reader->used++;
    }
    free(old);
}

/* Which character is above place, NEWLINE where the line above is shorter. */
static void read_above(Reader *reader, const uint8_t *text, size_t from, size_t to, Bags *bags) {
    for (size_t place = from; place < to; place++) {
        if (place == 0) continue;
        if (text[place - 1] == NEWLINE) {
            reader->above = reader->line;
            reader->line = place;
        }
        size_t above = reader->above + place - reader->line;
        if (place < bags->first) continue;
        uint8_t *member = &bags->beside[place - bags->first].member[reader->group];
        *member = above < reader->line ? text[above] : NEWLINE;
    }
}

/* Hashes the keys of the places from..to-1 and asks for their slots, which lie anywhere in memory. */
static void hash_keys(Reader *reader, const uint8_t *text, size_t from, size_t to) {
    int key = reader->vocabulary->options.echo_keys[reader->group];
    if (key == ECHO_ABOVE) return;
    if (reader->used + to - from > reader->slots / 4 * 3) renew_echoes(reader, from);
    for (size_t i = 0; i < to - from; i++) {
        size_t length = key_length(key, text, from + i);
        reader->length[i] = length;
        reader->hash[i] = key_hash(text + from + i - length, length);
        __builtin_prefetch(&reader->latest[reader->hash[i] & (reader->slots - 1)], 1);
    }
}

static void read_echoes(Reader *reader, const uint8_t *text, size_t from, size_t to, Bags *bags) {
    if (reader->vocabulary->options.echo_keys[reader->group] == ECHO_ABOVE) {
        read_above(reader, text, from, to, bags);
        return;
    }
    for (size_t i = 0; i < to - from; i++) {
        if (reader->length[i] == 0) continue;
        uint8_t follower = echo_at(reader, text, from + i, reader->length[i], reader->hash[i]);
        if (from + i < bags->first) continue;
        bags->beside[from + i - bags->first].member[reader->group] = follower;
    }
}

static void name_echo(const Vocabulary *vocabulary, uint32_t row, char *name) {
    static const char *words[] = {"word", "words", "above"};
    uint32_t echo = row - vocabulary->end[PHRASE_ROWS];
    int key = vocabulary->options.echo_keys[echo / CHARACTERS];
    char follower[8];
    character_name(character_of(echo % CHARACTERS), follower);
    if (key > ECHO_WORDS)
        sprintf(name, "echo %s: %s", words[key - ECHO_WORDS - 1], follower);
    else
        sprintf(name, "echo %d: %s", key, follower);
}

/* ---- columns: how many characters the line has ------------------------------------------------- */

static int column_groups(const RowOptions *options) { return options->columns; }

static void read_columns(Reader *reader, const uint8_t *text, size_t from, size_t to, Bags *bags) {
    for (size_t place = from; place < to; place++) {
        if (place == 0) continue;
        if (reader->column < COLUMNS - 1) reader->column++;
        if (text[place - 1] == NEWLINE) reader->column = 0;
        if (place >= bags->first)
            bags->beside[place - bags->first].member[reader->group] = reader->column;
    }
}

static void name_column(const Vocabulary *vocabulary, uint32_t row, char *name) {
    sprintf(name, "column %u", (unsigned)(row - vocabulary->end[ECHO_ROWS]));
}

/* ---- the kinds --------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    /* Lists the strings of a training text. */
    void (*list)(List *list, const uint8_t *text, size_t length, const RowOptions *options);
    /* How many groups there are, and how many rows each has. */
    int (*groups)(const RowOptions *options);
    uint32_t group_rows;
    /* Prepares to read the places from..to-1, at most FEW; then reads them and fills in those that
       the bags have. */
    void (*prepare)(Reader *reader, const uint8_t *text, size_t from, size_t to);
    void (*read)(Reader *reader, const uint8_t *text, size_t from, size_t to, Bags *bags);
    void (*name_row)(const Vocabulary *vocabulary, uint32_t row, char *name);
} Kind;

static const Kind kinds[ROW_KINDS] = {
    [CHARACTER_ROWS] = {"characters", list_characters, NULL, 0, NULL, NULL, name_character},
    [NGRAM_ROWS] = {"n-grams", list_ngrams, NULL, 0, NULL, read_ngrams, name_string},
    [PHRASE_ROWS] = {"phrases", list_phrases, NULL, 0, NULL, read_phrases, name_string},
    [ECHO_ROWS] = {"echoes", NULL, echo_groups, CHARACTERS, hash_keys, read_echoes, name_echo},
    [COLUMN_ROWS] = {"columns", NULL, column_groups, COLUMNS, NULL, read_columns, name_column},
};

/* ---- from lists to rows ------------------------------------------------------------------------ */

/* How many strings beside the characters occur at least min_count times. */
static size_t strings_from(const List *list, uint32_t min_count) {
    size_t strings = 0;
    for (size_t i = CHARACTERS; i < list->size; i++) strings += list->strings[i].count >= min_count;
    return strings;
}

/* The smallest count, from options.min_count up, at which no more than max_rows strings remain. */
static uint32_t smallest_count(const List *list, const RowOptions *options) {
    uint32_t low = options->min_count, high = UINT32_MAX;
    if (list->size <= options->max_rows) return low;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strings_from(list, middle) > options->max_rows)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool index_strings(Vocabulary *vocabulary) {
    size_t slots = 256;
    while (slots < 2 * (size_t)vocabulary->end[PHRASE_ROWS]) slots *= 2;
    vocabulary->slots = allocate(slots, sizeof(uint32_t), "the table of rows");
    memset(vocabulary->slots, 0xff, slots * sizeof(uint32_t));
    vocabulary->slot_mask = slots - 1;
    for (uint32_t row = CHARACTERS; row < vocabulary->end[PHRASE_ROWS]; row++) {
        size_t slot = slot_of(vocabulary, vocabulary->parent[row], vocabulary->letter[row]);
        if (vocabulary->slots[slot] != NO_ROW) return false;
        vocabulary->slots[slot] = row;
    }
    return true;
}

static void add_groups(Vocabulary *vocabulary) {
    for (int kind = PHRASE_ROWS + 1; kind < ROW_KINDS; kind++) {
        for (int g = kinds[kind].groups(&vocabulary->options); g > 0; g--) {
            vocabulary->group_first[vocabulary->groups++] = vocabulary->rows;
            vocabulary->rows += kinds[kind].group_rows;
        }
        vocabulary->end[kind] = vocabulary->rows;
    }
}

/* Makes rows of the strings that occur at least min_count times; frees the list. Returns false when
   two have the same text. */
static bool make_rows(Vocabulary *vocabulary, List *list, uint32_t min_count) {
    size_t strings = CHARACTERS + strings_from(list, min_count), i = 0;
    uint32_t *number = allocate(list->size, sizeof *number, "the list of rows");
    vocabulary->parent = allocate(strings, sizeof *vocabulary->parent, "the list of rows");
    vocabulary->letter = allocate(strings, 1, "the list of rows");
    vocabulary->count = allocate(strings + MAX_GROUPS * CHARACTERS, sizeof(uint32_t), "the counts");
    for (int kind = 0; kind <= PHRASE_ROWS; kind++) {
        for (; i < list->end[kind]; i++) {
            String string = list->strings[i];
            if (i >= CHARACTERS && string.count < min_count) continue;
            uint32_t row = number[i] = vocabulary->rows++;
            vocabulary->parent[row] = string.parent == NO_ROW ? NO_ROW : number[string.parent];
            vocabulary->letter[row] = string.letter;
            vocabulary->count[row] = string.count;
        }
        vocabulary->end[kind] = vocabulary->rows;
    }
    free(number);
    free(list->strings);
    add_groups(vocabulary);
    return index_strings(vocabulary);
}

/* Evenly spread parts of a text that is too long to list whole. */
static uint8_t *sample_of(const uint8_t *text, size_t length) {
    const size_t part = LIST_SAMPLE / LIST_PARTS;
    uint8_t *sample = allocate(LIST_SAMPLE, 1, "the sample of a long text");
    for (size_t p = 0; p < LIST_PARTS; p++)
        memcpy(sample + p * part, text + (length - part) / (LIST_PARTS - 1) * p, part);
    return sample;
}

Vocabulary vocabulary_list(const uint8_t *text, size_t length, RowOptions options) {
    uint8_t *sample = length > LIST_SAMPLE ? sample_of(text, length) : NULL;
    List list = {0};
    for (int kind = 0; kind <= PHRASE_ROWS; kind++) {
        if (kind != PHRASE_ROWS || options.phrases)
            kinds[kind].list(&list, sample ? sample : text, at_most(length, LIST_SAMPLE), &options);
        list.end[kind] = list.size;
    }
    Vocabulary vocabulary = {.options = options, .sampled = sample != NULL};
    vocabulary.min_count = smallest_count(&list, &options);
    make_rows(&vocabulary, &list, vocabulary.min_count);
    free(sample);
    return vocabulary;
}

/* The ids of an n-gram in a file's cell, read backwards; returns how many, 0 when there are none or
   one is no printable character. */
static size_t cell_letters(const uint8_t *cell, size_t width, uint8_t *letters) {
    size_t length = width;
    while (length > 0 && cell[width - length] == 0) length--;
    for (size_t i = 0; i < length; i++) {
        int id = id_of(cell[width - 1 - i]);
        if (id < 0) return 0;
        letters[i] = (uint8_t)id;
    }
    return length;
}

/* N-grams from a file's texts [count, width]. */
static bool list_texts(List *list, const uint8_t *cells, size_t count, size_t width,
                       const char **reason) {
    size_t known = 0;
    uint8_t letters[MAX_ORDER], before[MAX_ORDER]; /* of this string; [known] of the last one */
    uint32_t latest[MAX_ORDER + 1] = {NO_ROW};     /* the last string of each length */
    for (size_t i = 0; i < count; i++) {
        size_t length = cell_letters(cells + i * width, width, letters);
        *reason = "a row's text is not made of printable characters behind 0 bytes";
        if (length < 2) return false;
        *reason = "the rows are not in order, each right behind its parent";
        bool orphan = length - 1 > known || memcmp(letters, before, length - 1);
        if (length > 2 && orphan) return false;
        latest[1] = letters[0];
        latest[length] = list_add(list, latest[length - 1], letters[length - 1], 0);
        memcpy(before, letters, length);
        known = length;
    }
    list->end[NGRAM_ROWS] = list->size;
    return true;
}

/* Phrases from a file's pairs [count, 2]: the length and the last character of each. */
static bool list_ends(List *list, const uint8_t *pairs, size_t count, const char **reason) {
    size_t known = 0;
    uint32_t latest[MAX_PHRASE + 1] = {NO_ROW}; /* the last phrase of each length */
    *reason = "the phrases are not in order, each right behind its parent";
    for (size_t i = 0; i < count; i++) {
        size_t length = pairs[2 * i];
        int id = id_of(pairs[2 * i + 1]);
        if (length < 1 || length > known + 1 || length > MAX_PHRASE || id < 0) return false;
        latest[length] = list_add(list, latest[length - 1], (uint8_t)id, 0);
        known = length;
    }
    list->end[PHRASE_ROWS] = list->size;
    return true;
}

bool vocabulary_read(Vocabulary *vocabulary, RowOptions options, const uint8_t *ngrams,
                     size_t ngram_rows, const uint8_t *phrases, size_t phrase_rows,
                     const char **reason) {
    *vocabulary = (Vocabulary){.options = options, .min_count = options.min_count};
    *reason = "there are too many rows";
    if (ngram_rows >= NO_ROW / 4 || phrase_rows >= NO_ROW / 4) return false;
    List list = {0};
    list_characters(&list, NULL, 0, &options);
    list.end[CHARACTER_ROWS] = list.size;
    if (!list_texts(&list, ngrams, ngram_rows, (size_t)options.order, reason) ||
        !list_ends(&list, phrases, phrase_rows, reason)) {
        free(list.strings);
        return false;
    }
    *reason = "two rows have the same text";
    return make_rows(vocabulary, &list, 0);
}

void vocabulary_free(Vocabulary *vocabulary) {
    free(vocabulary->parent);
    free(vocabulary->letter);
    free(vocabulary->count);
    free(vocabulary->slots);
    *vocabulary = (Vocabulary){0};
}

/* ---- bags -------------------------------------------------------------------------------------- */

/* Readers have numbers: 0 reads n-grams, 1 phrases, 2 + g group g. */
static size_t reader_count(const Vocabulary *vocabulary) { return 2 + (size_t)vocabulary->groups; }

static Reader reader_start(const Vocabulary *vocabulary, size_t number, size_t end) {
    Reader reader = {.vocabulary = vocabulary, .group = (int)number - 2, .end = end};
    reader.kind = number == 0 ? NGRAM_ROWS : PHRASE_ROWS;
    if (number >= 2) reader.kind = row_kind(vocabulary, vocabulary->group_first[number - 2]);
    return reader;
}

/* Lets the readers [count] read the places from..to-1, a few at a time: what one prepares comes into
   the cache while the others prepare theirs. */
static void read_on(Reader *readers, size_t count, const uint8_t *text, size_t from, size_t to,
                    Bags *bags) {
    for (size_t end; from < to; from = end) {
        end = at_most(from + FEW, to);
        for (size_t r = 0; r < count; r++) {
            const Kind *kind = &kinds[readers[r].kind];
            if (kind->prepare) kind->prepare(&readers[r], text, from, end);
        }
        for (size_t r = 0; r < count; r++) {
            bool phrases = readers[r].vocabulary->options.phrases;
            if (readers[r].kind != PHRASE_ROWS || phrases)
                kinds[readers[r].kind].read(&readers[r], text, from, end, bags);
        }
    }
}

typedef struct {
    const Vocabulary *vocabulary;
    const uint8_t *text;
    Bags *bags;
} Finding;

/* A piece for each reader, but PARTS for n-grams, which need nothing of the places before. The other
   readers begin so far before the first place that it makes no difference. */
enum { PARTS = 16 };
static void find_piece(int member, size_t piece, void *argument) {
    const Finding *finding = argument;
    Bags *bags = finding->bags;
    size_t number = piece < PARTS ? 0 : piece - PARTS + 1, end = bags->first + bags->count;
    size_t begin = bags->first - at_most(bags->first, ECHO_WINDOW + MAX_ECHO_KEY);
    (void)member;
    if (number == 0) {
        begin = bags->first + bags->count / PARTS * piece;
        if (piece < PARTS - 1) end = begin + bags->count / PARTS;
    }
    Reader reader = reader_start(finding->vocabulary, number, end);
    read_on(&reader, 1, finding->text, begin, end, bags);
    free(reader.latest);
}

Bags bags_find(Team *team, const Vocabulary *vocabulary, const uint8_t *text, size_t first,
               size_t count) {
    Bags bags = {.first = first, .count = count, .targets = text + first};
    bags.ngram = allocate(count, sizeof *bags.ngram, "the bags of the text");
    if (vocabulary->rows > vocabulary->end[NGRAM_ROWS]) {
        bags.beside = allocate(count, sizeof *bags.beside, "the bags of the text");
        memset(bags.beside, 0xff, count * sizeof *bags.beside);
    }
    Finding finding = {vocabulary, text, &bags};
    team_for(team, PARTS + reader_count(vocabulary) - 1, find_piece, &finding);
    return bags;
}

void bags_free(Bags *bags) {
    free(bags->ngram);
    free(bags->beside);
    *bags = (Bags){0};
}

size_t rows_beside(const Vocabulary *vocabulary, const Beside *beside, uint32_t *rows) {
    size_t count = 0;
    for (int w = 0; w < PHRASE_WORDS; w++)
        if (beside->phrase[w] != NO_ROW) rows[count++] = beside->phrase[w];
    for (int g = 0; g < vocabulary->groups; g++)
        if (beside->member[g] != NO_MEMBER)
            rows[count++] = vocabulary->group_first[g] + beside->member[g];
    return count;
}

size_t bag_rows(const Vocabulary *vocabulary, uint32_t ngram, const Beside *beside,
                uint32_t *rows) {
    size_t count = 0;
    for (uint32_t row = ngram; row != NO_ROW; row = vocabulary->parent[row]) rows[count++] = row;
    if (beside) count += rows_beside(vocabulary, beside, rows + count);
    return count;
}

size_t largest_bag(const Vocabulary *vocabulary) {
    size_t phrases = vocabulary->options.phrases ? PHRASE_WORDS : 0;
    return (size_t)vocabulary->options.order + phrases + (size_t)vocabulary->groups;
}

void bags_count(Vocabulary *vocabulary, const Bags *bags) {
    uint32_t rows[MAX_BAG];
    for (size_t i = 0; bags->beside && i < bags->count; i++) {
        size_t count = rows_beside(vocabulary, &bags->beside[i], rows);
        for (size_t r = 0; r < count; r++)
            if (rows[r] >= vocabulary->end[PHRASE_ROWS]) vocabulary->count[rows[r]]++;
    }
}

struct Stream {
    const Vocabulary *vocabulary;
    uint8_t *text;
    size_t length, capacity;
    Reader readers[2 + MAX_GROUPS];
    uint32_t ngram;
    Beside beside;
};

Stream *stream_start(const Vocabulary *vocabulary) {
    Stream *stream = allocate(1, sizeof *stream, "the context");
    stream->vocabulary = vocabulary;
    stream->ngram = NO_ROW;
    memset(&stream->beside, 0xff, sizeof stream->beside);
    for (size_t r = 0; r < reader_count(vocabulary); r++)
        stream->readers[r] = reader_start(vocabulary, r, 0);
    return stream;
}

void stream_push(Stream *stream, uint8_t id) {
    stream->text = grow(stream->text, &stream->capacity, stream->length + 1, 1, "the context");
    stream->text[stream->length++] = id;
    Bags bags = {stream->length, 1, NULL, &stream->ngram, &stream->beside};
    memset(&stream->beside, 0xff, sizeof stream->beside);
    read_on(stream->readers, reader_count(stream->vocabulary), stream->text, stream->length,
            stream->length + 1, &bags);
}

size_t stream_rows(const Stream *stream, uint32_t *rows) {
    return bag_rows(stream->vocabulary, stream->ngram, &stream->beside, rows);
}

void stream_end(Stream *stream) {
    for (size_t r = 0; r < reader_count(stream->vocabulary); r++) free(stream->readers[r].latest);
    free(stream->text);
    free(stream);
}

/* ---- names ------------------------------------------------------------------------------------- */

RowKind row_kind(const Vocabulary *vocabulary, uint32_t row) {
    RowKind kind = CHARACTER_ROWS;
    while (row >= vocabulary->end[kind]) kind++;
    return kind;
}

const char *row_kind_name(RowKind kind) { return kinds[kind].name; }

/* From a row up to its root: an n-gram's first letter comes first, a phrase's last one. */
size_t row_text(const Vocabulary *vocabulary, uint32_t row, char *text) {
    if (row >= vocabulary->end[PHRASE_ROWS]) return 0;
    size_t length = 0, at = 0;
    for (uint32_t r = row; r != NO_ROW; r = vocabulary->parent[r]) length++;
    bool phrase = row >= vocabulary->end[NGRAM_ROWS];
    for (; row != NO_ROW; row = vocabulary->parent[row], at++)
        text[phrase ? length - 1 - at : at] = character_of(vocabulary->letter[row]);
    return length;
}

char *row_name(const Vocabulary *vocabulary, uint32_t row, char *name) {
    kinds[row_kind(vocabulary, row)].name_row(vocabulary, row, name);
    return name;
}

uint32_t string_row(const Vocabulary *vocabulary, RowKind kind, const uint8_t *ids, size_t length) {
    uint32_t row = NO_ROW;
    for (size_t i = 0; i < length; i++) {
        uint8_t letter = kind == PHRASE_ROWS ? ids[i] : ids[length - 1 - i];
        bool root = i == 0 && kind != PHRASE_ROWS;
        row = root ? letter : child_row(vocabulary, row, letter);
        if (row == NO_ROW) break;
    }
    return row;
}

/* The row from first to end - 1 with this name. */
static uint32_t find_among(const Vocabulary *vocabulary, uint32_t first, uint32_t end,
                           const char *name) {
    char other[ROW_NAME];
    for (uint32_t row = first; row < end; row++)
        if (!strcmp(row_name(vocabulary, row, other), name)) return row;
    return NO_ROW;
}

uint32_t named_row(const Vocabulary *vocabulary, const char *name) {
    size_t length = strlen(name), phrase = length > 1 && name[0] == '^';
    uint8_t ids[ROW_NAME];
    char text[ROW_NAME];
    if (length >= ROW_NAME) return NO_ROW;
    uint32_t row = find_among(vocabulary, 0, CHARACTERS, name);
    if (row != NO_ROW) return row;
    row = find_among(vocabulary, vocabulary->end[PHRASE_ROWS], vocabulary->rows, name);
    if (row != NO_ROW) return row;
    bool quoted = length > phrase + 2 && name[phrase] == '"' && name[length - 1] == '"';
    memcpy(text, name + phrase + quoted, length - phrase - quoted + 1);
    if (quoted) text[length - phrase - 2] = '\0';
    row = string_row(vocabulary, phrase ? PHRASE_ROWS : NGRAM_ROWS, ids, unescaped(text, ids));
    if (row != NO_ROW) return row;
    return string_row(vocabulary, NGRAM_ROWS, ids, unescaped(name, ids));
}

uint32_t same_row(const Vocabulary *vocabulary, const Vocabulary *other, uint32_t row) {
    char text[ROW_NAME] = {0};
    uint8_t ids[MAX_PHRASE];
    size_t length = row_text(other, row, text);
    for (size_t i = 0; i < length; i++) ids[i] = (uint8_t)id_of((unsigned char)text[i]);
    if (length > 0) return string_row(vocabulary, row_kind(other, row), ids, length);
    return find_among(vocabulary, vocabulary->end[PHRASE_ROWS], vocabulary->rows,
                      row_name(other, row, text));
}
