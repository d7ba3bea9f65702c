#include "vocabulary.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In this file v is the vocabulary. */

/* ---- strings: found from their parents, listed letter by letter ---- */

/* The slot with the row that extends parent by letter, or the empty slot where it belongs. */
static inline size_t slot_of(const Vocabulary *v, uint32_t parent, uint8_t letter) {
    uint64_t key = (uint64_t)parent << 8 | letter;
    size_t slot = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & v->slot_mask;
    for (;; slot = (slot + 1) & v->slot_mask) {
        uint32_t row = v->slots[slot];
        if (row == NO_ROW) return slot;
        if (v->parent[row] == parent && v->letter[row] == letter) return slot;
    }
}

static inline uint32_t child_row(const Vocabulary *v, uint32_t parent, uint8_t letter) {
    return v->slots[slot_of(v, parent, letter)];
}

static uint32_t add_string(Vocabulary *v, uint32_t parent, uint8_t letter, size_t count) {
    size_t room[] = {v->room, v->room}, needed = v->rows + (size_t)1;
    v->parent = grow(v->parent, &room[0], needed, sizeof *v->parent, "the rows");
    v->letter = grow(v->letter, &room[1], needed, sizeof *v->letter, "the rows");
    v->count = grow(v->count, &v->room, needed, sizeof *v->count, "the rows");
    v->parent[v->rows] = parent;
    v->letter[v->rows] = letter;
    v->count[v->rows] = (uint32_t)count;
    return v->rows++;
}

/* Strings to be listed: each begins at one of the places of letters and ends before END. */
enum { END = CHARACTERS };
typedef struct {
    Vocabulary *v;
    int shortest, longest; /* shorter strings are characters, which have their rows */
    uint8_t *letters;
    uint32_t *places, *spare; /* as many */
} Listing;

/* The strings at places from..to-1 have their first `length` letters in common: sorts them by the
   next letter and lists the longer ones. What occurs once is not extended: the longer string would
   be in the same one bag. */
static void list_longer(const Listing *listing, size_t from, size_t to, int length,
                        uint32_t parent) {
    const uint8_t *letters = listing->letters + length++;
    uint32_t *places = listing->places, *spare = listing->spare;
    size_t start[CHARACTERS + 1] = {from}; /* of each letter's places; first their end */
    for (size_t i = from; i < to; i++) start[letters[places[i]]]++;
    for (int c = 1; c <= END; c++) start[c] += start[c - 1];
    for (size_t i = from; i < to; i++) spare[--start[letters[places[i]]]] = places[i];
    memcpy(places + from, spare + from, (to - from) * sizeof *places);
    for (uint8_t letter = 0; letter < CHARACTERS; letter++) {
        size_t first = start[letter], count = start[letter + 1] - first;
        if (count < listing->v->min_count) continue;
        uint32_t row = letter;
        if (length >= listing->shortest) row = add_string(listing->v, parent, letter, count);
        if (count > 1 && length < listing->longest)
            list_longer(listing, first, first + count, length, row);
    }
}

/* Lists the strings that begin at places [count]; frees letters and places. */
static void list_strings(Listing *listing, size_t count) {
    listing->spare = allocate(count, sizeof *listing->spare, "the list of strings");
    list_longer(listing, 0, count, 0, NO_ROW);
    free(listing->letters);
    free(listing->places);
    free(listing->spare);
}

/* ---- reading a text for one kind of rows ---- */

enum { FEW = 32, NGRAMS = 0, PHRASES = 1, GROUPS = 2 };
typedef struct Reader Reader;
struct Reader {
    const Vocabulary *v;
    size_t number; /* NGRAMS, PHRASES, GROUPS + the number of a group */
    int key;       /* of an echo, */
    bool cases;    /* with rows for each case */
    /* Finds the rows [count <= FEW] of places from `place` > 0 on, without gaps: of phrases
       PHRASE_WORDS for each place, of a group the number in the group; NO_ROW: none. */
    void (*read)(Reader *reader, size_t place, size_t count, uint32_t *rows);
    size_t length; /* how many places will be read; 0: nobody knows */
    const uint8_t *text;
    uint32_t phrase[PHRASE_WORDS]; /* the latest phrases, NO_PHRASE when the text has none */
    size_t line, above;            /* where this line and the one before begin */
    uint64_t *latest;              /* [slots] a hash table of keys, see echo_at */
    size_t slots, used;
    size_t key_length[FEW]; /* of the places prepared: the keys' lengths, 0 for none, */
    uint32_t key_hash[FEW]; /* and their hashes */
};

/* ---- characters: the last one ---- */

static void list_characters(Vocabulary *v, const uint8_t *text, size_t length) {
    for (uint8_t c = 0; c < CHARACTERS; c++) add_string(v, NO_ROW, c, 0);
    for (size_t i = 0; i < length; i++) v->count[text[i]]++;
    v->end[CHARACTER_ROWS] = v->rows;
}

/* ---- n-grams: read backwards from the last character ---- */

static void list_ngrams(Vocabulary *v, const uint8_t *text, size_t length) {
    Listing listing = {v, 2, v->options.order};
    listing.letters = allocate(length + 1, 1, "the list of n-grams");
    listing.places = allocate(length, sizeof *listing.places, "the list of n-grams");
    for (size_t i = 0; i < length; i++) {
        listing.letters[length - 1 - i] = text[i];
        listing.places[i] = (uint32_t)i;
    }
    listing.letters[length] = END;
    list_strings(&listing, length);
    v->end[NGRAM_ROWS] = v->rows;
}

/* The longest, or the character: the others are its parents. */
static void read_ngrams(Reader *reader, size_t place, size_t count, uint32_t *rows) {
    for (size_t i = 0; i < count; i++, place++) {
        size_t longest = smaller((size_t)reader->v->options.order, place);
        uint32_t row = reader->text[place - 1];
        for (size_t length = 1; length < longest; length++) {
            uint32_t longer = child_row(reader->v, row, reader->text[place - length - 1]);
            if (longer == NO_ROW) break;
            row = longer;
        }
        rows[i] = row;
    }
}

/* ---- phrases: read forwards from where a word begins ---- */

enum { NO_PHRASE = 0 }; /* row 0 is a character's */
enum { SMALL = 10, CAPITALS = 36, MARKS = 62, APOSTROPHE = 68, UNDERSCORE = 88, SPACE = 94 };
enum { NEWLINE = 96 }; /* ids: digits, small letters, capitals, marks, 94..99 are white space */

static bool is_word_letter(uint8_t id) {
    return id < MARKS || id == APOSTROPHE || id == UNDERSCORE;
}

static bool word_begins(const uint8_t *text, size_t i) {
    return is_word_letter(text[i]) && !(i && is_word_letter(text[i - 1]));
}

/* Of white space, only the first counts. */
static bool is_repeated_space(const uint8_t *text, size_t i) {
    return text[i] >= SPACE && i > 0 && text[i - 1] >= SPACE;
}

static uint8_t plain(uint8_t id) {
    if (id >= SPACE) return SPACE;
    return id >= CAPITALS && id < MARKS ? (uint8_t)(id - CAPITALS + SMALL) : id;
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
    letters[used++] = END;
    return used;
}

static void list_phrases(Vocabulary *v, const uint8_t *text, size_t length) {
    Listing listing = {v, 1, MAX_PHRASE};
    size_t most = length / 2 + 1, words = 0, used = 0;
    v->end[PHRASE_ROWS] = v->rows;
    if (!v->options.phrases) return;
    /* a character is in at most PHRASE_WORDS of them, and each has an END */
    listing.letters = allocate(PHRASE_WORDS * length + most, 1, "the list of phrases");
    listing.places = allocate(most, sizeof *listing.places, "the list of phrases");
    for (size_t i = 0; i < length; i++) {
        if (!word_begins(text, i)) continue;
        listing.places[words++] = (uint32_t)used;
        used += copy_phrase(text, i, length, listing.letters + used);
    }
    list_strings(&listing, words);
    v->end[PHRASE_ROWS] = v->rows;
}

static void read_phrases(Reader *reader, size_t place, size_t count, uint32_t *rows) {
    uint32_t *phrase = reader->phrase;
    for (size_t last = place - 1, i = 0; i < count; i++, last++) {
        if (word_begins(reader->text, last)) {
            memmove(phrase + 1, phrase, (PHRASE_WORDS - 1) * sizeof *phrase);
            phrase[0] = NO_ROW; /* the root */
        }
        bool repeated = is_repeated_space(reader->text, last);
        for (int w = 0; w < PHRASE_WORDS; w++, rows++) {
            if (phrase[w] != NO_PHRASE && !repeated)
                phrase[w] = child_row(reader->v, phrase[w], plain(reader->text[last]));
            if (phrase[w] == NO_ROW) phrase[w] = NO_PHRASE;
            *rows = phrase[w] == NO_PHRASE ? NO_ROW : phrase[w];
        }
    }
}

/* ---- columns, and the echo of the line above ---- */

/* The line's length, or (echo) the character above: NEWLINE where that line is shorter. */
static void read_lines(Reader *reader, size_t place, size_t count, uint32_t *rows) {
    for (size_t i = 0; i < count; i++, place++) {
        if (reader->text[place - 1] == NEWLINE) {
            reader->above = reader->line;
            reader->line = place;
        }
        size_t column = place - reader->line, above = reader->above + column;
        rows[i] = (uint32_t)smaller(column, COLUMNS - 1);
        if (reader->key) rows[i] = above < reader->line ? reader->text[above] : NEWLINE;
    }
}

/* ---- echoes: what followed where the same key occurred last ---- */

/* How many characters before `place` are the key, 0 when there is none. */
static size_t key_length(int key, const uint8_t *text, size_t place) {
    if (key < ECHO_WORDS) return place < (size_t)key ? 0 : (size_t)key;
    int words = key == ECHO_EARLIER ? 1 : key - ECHO_WORDS;
    for (size_t length = 1; length <= smaller(place, MAX_ECHO_KEY); length++) {
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
    return (uint32_t)(hash >> 40);
}

/* Does the key [length] before `place` end before `other`, too? */
static bool same_key(int key, const uint8_t *text, size_t place, size_t other, size_t length) {
    if (other < length || memcmp(text + place - length, text + other - length, length))
        return false;
    return key < ECHO_WORDS || word_begins(text, other - length);
}

/* A key's entry in the table, from its lowest bit: 32 bits are the place where the key occurred
   last, 24 its hash (a table has at most 1 << 24 slots), 7 the character that followed the time
   before, or NOTHING. The last bit says whether it also followed the time before that. */
enum { HASH = 32, BEFORE = 56, SAME = 63, HASH_MASK = 0xffffff, NOTHING = 127 };

/* Which row of its group says what followed when the key [length] before `place` occurred last,
   within ECHO_WINDOW; NO_ROW: none. Remembers that the key is here. */
static uint32_t echo_at(Reader *reader, size_t place, size_t length, uint32_t hash) {
    size_t slot = hash & (reader->slots - 1), distance = ECHO_WINDOW;
    uint64_t *latest = reader->latest;
    for (; latest[slot]; slot = (slot + 1) & (reader->slots - 1)) {
        if ((latest[slot] >> HASH & HASH_MASK) != hash) continue;
        distance = (uint32_t)place - (uint32_t)latest[slot];
        if (same_key(reader->key, reader->text, place, place - distance, length)) break;
    }
    reader->used += latest[slot] == 0;
    uint32_t last = NOTHING, before = NOTHING;
    bool often = latest[slot] >> SAME;
    if (latest[slot] && distance < ECHO_WINDOW) {
        last = reader->text[place - distance];
        before = latest[slot] >> BEFORE & NOTHING;
    }
    bool once = before == NOTHING, same = !once && last == before;
    latest[slot] = (uint64_t)same << SAME | (uint64_t)last << BEFORE | (uint64_t)hash << HASH |
                   (uint32_t)place;
    if (reader->key == ECHO_EARLIER) return once || same ? NO_ROW : before;
    if (last == NOTHING) return NO_ROW;
    if (once || !reader->cases) return last;
    return last + CHARACTERS * (1u + same + (same && often));
}

/* Moves the keys within ECHO_WINDOW into a table that stays at most half full for the `length`
   places to be read, or for as many keys again. */
static void renew_echoes(Reader *reader, size_t place) {
    uint64_t *old = reader->latest;
    size_t kept = 0, room = smaller(reader->length, ECHO_WINDOW);
    for (size_t i = 0; i < reader->slots; i++)
        if (old[i] && (uint32_t)place - (uint32_t)old[i] < ECHO_WINDOW) old[kept++] = old[i];
    if (room < 2 * kept) room = 2 * kept;
    for (reader->slots = 1024; reader->slots < 2 * room;) reader->slots *= 2;
    reader->latest = allocate(reader->slots, sizeof *old, "the echoes");
    for (reader->used = 0; reader->used < kept; reader->used++) {
        size_t slot = old[reader->used] >> HASH & (reader->slots - 1);
        while (reader->latest[slot]) slot = (slot + 1) & (reader->slots - 1);
        reader->latest[slot] = old[reader->used];
    }
    free(old);
}

/* Hashes the keys and asks for their slots, which lie anywhere in memory. */
static void prepare_echoes(Reader *reader, size_t place, size_t count) {
    if (reader->used + count > reader->slots / 4 * 3) renew_echoes(reader, place);
    for (size_t i = 0; i < count; i++) {
        size_t length = reader->key_length[i] = key_length(reader->key, reader->text, place + i);
        uint32_t hash = reader->key_hash[i] = key_hash(reader->text + place + i - length, length);
        __builtin_prefetch(&reader->latest[hash & (reader->slots - 1)], 1);
    }
}

static void read_echoes(Reader *reader, size_t place, size_t count, uint32_t *rows) {
    for (size_t i = 0; i < count; i++) {
        size_t length = reader->key_length[i];
        rows[i] = length ? echo_at(reader, place + i, length, reader->key_hash[i]) : NO_ROW;
    }
}

/* ---- from strings to rows ---- */

/* Do more than max_rows strings, beside the characters, occur at least min_count times? */
static bool too_many(const Vocabulary *v, uint32_t min_count) {
    size_t strings = 0;
    for (uint32_t row = CHARACTERS; row < v->rows; row++) strings += v->count[row] >= min_count;
    return strings > v->options.max_rows;
}

/* Raises min_count until no more than max_rows strings remain. */
static void drop_rare(Vocabulary *v) {
    uint32_t *number = allocate(v->rows, sizeof *number, "the list of rows");
    uint32_t low = v->min_count, high = UINT32_MAX, row = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (too_many(v, middle))
            low = middle + 1;
        else
            high = middle;
    }
    v->min_count = low;
    v->rows = 0;
    for (int kind = 0; kind <= PHRASE_ROWS; kind++) {
        for (; row < v->end[kind]; row++) {
            if (row >= CHARACTERS && v->count[row] < low) continue;
            uint32_t parent = v->parent[row];
            if (parent != NO_ROW) parent = number[parent];
            number[row] = add_string(v, parent, v->letter[row], v->count[row]);
        }
        v->end[kind] = v->rows;
    }
    free(number);
}

/* Makes the groups' rows and the hash table. Returns false when two strings have the same text. */
static bool finish(Vocabulary *v) {
    size_t strings = v->rows, slots = 256;
    for (int e = 0; e < v->options.echoes; e++) {
        v->group[e] = v->rows;
        v->rows += CHARACTERS * (v->options.echo_keys[e] < ECHO_CASES ? 1 : CASES);
    }
    v->group[v->options.echoes] = v->end[ECHO_ROWS] = v->rows;
    v->rows = v->end[COLUMN_ROWS] = v->rows + (v->options.columns ? COLUMNS : 0);
    v->count = reallocate(v->count, v->rows, sizeof *v->count, "the counts");
    memset(v->count + strings, 0, (v->rows - strings) * sizeof *v->count);
    while (slots < 2 * strings) slots *= 2;
    v->slots = allocate(slots, sizeof *v->slots, "the table of rows");
    memset(v->slots, 0xff, slots * sizeof *v->slots);
    v->slot_mask = slots - 1;
    for (uint32_t row = CHARACTERS; row < strings; row++) {
        size_t slot = slot_of(v, v->parent[row], v->letter[row]);
        if (v->slots[slot] != NO_ROW) return false;
        v->slots[slot] = row;
    }
    return true;
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
    Vocabulary v = {.options = options, .min_count = options.min_count};
    v.sampled = length > LIST_SAMPLE;
    uint8_t *sample = v.sampled ? sample_of(text, length) : NULL;
    const uint8_t *listed = sample ? sample : text;
    length = smaller(length, LIST_SAMPLE);
    list_characters(&v, listed, length);
    list_ngrams(&v, listed, length);
    list_phrases(&v, listed, length);
    free(sample);
    if (too_many(&v, v.min_count)) drop_rare(&v);
    finish(&v);
    return v;
}

/* Lists the n-grams or phrases of a file's cells [count, width]. Returns false when one is not
   printable or does not stand behind its parent. */
static bool list_cells(Vocabulary *v, RowKind kind, const uint8_t *cell, size_t count,
                       size_t width) {
    uint32_t latest[MAX_PHRASE + 1] = {NO_ROW}; /* the last string of each length */
    size_t known = 0;                           /* the last one's length */
    for (; count > 0; count--, cell += width) {
        size_t length = cell[0], begin = 1;
        if (kind == NGRAM_ROWS) {
            for (begin = 0; begin < width && cell[begin] == 0;) begin++;
            length = width - begin;
            if (length < 2 || id_of(cell[width - 1]) < 0) return false;
            latest[1] = (uint32_t)id_of(cell[width - 1]);
            if (length == 2) known = 1;
        }
        if (length < 1 || length > known + 1 || length > MAX_PHRASE) return false;
        bool ngram_with_parent = kind == NGRAM_ROWS && length > 2;
        const uint8_t *parent = cell + begin + 1;
        if (ngram_with_parent && memcmp(parent, parent - width, length - 1)) return false;
        if (id_of(cell[begin]) < 0) return false;
        latest[length] = add_string(v, latest[length - 1], (uint8_t)id_of(cell[begin]), 0);
        known = length;
    }
    v->end[kind] = v->rows;
    return true;
}

bool vocabulary_read(Vocabulary *v, RowOptions options, const uint8_t *ngrams, size_t ngram_rows,
                     const uint8_t *phrases, size_t phrase_rows, const char **reason) {
    *v = (Vocabulary){.options = options, .min_count = options.min_count};
    *reason = "there are too many rows";
    if (ngram_rows >= NO_ROW / 4 || phrase_rows >= NO_ROW / 4) return false;
    list_characters(v, NULL, 0);
    *reason = "its rows are not printable, or not in order, each right behind its parent";
    if (!list_cells(v, NGRAM_ROWS, ngrams, ngram_rows, (size_t)options.order)) return false;
    if (!list_cells(v, PHRASE_ROWS, phrases, phrase_rows, 2)) return false;
    *reason = "two rows have the same text";
    return finish(v);
}

void vocabulary_free(Vocabulary *v) {
    free(v->parent);
    free(v->letter);
    free(v->count);
    free(v->slots);
    *v = (Vocabulary){0};
}

/* ---- bags ---- */

static size_t groups(const Vocabulary *v) { return (size_t)v->options.echoes + v->options.columns; }

/* A group's key of echoes; 0: its rows are columns. */
static uint8_t key_of(const Vocabulary *v, size_t group) {
    return group < (size_t)v->options.echoes ? v->options.echo_keys[group] : 0;
}

static Reader reader_start(const Vocabulary *v, size_t number, size_t length) {
    Reader reader = {v, number, .read = read_lines, .length = length};
    if (number == NGRAMS) reader.read = read_ngrams;
    if (number == PHRASES) reader.read = read_phrases;
    uint8_t key = number < GROUPS ? 0 : key_of(v, number - GROUPS);
    reader.key = key % ECHO_CASES;
    reader.cases = key >= ECHO_CASES;
    if (reader.key && reader.key != ECHO_ABOVE) reader.read = read_echoes;
    return reader;
}

static void read_few(Reader *reader, size_t place, size_t count, Bags *bags) {
    uint32_t rows[FEW * PHRASE_WORDS];
    reader->read(reader, place, count, rows);
    for (size_t i = 0; i < count; i++) {
        if (place + i < bags->first) continue;
        size_t bag = place + i - bags->first;
        if (reader->number == NGRAMS)
            bags->ngram[bag] = rows[i];
        else if (reader->number == PHRASES)
            memcpy(bags->beside[bag].phrase, rows + PHRASE_WORDS * i, PHRASE_WORDS * sizeof *rows);
        else
            bags->beside[bag].member[reader->number - GROUPS] = (uint16_t)rows[i];
    }
}

/* Lets readers [count] read the places from..to-1 and fill in those that the bags have: place 0 has
   no rows. What one prepares comes into the cache while the others prepare theirs. */
static void read_on(Reader *readers, size_t count, const uint8_t *text, size_t from, size_t to,
                    Bags *bags) {
    if (from == 0) from = 1;
    for (size_t few; from < to; from += few) {
        few = smaller(to - from, FEW);
        for (Reader *reader = readers; reader < readers + count; reader++) {
            reader->text = text;
            if (reader->read == read_echoes) prepare_echoes(reader, from, few);
        }
        for (Reader *reader = readers; reader < readers + count; reader++)
            if (reader->number == NGRAMS || bags->beside) read_few(reader, from, few, bags);
    }
}

typedef struct {
    const Vocabulary *v;
    const uint8_t *text;
    Bags *bags;
} Finding;

/* Where a reader must begin so that its rows from `first` on are those of the whole text: the case
   of an echo depends on three occurrences of its key, phrases on the last two words, columns and
   what is above on the last two lines. */
static size_t reading_start(const Reader *reader, const uint8_t *text, size_t first) {
    size_t begin = first, back = smaller(first, 3 * ECHO_WINDOW + MAX_ECHO_KEY);
    if (reader->read == read_echoes) return first - back;
    for (int found = 0; reader->read != read_ngrams && begin > 0 && found < 2;) {
        bool word = word_begins(text, --begin), line = text[begin] == NEWLINE;
        found += reader->read == read_phrases ? word : line;
    }
    return begin;
}

static void find_rows(int member, size_t number, void *argument) {
    const Finding *finding = argument;
    Bags *bags = finding->bags;
    size_t end = bags->first + bags->count;
    Reader reader = reader_start(finding->v, number, 0);
    size_t begin = reading_start(&reader, finding->text, bags->first);
    (void)member;
    reader.length = end - begin;
    read_on(&reader, 1, finding->text, begin, end, bags);
    free(reader.latest);
}

Bags bags_find(Team *team, const Vocabulary *v, const uint8_t *text, size_t first, size_t count) {
    Bags bags = {.first = first, .count = count, .targets = text + first};
    bags.ngram = allocate(count, sizeof *bags.ngram, "the bags of the text");
    memset(bags.ngram, 0xff, count * sizeof *bags.ngram);
    if (v->rows > v->end[NGRAM_ROWS]) {
        bags.beside = allocate(count, sizeof *bags.beside, "the bags of the text");
        memset(bags.beside, 0xff, count * sizeof *bags.beside);
    }
    Finding finding = {v, text, &bags};
    team_for(team, GROUPS + groups(v), find_rows, &finding);
    return bags;
}

void bags_free(Bags *bags) {
    free(bags->ngram);
    free(bags->beside);
    *bags = (Bags){0};
}

size_t bag_rows(const Vocabulary *v, uint32_t ngram, const Beside *beside, uint32_t *rows) {
    size_t count = 0;
    for (uint32_t row = ngram; row != NO_ROW; row = v->parent[row]) rows[count++] = row;
    for (int w = 0; beside && w < PHRASE_WORDS; w++)
        if (beside->phrase[w] != NO_ROW) rows[count++] = beside->phrase[w];
    for (size_t g = 0; beside && g < groups(v); g++)
        if (beside->member[g] != NO_MEMBER) rows[count++] = v->group[g] + beside->member[g];
    return count;
}

size_t largest_bag(const Vocabulary *v) {
    size_t phrases = v->options.phrases ? PHRASE_WORDS : 0;
    return (size_t)v->options.order + phrases + groups(v);
}

void bags_count(Vocabulary *v, const Bags *bags) {
    uint32_t rows[MAX_BAG];
    for (size_t i = 0; bags->beside && i < bags->count; i++)
        for (size_t r = bag_rows(v, NO_ROW, &bags->beside[i], rows); r-- > 0;)
            if (rows[r] >= v->end[PHRASE_ROWS]) v->count[rows[r]]++;
}

struct Stream {
    const Vocabulary *v;
    uint8_t *text;
    size_t length, capacity;
    Reader readers[GROUPS + MAX_GROUPS];
    uint32_t ngram;
    Beside beside;
};

Stream *stream_start(const Vocabulary *v) {
    Stream *stream = allocate(1, sizeof *stream, "the context");
    stream->v = v;
    stream->ngram = NO_ROW;
    memset(&stream->beside, 0xff, sizeof stream->beside);
    for (size_t r = 0; r < GROUPS + groups(v); r++) stream->readers[r] = reader_start(v, r, 0);
    return stream;
}

void stream_push(Stream *stream, uint8_t id) {
    stream->text = grow(stream->text, &stream->capacity, stream->length + 1, 1, "the context");
    stream->text[stream->length++] = id;
    Bags bags = {stream->length, 1, NULL, &stream->ngram, &stream->beside};
    read_on(stream->readers, GROUPS + groups(stream->v), stream->text, stream->length,
            stream->length + 1, &bags);
}

size_t stream_rows(const Stream *stream, uint32_t *rows) {
    return bag_rows(stream->v, stream->ngram, &stream->beside, rows);
}

void stream_end(Stream *stream) {
    for (size_t r = 0; r < GROUPS + groups(stream->v); r++) free(stream->readers[r].latest);
    free(stream->text);
    free(stream);
}

/* ---- names ---- */

const char *row_kind_name(RowKind kind) {
    static const char *names[] = {"characters", "n-grams", "phrases", "echoes", "columns"};
    return names[kind];
}

RowKind row_kind(const Vocabulary *v, uint32_t row) {
    RowKind kind = CHARACTER_ROWS;
    while (row >= v->end[kind]) kind++;
    return kind;
}

/* From a row up to its root: an n-gram's first letter comes first, a phrase's last one. */
size_t row_text(const Vocabulary *v, uint32_t row, char *text) {
    if (row >= v->end[PHRASE_ROWS]) return 0;
    size_t length = 0, at = 0;
    for (uint32_t r = row; r != NO_ROW; r = v->parent[r]) length++;
    bool phrase = row >= v->end[NGRAM_ROWS];
    for (; row != NO_ROW; row = v->parent[row], at++)
        text[phrase ? length - 1 - at : at] = character_of(v->letter[row]);
    return length;
}

/* The group of a row behind the strings. */
static size_t group_of(const Vocabulary *v, uint32_t row) {
    size_t group = groups(v) - 1;
    while (row < v->group[group]) group--;
    return group;
}

static void echo_name(const Vocabulary *v, uint32_t row, char *name) {
    static const char *words[] = {"word", "words", "above", "word earlier"};
    static const char *cases[] = {" once", " changed", " twice", " often"};
    char number[8], character[16];
    size_t group = group_of(v, row);
    int key = key_of(v, group) % ECHO_CASES;
    uint32_t member = row - v->group[group];
    const char *key_name = number, *case_name = "";
    snprintf(number, sizeof number, "%d", key);
    if (key > ECHO_WORDS) key_name = words[key - ECHO_WORDS - 1];
    if (key_of(v, group) >= ECHO_CASES) case_name = cases[member / CHARACTERS];
    sprintf(name, "echo %s%s: %s", key_name, case_name,
            character_name(character_of(member % CHARACTERS), character));
}

char *row_name(const Vocabulary *v, uint32_t row, char *name) {
    char text[MAX_PHRASE], printable[4 * MAX_PHRASE + 1];
    RowKind kind = row_kind(v, row);
    if (kind == CHARACTER_ROWS) return character_name(character_of((uint8_t)row), name);
    if (kind == ECHO_ROWS) {
        echo_name(v, row, name);
    } else if (kind == COLUMN_ROWS) {
        sprintf(name, "column %u", (unsigned)(row - v->end[ECHO_ROWS]));
    } else {
        escaped(text, row_text(v, row, text), printable);
        sprintf(name, "%s\"%s\"", kind == PHRASE_ROWS ? "^" : "", printable);
    }
    return name;
}

uint32_t string_row(const Vocabulary *v, RowKind kind, const uint8_t *ids, size_t length) {
    uint32_t row = NO_ROW;
    for (size_t i = 0; i < length; i++) {
        uint8_t letter = kind == PHRASE_ROWS ? ids[i] : ids[length - 1 - i];
        bool root = i == 0 && kind != PHRASE_ROWS;
        row = root ? letter : child_row(v, row, letter);
        if (row == NO_ROW) break;
    }
    return row;
}

/* The row from first to end - 1 with this name. */
static uint32_t find_among(const Vocabulary *v, uint32_t first, uint32_t end, const char *name) {
    char other[ROW_NAME];
    for (uint32_t row = first; row < end; row++)
        if (!strcmp(row_name(v, row, other), name)) return row;
    return NO_ROW;
}

uint32_t named_row(const Vocabulary *v, const char *name) {
    size_t length = strlen(name), phrase = length > 1 && name[0] == '^';
    uint8_t ids[ROW_NAME];
    char text[ROW_NAME];
    if (length >= ROW_NAME) return NO_ROW;
    uint32_t row = find_among(v, 0, CHARACTERS, name);
    if (row == NO_ROW) row = find_among(v, v->end[PHRASE_ROWS], v->rows, name);
    if (row != NO_ROW) return row;
    size_t quoted = length > phrase + 2 && name[phrase] == '"' && name[length - 1] == '"';
    sprintf(text, "%.*s", (int)(length - phrase - 2 * quoted), name + phrase + quoted);
    row = string_row(v, phrase ? PHRASE_ROWS : NGRAM_ROWS, ids, unescaped(text, ids));
    if (row != NO_ROW) return row;
    return string_row(v, NGRAM_ROWS, ids, unescaped(name, ids));
}

/* The same place in the group of the same key. */
static uint32_t same_in_group(const Vocabulary *v, const Vocabulary *other, uint32_t row) {
    size_t from = group_of(other, row);
    for (size_t to = 0; to < groups(v); to++)
        if (key_of(v, to) == key_of(other, from)) return v->group[to] + row - other->group[from];
    return NO_ROW;
}

uint32_t same_row(const Vocabulary *v, const Vocabulary *other, uint32_t row) {
    if (row < CHARACTERS) return row;
    if (row >= other->end[PHRASE_ROWS]) return same_in_group(v, other, row);
    uint32_t parent = other->parent[row];
    if (parent == NO_ROW) return child_row(v, NO_ROW, other->letter[row]);
    parent = same_row(v, other, parent);
    return parent == NO_ROW ? NO_ROW : child_row(v, parent, other->letter[row]);
}
